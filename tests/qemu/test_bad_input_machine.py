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
    "no such address": ({"devices": [], "config": "device = 00:1b.0\n"}, r"no such device: 00:1b\.0"),
    "no such segment": ({"devices": [], "config": "device = 0001:00:10.0\n"}, r"no such device: 0001:00:10\.0"),
    "no such id": ({"devices": [], "config": "device = dead:beef\n"}, r"no such device: dead:beef"),
    "no such path": ({"devices": [], "config": "device = 00:1f.0/00.0\n"}, r"no such device: 00:1f\.0/00\.0"),
    "two match": ({"config": "device = 1234:11e8\n", "devices": [],
                   "qemu_args": ["-device", f"{EDU},addr=0x11", "-device", f"{EDU},addr=0x12"]},
                  r"2 devices match 1234:11e8: name one by its address, or as 1234:11e8#1 to 1234:11e8#2 in that order"),
    "no such number": ({"config": "device = class:00ff#2\n"}, r"no such device: class:00ff#2, there are only 1"),
    "assigned and left": ({"config": "leave = 1234:11e8\n"},
                          r"device 0000:00:10\.0 is to be left as it is, but its group 1 has an assigned device"),
    "left beside an assigned function": (
        {"config": "leave = 00:1b.1\ndevice = 00:1b.0\n", "devices": [],
         "qemu_args": ["-device", "e1000e,romfile=,addr=0x1b.0,multifunction=on", "-device", "e1000e,romfile=,addr=0x1b.1"]},
        r"device 0000:00:1b\.1 is to be left as it is, but its group 1 has an assigned device"),
    "left, and no IOMMU for it": ({"config": "leave = 00:10.0\n", "devices": [],
                                   "qemu_args": ["-machine", "default-bus-bypass-iommu=on", "-device", f"{EDU},addr=0x10"]},
                                  r"no IOMMU translates for device 0000:00:10\.0, which is to be left as it is"),
    "no IOMMU for anything": ({"devices": [], "config": "unprotected = 00:1f.2\n",
                               "qemu_args": ["-machine", "default-bus-bypass-iommu=on", "-device", f"{EDU},addr=0x10"]},
                              r"no IOMMU translates for device 0000:00:10\.0 \(1234:11e8\): `unprotected = 0000:00:10\.0` starts all "
                              r"the same, with its bus mastering off"),
    "assigned without protection": ({"devices": [], "config": "unprotected = 00:1f.2\nunprotected = 00:10.0\ndevice = 00:10.0\n",
                                     "qemu_args": ["-machine", "default-bus-bypass-iommu=on", "-device", f"{EDU},addr=0x10"]},
                                    r"group 1 cannot be handed out: no IOMMU translates for its device 0000:00:10\.0"),
    "a left device at the interrupt window": (
        {"config": "leave = 00:10.0 keep-out=0xfee00000+4K\n"},
        r"the keep-out range of device 0000:00:10\.0 \(0xfee00000, 4 KiB\) overlaps the interrupt window at 0xfee00000"),
    "a left device in the kernel": ({"config": "leave = 00:10.0 keep-out=0x200000+2M\n"},
                                    r"keep-out range 0x200000 covers the kernel image"),
    "a BAR that is kept out": ({"config": "keep-out = 0xfe000000+16M\n"},
                               r"BAR 0 of device 0000:00:10\.0 \(0xfe[0-9a-f]{6}, 1024 KiB\) overlaps a keep-out range at 0xfe000000"),
    "a window without memory": ({"config": "memory = 1G+1G\n"},
                                r"the window that `memory` gives has less than 32 MiB of RAM that is free"),
    "twice": ({"config": "device = 1234:11e8\n"}, r"device 0000:00:10\.0 is assigned twice"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_machine(guest, hello_dma, name):
    options, sentence = REFUSALS[name]
    ran = guest(hello_dma, **{"devices": ["edu"], "trace": TRACE, **options}).run()
    assert_refused(ran, sentence)
