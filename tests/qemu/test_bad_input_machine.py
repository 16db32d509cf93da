# SPDX-License-Identifier: BSD-2-Clause
"""Machines that Bulkhead cannot protect, and devices it cannot find."""

import pytest

from bad_input import TRACE, assert_refused

EDU = "edu,dma_mask=0xffffffffffffffff"

# name -> (what differs from the demo's machine, the sentence)
REFUSALS = {
    "no IOMMU": ({"iommu": None}, r"ACPI has no DMAR table: this machine has no VT-d IOMMU, .*"),
    "no DMA translation": ({"iommu": "dma-translation=off"}, r"the IOMMU at 0xfed90000 cannot translate DMA \(CAP\.SAGAW is 0\)"),
    "no interrupt remapping": ({"iommu": "intremap=off"}, r"the IOMMU at 0xfed90000 cannot remap interrupts .*unsafe-interrupts=yes.*"),
    "no such address": ({"devices": [], "config": "device = 00:1b.0\n"}, r"no such device: 0000:00:1b\.0"),
    "no such segment": ({"devices": [], "config": "device = 0001:00:10.0\n"}, r"no such device: 0001:00:10\.0"),
    "no such id": ({"devices": [], "config": "device = dead:beef\n"}, r"no such device: dead:beef"),
    "no such path": ({"devices": [], "config": "device = 00:1f.0/00.0\n"}, r"no such device: 0000:00:1f\.0/00\.0"),
    "two match": ({"config": "device = 1234:11e8\n", "devices": [],
                   "qemu_args": ["-device", f"{EDU},addr=0x11", "-device", f"{EDU},addr=0x12"]},
                  r"2 devices match 1234:11e8: name one by its address, or as 1234:11e8#1 to 1234:11e8#2 in that order"),
    "no such number": ({"config": "device = class:00ff#2\n"}, r"no such device: class:00ff#2, there are only 1"),
    "twice": ({"config": "device = 1234:11e8\n"}, r"device 0000:00:10\.0 is assigned twice"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_machine(guest, hello_dma, name):
    options, sentence = REFUSALS[name]
    ran = guest(hello_dma, **{"devices": ["edu"], "trace": TRACE, **options}).run()
    assert_refused(ran, sentence)
