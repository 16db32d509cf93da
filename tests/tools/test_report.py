# SPDX-License-Identifier: BSD-2-Clause
"""The table that reports are held against (tests/qemu/report_format.py): it and docs/report.md know
the same members, and it refuses what it has to."""

import copy
import json
import pathlib
import re
import sys

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests/qemu"))

import report_format  # noqa: E402

PAGE = ((TOP / "docs/report.md").read_text()).partition("## The stream")[0]  # the other thing that the page is about
REASONS = set(report_format.END.kinds)

LEAVES = {"4K": 1, "2M": 0, "1G": 0}
LATENCY = {"samples": 3, "min": 1, "mean": 2, "max": 4, "histogram": {"2^0": 1, "2^1": 2}}
UNIT = {
    "index": 0, "registers": "0xfed90000", "segment": 0, "version": "1.0", "cap": "0xd2008c222f0606", "ecap": "0x0",
    "capabilities": {**dict.fromkeys(("levels", "address_bits", "domains", "fault_records", "max_address_mask"), 4),
                     "largest_leaf": "1G",
                     **dict.fromkeys(("page_selective", "coherent", "snoop_control", "caching_mode",
                                      "write_buffer_flush", "queued_invalidation", "interrupt_remapping",
                                      "extended_interrupts", "device_tlb"), True)},
    "translating": True, "remapping_interrupts": True, "faults_ignored": False, "fenced": False, "interrupt_entries_used": 0,
    "table_pages_used": 0, "table_pages_stranded": 0, "leaves_made": LEAVES, "domains": [],
    "invalidations": {**dict.fromkeys((*report_format.KINDS, "waits", "wait_ns_total", "wait_ns_max", "queue_errors",
                                       "time_outs", "completion_errors"), 0), "latency_ns": {"context": LATENCY}},
}
GOOD = {
    "format": 2, "version": "1", "door": "pvh",
    "time": {"tsc_hz": 1, "tsc_source": "pit", "steps": [{"step": "start", "end_ns": 1}, {"step": "stop", "end_ns": 2}]},
    "memory": {"frames_total": 2, "frames_free": 1, "orphans": 0, "pins": 0, "heap_bytes": 0},
    "iommu": {"units": [UNIT], "past_domains": [], "past_domains_truncated": 0,
              "snapshot": {"taken": "report", "time_ns": 1, "domains_truncated": 0},
              "faults": {"count": 0, "devices": [], "devices_truncated": 0, "overflows": 0, "strangers": 0, "recent": []}},
    "groups": [{"id": 0, "devices": [{"address": "0000:00:10.0", "id": "1234:11e8", "class": "0xff0010",
                                      "assigned": True}]}],
    "assigned": ["0000:00:10.0"], "interrupts": {"devices": 0, "stray": 0, "nmi": 0, "thread_switches": 0},
    "console": {"stalls": 0, "lost_bytes": 0},
    "lives": {"restarts": 0, "ended": [{"number": 1, "reason": "payload", "status": 0, "ended_ns": 7, "frames_free": 1, "orphans": 0,
                                        "pins": 0, "heap_bytes": 1, "domain_ids": 1, "interrupt_entries": 0, "table_pages": 0, "vectors": 2}]},
    "exit": {"reason": "payload", "status": 0},
}
BAD = {
    # where in GOOD -> what is there instead (None: nothing)
    "format": None, "new": 1, "door": "bios", "time.steps.0.step": "find", "time.steps.1.step": "run",
    "time.steps.1.end_ns": 0, "memory.pins": -1, "lives.ended.0.status": 256, "lives.ended.0.reason": "panic", "lives.no_restart": "", "memory.heap_bytes": True, "memory.frames_free": 3,
    "iommu.units.0.registers": "0xFED90000", "iommu.units.0.fenced": True, "iommu.units.0.fence_reason": "why",
    "iommu.units.0.leaves_made.8K": 1, "iommu.units.0.invalidations.latency_ns.context.histogram.2^1": 1,
    "iommu.units.0.invalidations.latency_ns.context.histogram.2^5": 0,
    "iommu.units.0.invalidations.latency_ns.context.min": 3, "iommu.units": {}, "iommu.faults.devices":
    [{"requester": "0000:00:10.0", "count": 1, "threshold_reached": False}], "groups.0.devices.0.assigned": False,
    "groups.0.devices.0.address": "0000:00:20.0", "exit.status": 256, "exit.reason": "boredom", "exit.signal": 9,
    "exit.sentence": "why",
}


def test_good():
    report_format.check(json.dumps(GOOD))


@pytest.mark.parametrize("where", BAD)
def test_bad(where):
    report = copy.deepcopy(GOOD)
    *path, last = (int(word) if word.isdigit() else word for word in where.split("."))
    inner = report
    for word in path:
        inner = inner[word]
    if BAD[where] is None:
        del inner[last]
    else:
        inner[last] = BAD[where]
    with pytest.raises(report_format.Wrong):
        report_format.check(json.dumps(report))


def test_a_member_twice():
    with pytest.raises(report_format.Wrong, match="twice"):
        report_format.check(json.dumps(GOOD)[:-1] + ', "door": "pvh"}')


def test_the_page_tells_all_members():
    told = set(re.findall(r"[\w^-]+", " ".join(re.findall(r"`([^`]*)`", PAGE))))
    assert not (report_format.member_names() | REASONS) - told


def test_the_page_tells_no_others():
    first_cells = "".join(line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `"))
    assert not set(re.findall(r"`([^`]*)`", first_cells)) - report_format.member_names() - REASONS
