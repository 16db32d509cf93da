# SPDX-License-Identifier: BSD-2-Clause
"""DMAR tables that QEMU does not make: one is appended to QEMU's own under another name, which the
kernel of these tests looks for. It describes the same unit at 0xfed90000 in other words."""

import struct

import pytest

from bad_input import TRACE, assert_refused
from test_bad_input_firmware import dmar, drhd, structure
from test_hello_dma import EDU, PCI_BRIDGE, ROOT_PORT, assert_three_lines
from variant import kernel_with

UNIT = 0xfed90000
NAME = "DMAX"
ENDPOINT, BRIDGE, IO_APIC = 1, 2, 3


def scope(kind, bus, *hops, number=0):
    path = b"".join(bytes(hop) for hop in hops)
    return bytes([kind, 6 + len(path), 0, 0, number, bus]) + path


UNPROTECTED = "unprotected = 00:1f.2\n"
IO_APIC_SCOPE = scope(IO_APIC, 0xff, (0, 0))

# name -> (table, what differs from the plain machine)
TABLES = {
    "all devices": (dmar(drhd(UNIT, 1, IO_APIC_SCOPE)), {"devices": ["edu"]}),
    # No unit translates for the disk controller of the chipset, which the operator knows.
    "endpoint": (dmar(drhd(UNIT, 0, IO_APIC_SCOPE + scope(ENDPOINT, 0, (0x10, 0)))),
                 {"devices": ["edu"], "config": UNPROTECTED}),
    "path through a port": (dmar(drhd(UNIT, 0, IO_APIC_SCOPE + scope(ENDPOINT, 0, (0x1c, 0), (0, 0)))),
                            {"qemu_args": ROOT_PORT, "devices": [f"{EDU},bus=rp0"], "config": UNPROTECTED}),
    "all below a bridge": (dmar(drhd(UNIT, 0, IO_APIC_SCOPE + scope(BRIDGE, 0, (0x1d, 0)))),
                           {"qemu_args": PCI_BRIDGE, "devices": [f"{EDU},bus=bridge"], "config": UNPROTECTED}),
    "everything else": (dmar(drhd(UNIT, 1, IO_APIC_SCOPE),
                             structure(2, struct.pack("<BBH", 1, 0, 0)),             # ATSR
                             structure(3, struct.pack("<IQI", 0, UNIT, 1)),          # RHSA
                             structure(4, b"\0\0\0\5\\_SB.UA00\0"),                  # ANDD
                             structure(5, struct.pack("<BBH", 0, 0, 0)),             # SATC
                             structure(1, struct.pack("<HHQQ", 0, 0, 0xf0000, 0xf0fff)
                                       + scope(ENDPOINT, 0, (0x1f, 2))),             # RMRR of another device
                             structure(99, bytes(8))), {"devices": ["edu"]}),
}


def with_table(guest, hello_dma, tmp_path, content, **options):
    (tmp_path / "dmar.bin").write_bytes(content)
    options["qemu_args"] = [*options.get("qemu_args", []), "-acpitable", f"sig={NAME},file={tmp_path / 'dmar.bin'}"]
    kernel = kernel_with("other-dmar", [("kernel/machine/acpi/acpi.c", "DMAR", NAME)])
    return guest(hello_dma, kernel=kernel, **options).run()


@pytest.mark.parametrize("name", TABLES)
def test_demo(guest, hello_dma, tmp_path, name):
    content, options = TABLES[name]
    ran = with_table(guest, hello_dma, tmp_path, content, **options)
    assert_three_lines(ran)
    assert ("UNPROTECTED: no IOMMU translates for device 0000:00:1f.2" in ran.serial) == ("config" in options), ran.log


def test_the_first_of_two_tables_counts(guest, hello_dma, tmp_path):
    (tmp_path / "dmar.bin").write_bytes(dmar(drhd(0xfed80000)))
    assert_three_lines(guest(hello_dma, devices=["edu"], qemu_args=["-acpitable", f"file={tmp_path / 'dmar.bin'}"]).run())


def test_reserved_memory_keeps_a_device_back(guest, hello_dma, tmp_path):
    content = dmar(drhd(UNIT, 1, IO_APIC_SCOPE),
                   structure(1, struct.pack("<HHQQ", 0, 0, 0xf0000, 0xf0fff) + scope(ENDPOINT, 0, (0x10, 0))))
    ran = with_table(guest, hello_dma, tmp_path, content, devices=["edu"], trace=TRACE)
    assert_refused(ran, r"group \d+ cannot be handed out: the firmware reserved memory for its device 0000:00:10\.0")
