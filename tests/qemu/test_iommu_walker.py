# SPDX-License-Identifier: BSD-2-Clause
"""The tables as the hardware sees them, against what the payload asked for: a payload maps, unmaps, copies
and replaces at random, lets edu read and write through what is there and what has gone, and after every
step a walker that shares nothing with the kernel reads the tables from guest memory. What a translation
leads to is judged by the page itself, which carries its number."""

import mmap
import os
import struct

import pytest

from bulkhead.line import file_offset
from vtd_walker import RTADDR, Leaf, TableError, Walker

UNIT = 0xFED90000
PAGE = 4096
RID = 0x10 << 3
CONTROL = 0x10000000
TAG = 0x5741 << 48
BAIT = 0x8000000  # nobody's page; it also makes the guest's memory a file


class Memory:
    """The guest's RAM while it runs."""

    def __init__(self, ran):
        self.size = ran.memory_size
        with open(ran.folder / "memory.img", "r+b") as image:
            self.view = mmap.mmap(image.fileno(), 0)

    def read(self, address, length):
        at = file_offset(address, self.size)
        return self.view[at:at + length]

    def word(self, address):
        return struct.unpack("<Q", self.read(address, 8))[0]

    def write_word(self, address, value):
        at = file_offset(address, self.size)
        self.view[at:at + 8] = struct.pack("<Q", value)


def walk(ran, memory):
    """Every leaf of the device, in order; nobody else may have any."""
    root = struct.unpack("<Q", ran.qmp.read_physical(UNIT + RTADDR, 8))[0]
    walker = Walker(memory.read, root)
    contexts = list(walker.contexts())
    assert [context.rid for context in contexts] == [RID]
    return list(walker.leaves(contexts[0]))


class Wanted:
    """What the operations that the payload told of make: of each space {iova: (page number, permissions)}."""

    def __init__(self):
        self.spaces, self.used, self.seen = {}, None, 0

    def follow(self, lines):
        """Takes the lines that have come since; gives the pages of the space that the device goes through."""
        for line in lines[self.seen:]:
            operation, *words = line.split()[1:]
            if operation == "use":
                self.used = words[0]
            elif operation in ("map", "unmap"):
                pages = self.spaces.setdefault(words[0], {})
                iova, numbers = int(words[1], 16), [int(word) for word in words[2:]]
                if operation == "map":
                    first, count, permissions = numbers
                    pages.update({iova + i * PAGE: (first + i, permissions) for i in range(count)})
                else:
                    for i in range(numbers[0]):
                        del pages[iova + i * PAGE]
        self.seen = len(lines)
        return self.spaces.get(self.used, {})


def found_pages(leaves, memory):
    found = {}
    for leaf in leaves:
        for at in range(0, leaf.size, PAGE):
            if leaf.iova + at != CONTROL:
                tag = memory.word(leaf.physical + at)
                assert tag & TAG == TAG, f"IOVA {leaf.iova + at:#x} leads to a page of somebody else: {tag:#x}"
                found[leaf.iova + at] = (tag & ~TAG & 0xFFFFFFFF, leaf.permissions)
    return found


def wait_for_control(ran, memory):
    """Physical address of the control page, once it is mapped."""
    found = []

    def mapped():
        root = struct.unpack("<Q", ran.qmp.read_physical(UNIT + RTADDR, 8))[0]
        if not root:
            return False
        try:  # the kernel is still at work on the tables
            walker = Walker(memory.read, root)
            found[:] = [leaf.physical + CONTROL - leaf.iova for context in walker.contexts()
                        for leaf in walker.leaves(context) if leaf.iova <= CONTROL < leaf.iova + leaf.size]
        except TableError:
            return False
        return bool(found)
    ran.wait_until(mapped, "the control page")
    return found[0]


KINDS = [("type1", ""), ("type1", "aw-bits=39"), ("iommufd", ""), ("iommufd", "caching-mode=on")]


@pytest.mark.parametrize("interface,iommu", KINDS)
def test_tables_and_dma_are_what_was_asked_for(guest, payload, interface, iommu):
    steps = max(1, int(os.environ.get("BULKHEAD_ROUNDS", "500")) // 5)
    seed = os.environ.get("BULKHEAD_SEED", "4711")
    ran = guest(payload("walk"), devices=["edu"], args=[interface, "0000:00:10.0", str(steps), seed], iommu=iommu,
                canaries=(BAIT,), qmp=True, icount=8, settings=[("fault-threshold", "1000000000")],
                timeout=180 + steps).start()
    memory = Memory(ran)
    control = wait_for_control(ran, memory)
    sizes, wanted = set(), Wanted()
    for step in range(1, steps + 1):
        ran.wait_until(lambda: memory.word(control) == step, f"step {step} of seed {seed}")
        leaves = walk(ran, memory)
        sizes |= {leaf.size for leaf in leaves}
        assert found_pages(leaves, memory) == wanted.follow(ran.output("walk: ")), f"step {step} of seed {seed}"
        memory.write_word(control + 8, step)
    ran.wait()
    assert ran.status == 0, ran.log
    assert sizes == {PAGE, 2 << 20}
    assert ran.canaries_touched() == []
    assert ran.report["memory"]["pins"] == 0 and ran.report["memory"]["orphans"] == 0


def test_the_comparison_can_fail():
    page = {0x1000: struct.pack("<Q", TAG | 7)}

    class Fake:
        def word(self, address):
            return struct.unpack("<Q", page.get(address, bytes(8)))[0]

    def wanted(*lines):
        return Wanted().follow([f"walk: {line}" for line in ("use 0", *lines)])
    assert found_pages([Leaf(0x5000, 0x1000, PAGE, 3)], Fake()) == wanted("map 0 5000 7 1 3")
    assert found_pages([Leaf(0x5000, 0x1000, PAGE, 1)], Fake()) != wanted("map 0 5000 7 1 3")
    assert found_pages([Leaf(0x5000, 0x1000, PAGE, 3)], Fake()) != wanted("map 1 5000 7 1 3")
    assert found_pages([], Fake()) == wanted("map 0 5000 7 1 3", "unmap 0 5000 1")
    assert found_pages([], Fake()) != wanted("map 0 5000 7 1 3")
    with pytest.raises(AssertionError):
        found_pages([Leaf(0x5000, 0x2000, PAGE, 3)], Fake())
