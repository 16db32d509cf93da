# SPDX-License-Identifier: BSD-2-Clause
"""An independent reader of Intel VT-d tables, written from the specification (chapter 9,
translation structure formats, legacy mode) and sharing nothing with the kernel. It walks guest
physical memory from the root table on and yields what a device can really reach."""

import struct
from dataclasses import dataclass

RTADDR = 0x20  # register offset in the unit

PAGE = 4096
ADDRESS = 0x000F_FFFF_FFFF_F000
READ, WRITE = 1, 2
LARGE = 1 << 7
LEVELS = {1: 3, 2: 4, 3: 5}  # the context entry's address width field -> table levels


class TableError(Exception):
    """Tables that break a rule of the specification."""


@dataclass(frozen=True)
class Context:
    """One present context entry."""

    rid: int
    domain_id: int
    levels: int
    table: int


@dataclass(frozen=True, order=True)
class Leaf:
    """One mapping entry."""

    iova: int
    physical: int
    size: int
    permissions: int


class Walker:
    """`read(address, length)` returns guest physical memory as bytes."""

    def __init__(self, read, root):
        if root & 0xC00:
            raise TableError(f"root table address {root:#x} is not in legacy mode")
        self.read = read
        self.root = root & ADDRESS

    def page(self, address):
        return struct.unpack("<512Q", self.read(address, PAGE))

    def contexts(self):
        """Every present context entry, by requester id."""
        root = self.page(self.root)
        for bus in range(256):
            low, high = root[2 * bus], root[2 * bus + 1]
            if not low & 1:
                continue
            if low & 0xFFE or high:
                raise TableError(f"root entry {bus:#x} has reserved bits: {high:#x} {low:#x}")
            yield from self._context_table(bus, low & ADDRESS)

    def _context_table(self, bus, address):
        table = self.page(address)
        for devfn in range(256):
            low, high = table[2 * devfn], table[2 * devfn + 1]
            if not low & 1:
                continue
            name = f"context entry {bus:02x}:{devfn >> 3:02x}.{devfn & 7}"
            if low & 0xFF0 or high & ~0xFFFF7F:
                raise TableError(f"{name} has reserved bits: {high:#x} {low:#x}")
            if (low >> 2) & 3 != 0:
                raise TableError(f"{name} is not plain translation")
            if high & 7 not in LEVELS:
                raise TableError(f"{name}: address width {high & 7}")
            yield Context(bus << 8 | devfn, (high >> 8) & 0xFFFF, LEVELS[high & 7], low & ADDRESS)

    def leaves(self, context):
        """Every mapping of a context in ascending order."""
        yield from self._leaves(context.table, context.levels, 0)

    def _leaves(self, table, level, base):
        span = PAGE << (9 * (level - 1))
        for index, entry in enumerate(self.page(table)):
            iova = base + index * span
            if not entry & (READ | WRITE):
                if entry:
                    raise TableError(f"absent entry for {iova:#x} holds {entry:#x}")
            elif level == 1 or entry & LARGE:
                yield self._leaf(entry, iova, level, span)
            else:
                yield from self._leaves(entry & ADDRESS, level - 1, iova)

    @staticmethod
    def _leaf(entry, iova, level, span):
        if level > 3:
            raise TableError(f"leaf of {span:#x} bytes at {iova:#x}")
        physical = entry & ADDRESS
        if physical % span:
            raise TableError(f"leaf of {span:#x} bytes at {iova:#x} maps unaligned {physical:#x}")
        return Leaf(iova, physical, span, entry & (READ | WRITE))
