# SPDX-License-Identifier: BSD-2-Clause
"""An invalidation queue that dies while the guest runs, because the test breaks it through the unit's
registers: the unit is fenced, its device loses bus mastering, and memory the unit may still reach is
never handed out again."""

import re

import pytest

from gdb import Gdb
from test_iommu_walker import BAIT, UNIT, Memory, wait_for_control
from variant import kernel_without
from vtd_walker import RTADDR, Walker

BDF = "0000:00:10.0"
BUFFER, PAGES, PAGE = 0x20000000, 16, 4096
GCMD, GSTS, IQA = 0x18, 0x1c, 0x90
QUEUE_ON, ONE_SHOT = 1 << 26, 1 << 24 | 1 << 27 | 1 << 30
NOT_RAM = 0x7000000000
MARK = b"\xa5"


def switch_queue(ran, gdb, on):
    status = int.from_bytes(ran.qmp.read_physical(UNIT + GSTS, 4), "little") & ~(ONE_SHOT | QUEUE_ON)
    gdb.write(UNIT + GCMD, status | (QUEUE_ON if on else 0), 4)


def silence(ran, gdb):
    """Nothing that is queued is looked at any more."""
    switch_queue(ran, gdb, False)


def misplace(ran, gdb):
    """The unit can read no request: it reports an error for each."""
    switch_queue(ran, gdb, False)
    gdb.write(UNIT + IQA, NOT_RAM, 8)
    switch_queue(ran, gdb, True)


# how it dies -> (interface, breakage, what is said of it)
DEATHS = {"silent": ("type1", silence, "its invalidation queue did not answer"),
          "misplaced": ("iommufd", misplace, "its invalidation queue refused a request")}


def frames_of(ran, memory):
    """The physical pages of the buffer."""
    root = int.from_bytes(ran.qmp.read_physical(UNIT + RTADDR, 8), "little")
    walker = Walker(memory.read, root)
    leaves = [leaf for context in walker.contexts() for leaf in walker.leaves(context)
              if BUFFER <= leaf.iova < BUFFER + PAGES * PAGE]
    return [leaf.physical + at for leaf in leaves for at in range(0, leaf.size, PAGE)]


def masters(ran):
    """The bus-master bit, each time the device's command register was written."""
    found = re.findall(r"pci_cfg_write edu 00:10.0 @0x4 <- (0x[0-9a-f]+)$", "\n".join(ran.trace), re.MULTILINE)
    return [bool(int(value, 16) & 4) for value in found]


def run(guest, payload, death, **options):
    """(the run, what is in the frames of the buffer when the payload has taken all memory)"""
    interface, breakage, _ = DEATHS[death]
    ran = guest(payload("fenced"), devices=["edu"], args=[interface, BDF], qmp=True, canaries=(BAIT,), memory="192M",
                trace=("pci_cfg_write",), **options)
    ran.command += ["-gdb", f"unix:{ran.short.name}/gdb,server=on,wait=off"]
    ran.start()
    memory = Memory(ran)
    control = wait_for_control(ran, memory)
    ran.wait_until(lambda: memory.word(control) == 1, "its turn")
    frames = frames_of(ran, memory)
    assert len(frames) == PAGES
    with Gdb(f"{ran.short.name}/gdb") as gdb:
        breakage(ran, gdb)
    memory.write_word(control + 8, 1)
    ran.wait_until(lambda: memory.word(control) == 2, "the hoard")
    held = b"".join(memory.read(frame, PAGE) for frame in frames)
    memory.write_word(control + 8, 2)
    return ran.wait(), held


@pytest.mark.parametrize("death", DEATHS)
def test_memory_is_not_reused(guest, payload, death):
    ran, held = run(guest, payload, death)
    reason = DEATHS[death][2]
    assert ran.status == 0, ran.log
    assert ran.output("fenced: ") == ["fenced: before: written", "fenced: unmap: I/O error", "fenced: after: untouched",
                                      "fenced: map: I/O error", "fenced: munmap: ok"], ran.log
    # The payload got all memory there was, but not this.
    assert held == MARK * len(held)
    assert masters(ran).count(True) == 1 and masters(ran)[-1] is False
    assert f"iommu0 fenced: {reason}; its devices are stopped and their memory is not reused" in ran.serial
    assert "did not confirm that iova 0x20000000-0x2000ffff is unmapped: the memory stays pinned for ever" in ran.serial
    unit = ran.report["iommu"]["units"][0]
    assert unit["fenced"] and unit["fence_reason"] == reason
    assert unit["table_pages_stranded"] > 0
    # The buffer, the page whose mapping failed, and the control page outlive the payload.
    assert ran.report["memory"]["pins"] == ran.report["memory"]["orphans"] == PAGES + 2


def test_without_the_stop_it_lands(guest, payload):
    """The unit goes on translating from its cache: only the lost bus mastering keeps the device out."""
    kernel = kernel_without("fence-without-stop", [("kernel/iommu/unit.c", "unit_fence", "pci_stop_senders")])
    ran, held = run(guest, payload, "silent", kernel=kernel)
    assert "fenced: after: written" in ran.output("fenced: ") and held != MARK * len(held)
