# SPDX-License-Identifier: BSD-2-Clause
"""Every fault reason that QEMU can produce, on pages nobody has used before: edu makes one access, after
the IOMMU's tables were damaged from outside. It is refused, counted once, and told in words."""

import re

import pytest

from gdb import Gdb
from test_iommu_walker import BAIT, RID, UNIT, Memory, wait_for_control
from vtd_walker import ADDRESS, RTADDR

BDF = "0000:00:10.0"
PAGES, LARGE = 0x20000000, 0x20200000
# Physical pages of the same numbers: where untranslated DMA would land.
CANARIES = (BAIT, PAGES, PAGES + 0x1000, PAGES + 0x2000, PAGES + 0x5000, LARGE)
NOT_RAM = 0x7000000000  # within the host's width
GCMD, GSTS, SET_ROOT = 0x18, 0x1c, 1 << 30


class Tables:
    """Where the entries are that translate for the device, and a way to damage and mend them."""

    def __init__(self, ran, memory):
        self.ran, self.memory, self.before = ran, memory, {}
        self.root = int.from_bytes(ran.qmp.read_physical(UNIT + RTADDR, 8), "little") & ADDRESS
        self.root_entry = self.root + (RID >> 8) * 16
        self.context = (memory.word(self.root_entry) & ADDRESS) + (RID & 0xff) * 16

    def entry(self, iova, level):
        """The address of the entry for an IOVA in the table of a level, 4 to 1."""
        table = self.memory.word(self.context) & ADDRESS
        for above in range(4, level, -1):
            table = self.memory.word(table + (iova >> (3 + 9 * above) & 511) * 8) & ADDRESS
        return table + (iova >> (3 + 9 * level) & 511) * 8

    def change(self, address, clear=0, put=0):
        self.before[address] = self.memory.word(address)
        self.memory.write_word(address, self.before[address] & ~clear | put)

    def mend(self):
        for address, word in self.before.items():
            self.memory.write_word(address, word)

    def load_root(self, address):
        """Through the unit's registers, as the kernel would."""
        with Gdb(f"{self.ran.short.name}/gdb") as gdb:
            status = int.from_bytes(self.ran.qmp.read_physical(UNIT + GSTS, 4), "little")
            gdb.write(UNIT + RTADDR, address, 8)
            gdb.write(UNIT + GCMD, status | SET_ROOT, 4)


def nothing(tables):
    """The tables are right; the request is not."""


def root_absent(tables):
    tables.change(tables.root_entry, clear=1)


def context_absent(tables):
    tables.change(tables.context, clear=1)


def width_unknown(tables):
    tables.change(tables.context + 8, clear=7, put=3)


def type_reserved(tables):
    tables.change(tables.context, put=3 << 2)


def top_table_outside(tables):
    tables.change(tables.context, clear=ADDRESS, put=NOT_RAM)


def next_table_outside(tables):
    tables.change(tables.entry(PAGES, 2), clear=ADDRESS, put=NOT_RAM)


def root_table_outside(tables):
    tables.load_root(NOT_RAM)


def context_table_outside(tables):
    tables.change(tables.root_entry, clear=ADDRESS, put=NOT_RAM)


def root_reserved(tables):
    tables.change(tables.root_entry, put=1 << 4)


def context_reserved(tables):
    tables.change(tables.context + 8, put=1 << 7)


def leaf(bit):
    return lambda tables: tables.change(tables.entry(PAGES, 1), put=1 << bit)


def large_leaf_misaligned(tables):
    tables.change(tables.entry(LARGE, 2), put=0x1000)


READ, WRITE = "read", "write"
NO_READ, NO_WRITE, RESERVED = "no read permission", "no write permission", "reserved bits in a page-table entry"
# name -> (damage, access, IOVA, reason, words)
CASES = {
    "root entry absent": (root_absent, WRITE, PAGES, 1, "the root entry is not present"),
    "context entry absent": (context_absent, WRITE, PAGES, 2, "the device has no context entry"),
    "unknown width": (width_unknown, WRITE, PAGES, 3, "the context entry is invalid"),
    "reserved type": (type_reserved, WRITE, PAGES, 3, "the context entry is invalid"),
    "top table outside memory": (top_table_outside, WRITE, PAGES, 3, "the context entry is invalid"),
    "beyond the width": (nothing, WRITE, 1 << 48 | PAGES, 4, "the address is beyond the domain's width"),
    "write to nothing": (nothing, WRITE, PAGES + 0x5000, 5, NO_WRITE),
    "write to a page for reading": (nothing, WRITE, PAGES + 0x1000, 5, NO_WRITE),
    "read of nothing": (nothing, READ, PAGES + 0x5000, 6, NO_READ),
    "read of a page for writing": (nothing, READ, PAGES + 0x2000, 6, NO_READ),
    "next table outside memory": (next_table_outside, WRITE, PAGES, 7, "the next page table could not be read"),
    "root table outside memory": (root_table_outside, WRITE, PAGES, 8, "the root table could not be read"),
    "context table outside memory": (context_table_outside, READ, PAGES, 9, "the context table could not be read"),
    "reserved bits in the root": (root_reserved, READ, PAGES, 0xa, "reserved bits in the root entry"),
    "reserved bits in the context": (context_reserved, READ, PAGES, 0xb, "reserved bits in the context entry"),
    "reserved bit 11 in a leaf": (leaf(11), WRITE, PAGES, 0xc, RESERVED),
    "reserved bit 62 in a leaf": (leaf(62), WRITE, PAGES, 0xc, RESERVED),
    "a leaf beyond the host": (leaf(50), READ, PAGES, 0xc, RESERVED),
    "a large leaf misaligned": (large_leaf_misaligned, WRITE, LARGE, 0xc, RESERVED),
}


def one_access(guest, payload, damage, access, iova):
    """One run: damage, one access, mending."""
    ran = guest(payload("cold"), devices=["edu"], args=[BDF, access, hex(iova)], qmp=True, canaries=CANARIES, memory="1G",
                trace=("vtd_*",))
    ran.command += ["-gdb", f"unix:{ran.short.name}/gdb,server=on,wait=off"]
    ran.start()
    memory = Memory(ran)
    control = wait_for_control(ran, memory)
    ran.wait_until(lambda: memory.word(control) == 1, "its turn")
    tables = Tables(ran, memory)
    damage(tables)
    memory.write_word(control + 8, 1)
    ran.wait_until(lambda: memory.word(control) == 2, "the access")
    tables.mend()
    memory.write_word(control + 8, 2)
    return ran.wait()


@pytest.mark.parametrize("name", CASES)
def test_reason(guest, payload, name):
    damage, access, iova, reason, words = CASES[name]
    ran = one_access(guest, payload, damage, access, iova)
    assert ran.status == 0 and ran.output("cold: ") == ["cold: untouched"], ran.log
    seen = [line for line in ran.trace if "vtd_dmar_fault" in line]
    assert seen and f"sid 0x80 fault {reason} addr {iova:#x} write {int(access == WRITE)}" in seen[0], (seen, ran.log)
    faults = ran.report["iommu"]["faults"]
    assert faults["count"] == 1 and faults["devices"] == [{"requester": BDF, "count": 1, "threshold_reached": False}]
    told = "write to" if access == WRITE else "read of"
    number = f"{reason:#x}" if reason > 9 else reason
    text = f"{BDF} {told} {iova:#x} refused: reason {number}, {words}"
    assert faults["recent"][0]["text"] == text and faults["recent"][0]["reason"] == reason
    assert len(re.findall(re.escape(text), ran.serial)) == 1, ran.log
    assert ran.canaries_touched() == []
    assert ran.report["memory"]["pins"] == 0


def silenced(tables):
    tables.change(tables.context, clear=1, put=2)


def test_a_silenced_device_is_refused_without_a_record(guest, payload):
    ran = one_access(guest, payload, silenced, WRITE, PAGES)
    assert ran.status == 0 and ran.output("cold: ") == ["cold: untouched"], ran.log
    assert ran.report["iommu"]["faults"]["count"] == 0
