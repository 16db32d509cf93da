# SPDX-License-Identifier: BSD-2-Clause
"""Firmware that says or sets something unbelievable: ACPI tables, and addresses of devices. Table
headers are always good here (QEMU mends them); broken ones are the business of the host tests."""

import re
import struct
import time

import pytest

from bad_input import TRACE, assert_refused

BOOT_MENU = ["-boot", "menu=on,splash-time=60000"]  # the firmware waits that long, in ms, or for a key
FIRMWARE_SAYS = "firmware.log"
SECOND_EDU = ["-device", "edu,addr=0x11"]


# ---- ACPI: a DMAR of our own, on a machine without one

def table(signature, body):
    header = struct.pack("<4sIBB6s8sI4sI", signature, 36 + len(body), 1, 0, b"TESTER", b"BULKHEAD", 1, b"TEST", 1)
    return header + body


def dmar(*structures, width=46):
    return table(b"DMAR", bytes([width, 1]) + bytes(10) + b"".join(structures))


def structure(kind, body, length=None):
    return struct.pack("<HH", kind, len(body) + 4 if length is None else length) + body


def drhd(registers, flags=1, scopes=b""):
    return structure(0, struct.pack("<BBHQ", flags, 0, 0, registers) + scopes)


UNIT = drhd(0xfed90000)
IN = r"ACPI table DMAR, structure at offset \d+: "

TABLES = {
    "no unit": (dmar(), r"ACPI table DMAR lists no remapping unit"),
    "too short": (table(b"DMAR", b""), r"ACPI table DMAR is too short \(36 bytes\)"),
    "length 0": (dmar(UNIT, structure(0, bytes(12), 0)), IN + r"the structure has an impossible length"),
    "length beyond the table": (dmar(UNIT, structure(1, bytes(20), 4096)), IN + r"the structure has an impossible length"),
    "short structure": (dmar(UNIT, structure(0, bytes(8))), IN + r"too short for type DRHD"),
    "unaligned registers": (dmar(drhd(0xfed90010)), IN + r"the register base of a remapping unit is not page aligned"),
    "overlapping units": (dmar(UNIT, drhd(0xfed90000, 0)), IN + r"the registers of two remapping units overlap"),
    "scope of length 0": (dmar(drhd(0xfed90000, 0, bytes(8))), IN + r"a device scope has an impossible length"),
    "impossible width": (dmar(UNIT, width=200), r"ACPI table DMAR gives an address width of 201 bits"),
}


@pytest.fixture
def with_table(guest, hello_dma, tmp_path):
    """Runs the machine that has such a DMAR."""
    def run(content):
        (tmp_path / "dmar.bin").write_bytes(content)
        return guest(hello_dma, devices=["edu"], iommu=None, trace=TRACE,
                     qemu_args=["-acpitable", f"file={tmp_path / 'dmar.bin'}"]).run()
    return run


@pytest.mark.parametrize("name", TABLES)
def test_dmar(with_table, name):
    content, sentence = TABLES[name]
    assert_refused(with_table(content), sentence)


# They stop nothing: the machine is refused for the unit, which it does not have.
REGIONS = {
    "backwards": (structure(1, struct.pack("<HHQQ", 0, 0, 0x2000, 0x0fff)), "ends before it starts"),
    "cut off": (structure(1, bytes(8)), "is cut off"),
}


@pytest.mark.parametrize("name", REGIONS)
def test_reserved_memory(with_table, name):
    region, words = REGIONS[name]
    ran = with_table(dmar(UNIT, region))
    assert_refused(ran, r"the IOMMU at 0xfed90000 cannot translate DMA .*")
    assert f"{words}: ignored, and its devices cannot be assigned" in ran.serial, ran.log


def test_unit_that_is_not_there(with_table):
    """A believable table, but nothing answers at the address."""
    assert_refused(with_table(dmar(drhd(0xfed80000))), r".*0xfed80000.*")


# ---- BARs: moved over QMP between the firmware's assignment and the kernel

def write_config(qmp, slot, offset, value):
    """A double word of configuration space of 00:slot.0, through the ports 0xcf8 and 0xcfc."""
    qmp.monitor(f"o /w 0xcf8 {0x80000000 | slot << 11 | offset:#x}")
    qmp.monitor(f"o /w 0xcfc {value:#x}")


def bars(one):
    """{slot: BAR 0} of the edu devices, once the firmware has assigned them."""
    found = re.findall(r"device +(\d+), function 0:\n.*PCI device 1234:11e8(?:.*\n)*?.*BAR0: 32 bit memory at (0x[0-9a-f]+)",
                       one.qmp.monitor("info pci").replace("\r", ""))
    return {int(slot): int(base, 16) for slot, base in found if int(base, 16) != 0xffffffff}


def in_boot_menu(one):
    """The firmware has assigned everything and waits, by its own word: nothing changes any more."""
    said = one.folder / FIRMWARE_SAYS
    return said.exists() and b"boot menu" in said.read_bytes()


def key_pressed(one):
    """Presses a key, for which the menu ends. True once the kernel runs, or has ended already."""
    try:
        one.qmp.execute("send-key", keys=[{"type": "qcode", "data": "spc"}])
    except (OSError, ValueError):
        return True
    return bool(one.serial)


def moved(guest, hello_dma, where):
    one = guest(hello_dma, devices=["edu"], trace=TRACE, qmp=True, qemu_args=[*BOOT_MENU, *SECOND_EDU])
    one.command += ["-chardev", f"file,id=firmware,path={one.folder / FIRMWARE_SAYS}",
                    "-device", "isa-debugcon,iobase=0x402,chardev=firmware"]
    one.start().wait_until(lambda: in_boot_menu(one), "boot menu")
    base = where(bars(one)) if callable(where) else where
    write_config(one.qmp, 0x10, 0x10, base)
    while not key_pressed(one) and time.monotonic() < one.deadline:
        time.sleep(0.01)
    return one.wait()


BAR = r"BAR 0 of device 0000:00:10\.0 "

PLACES = {
    "unassigned": (0, BAR + r"\(1024 KiB\) was given no address by the firmware, and nothing tells what is free "
                      r"on its root bus"),
    "RAM": (0x8000000, BAR + r".*overlaps RAM at 0x.*"),
    "interrupt window": (0xfee00000, BAR + r".*overlaps the interrupt window at 0xfee00000"),
    "I/O APIC": (0xfec00000, BAR + r".*overlaps an I/O APIC at 0xfec00000"),
    "VT-d unit": (0xfed00000, BAR + r".*overlaps a VT-d unit at 0xfed90000"),
    "configuration space": (0xb0100000, BAR + r".*overlaps PCI configuration space of segment 0 at 0xb0000000"),
    "another BAR": (lambda found: found[0x11], BAR + r".*overlaps BAR 0 of device 0000:00:11\.0 at 0x.*"),
}


@pytest.mark.parametrize("name", PLACES)
def test_bar(guest, hello_dma, name):
    where, sentence = PLACES[name]
    assert_refused(moved(guest, hello_dma, where), sentence)


def test_bar_moved_to_a_free_place(guest, hello_dma):
    """The control: it is the place that is refused, not the move."""
    ran = moved(guest, hello_dma, 0xc0000000)
    assert ran.status == 0, ran.log


def test_firmware_that_assigns_nothing(guest, hello_dma):
    ran = guest(hello_dma, devices=["edu"], trace=TRACE, qemu_args=["-bios", "qboot.rom"]).run()
    assert_refused(ran, r".*")
