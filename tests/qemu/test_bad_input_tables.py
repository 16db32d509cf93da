# SPDX-License-Identifier: BSD-2-Clause
"""ACPI tables that are damaged or contradict themselves, headers and checksums included, and register
blocks where other things are. A test application (efi/patch.c) changes OVMF's own tables before it
starts the loader."""

import struct

import pytest

import firmware_patch as fw
from bad_input import TRACE, assert_refused

RAM, LOCAL_APIC, VTD, ECAM = 0x8000000, 0xfee00000, 0xfed90000, 0xb0000000


def u32(value):
    return struct.pack("<I", value)


def u64(value):
    return struct.pack("<Q", value)


# Offsets: ACPI 5.2.5 (RSDP), 5.2.6 (header), 5.2.12 (MADT); PCI firmware 4.1.2 (MCFG); VT-d 8 (DMAR).
LENGTH, CHECKSUM, ENTRIES = 4, 9, 36
MADT_RECORDS = 44
MCFG_BASE, MCFG_BUSES = 44, 54
DMAR_WIDTH, DMAR_UNIT = 36, 48
UNIT_LENGTH, UNIT_REGISTERS, UNIT_SCOPE = DMAR_UNIT + 2, DMAR_UNIT + 8, DMAR_UNIT + 16

# name -> (patches, the sentence)
REFUSALS = {
    # Checksums, lengths, roots
    "root pointer checksum": ([fw.table(b"RSDP", 8, b"\x55", False)],
                              r"the ACPI root pointer has a wrong checksum"),
    "root pointer extended checksum": ([fw.table(b"RSDP", 32, b"\x55", False)],
                                       r"the ACPI root pointer \(revision 2\) has a wrong length or checksum"),
    "root pointer to nowhere": ([fw.table(b"RSDP", 24, u64(1 << 60))],
                                r"ACPI points to 0x1000000000000000 \(36 bytes\), which cannot be read"),
    "root pointer to no table": ([fw.table(b"RSDP", 24, u64(0x1000))],
                                 r"the ACPI root pointer does not lead to an XSDT"),
    "root table checksum": ([fw.table(b"XSDT", CHECKSUM, b"\x55", False)],
                            r"ACPI table XSDT has a wrong checksum"),
    "root table too short": ([fw.table(b"XSDT", LENGTH, u32(8), False)],
                             r"ACPI table XSDT has an impossible length \(8 bytes\)"),
    "root table endless": ([fw.table(b"XSDT", LENGTH, u32(0xffffffff), False)],
                           r"ACPI table XSDT is too long \(4294967295 bytes\)"),
    "root table ends inside an entry": ([fw.table(b"XSDT", LENGTH, u32(ENTRIES + 12))],
                                        r"ACPI table XSDT ends inside an entry"),
    "root table lists itself": ([fw.entry(1, b"XSDT")],
                                r"ACPI tables XSDT and XSDT overlap at 0x[0-9a-f]+"),
    "root table lists the same twice": ([fw.entry(0, b"APIC")],
                                        r"ACPI tables APIC and APIC overlap at 0x[0-9a-f]+"),
    "root table lists overlapping tables": ([fw.entry(0, b"APIC", 8)],
                                            r"ACPI tables XSDT and \?\?BO overlap at 0x[0-9a-f]+"),
    "root table lists nowhere": ([fw.entry(1, value=1 << 60)],
                                 r"ACPI points to 0x1000000000000000 \(36 bytes\), which cannot be read"),
    "checksum": ([fw.table(b"APIC", CHECKSUM, b"\x55", False)],
                 r"ACPI table APIC has a wrong checksum"),
    "table too short": ([fw.table(b"APIC", LENGTH, u32(8), False)],
                        r"ACPI table APIC has an impossible length \(8 bytes\)"),
    "table endless": ([fw.table(b"APIC", LENGTH, u32(0x7fffffff), False)],
                      r"ACPI tables XSDT and APIC overlap at 0x[0-9a-f]+"),
    # Absent tables
    "no MADT": ([fw.table(b"APIC", 0, b"XXXX")],
                r"ACPI has no MADT table, so the interrupt controllers are unknown"),
    "no MCFG": ([fw.table(b"MCFG", 0, b"XXXX")],
                r"ACPI has no MCFG table, so PCI configuration space cannot be reached"),
    "no DMAR": ([fw.table(b"DMAR", 0, b"XXXX")],
                r"ACPI has no DMAR table: this machine has no VT-d IOMMU, or it is switched off in the firmware"),
    # Records
    "MADT record of no length": ([fw.table(b"APIC", MADT_RECORDS + 1, b"\0")],
                                 r"ACPI table MADT: the entry at offset 44 has an impossible length"),
    "MADT record beyond the end": ([fw.table(b"APIC", MADT_RECORDS + 1, b"\xff")],
                                   r"ACPI table MADT: the entry at offset 44 has an impossible length"),
    "MCFG without a bus": ([fw.table(b"MCFG", MCFG_BUSES, b"\x08\x07")],
                           r"ACPI table MCFG gives buses 8 to 7 of segment 0"),
    "DMAR record of no length": ([fw.table(b"DMAR", UNIT_LENGTH, b"\0\0")],
                                 r"ACPI table DMAR, structure at offset 48: the structure has an impossible length"),
    "DMAR record beyond the end": ([fw.table(b"DMAR", UNIT_LENGTH, b"\xff\xff")],
                                   r"ACPI table DMAR, structure at offset 48: the structure has an impossible length"),
    "DMAR scope of no length": ([fw.table(b"DMAR", UNIT_SCOPE + 1, b"\0")],
                                r"ACPI table DMAR, structure at offset 48: a device scope has an impossible length"),
    "DMAR scope beyond the unit": ([fw.table(b"DMAR", UNIT_SCOPE + 1, b"\xfe")],
                                   r"ACPI table DMAR, structure at offset 48: a device scope has an impossible length"),
    # Register blocks where they cannot be
    "ECAM in RAM": ([fw.table(b"MCFG", MCFG_BASE, u64(RAM))],
                    r"PCI configuration space of segment 0 \(0x8000000, 262144 KiB\) overlaps RAM at 0x100000"),
    "ECAM misaligned": ([fw.table(b"MCFG", MCFG_BASE, u64(ECAM + 0x1000))],
                        r"ACPI table MCFG puts the configuration space of segment 0 at 0xb0001000"),
    "ECAM over the local APIC": ([fw.table(b"MCFG", MCFG_BASE, u64(0xf0000000))],
                                 r"PCI configuration space of segment 0 \(0xf0000000, 262144 KiB\) overlaps the interrupt window at 0xfee00000"),
    "ECAM over a VT-d unit": ([fw.table(b"MCFG", MCFG_BASE, u64(0xf0000000)), fw.table(b"MCFG", MCFG_BUSES, b"\xed\xed")],
                              r"PCI configuration space of segment 0 .* overlaps a VT-d unit at 0xfed90000"),
    "ECAM beyond the address width": ([fw.table(b"MCFG", MCFG_BASE, u64(1 << 56))],
                                      r"PCI configuration space at 0x100000000000000 cannot be mapped"),
    "IOMMU in RAM": ([fw.table(b"DMAR", UNIT_REGISTERS, u64(RAM))],
                     r"the registers of the IOMMU at 0x8000000 could not be mapped"),
    "IOMMU misaligned": ([fw.table(b"DMAR", UNIT_REGISTERS, u64(VTD + 8))],
                         r"ACPI table DMAR, structure at offset 48: the register base of a remapping unit is not page aligned"),
    "IOMMU at zero": ([fw.table(b"DMAR", UNIT_REGISTERS, u64(0))],
                      r"none of the IOMMUs that the firmware describes is there"),
    "IOMMU where there is none": ([fw.table(b"DMAR", UNIT_REGISTERS, u64(0xfd000000))],
                                  r"the IOMMU at 0xfd000000 cannot translate DMA \(CAP\.SAGAW is 0\)"),
    "IOMMU over the local APIC": ([fw.table(b"DMAR", UNIT_REGISTERS, u64(LOCAL_APIC))],
                                  r"the IOMMU at 0xfee00000 cannot translate DMA \(CAP\.SAGAW is 0\)"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_tables(guest, hello_dma, name):
    patches, sentence = REFUSALS[name]
    ran = fw.patched(guest, hello_dma, patches, devices=["edu"], trace=TRACE).run()
    assert "patch: done" in ran.serial and "does not apply" not in ran.serial, ran.log
    assert_refused(ran, sentence)
