# SPDX-License-Identifier: BSD-2-Clause
"""Threads that do everything at once to the same memory, mappings and device, on a kernel that lets
others in at every step where it may: what one call is in the middle of, another finds."""

import os

import pytest

from variant import kernel_with

BDF = "0000:00:10.0"
CALLS = int(os.environ.get("BULKHEAD_STEPS", "100000")) // 25
SEED = os.environ.get("BULKHEAD_SEED", "1")


@pytest.fixture(scope="module")
def breathing():
    return kernel_with("breathing", [("kernel/cpu/thread.c", "BREATH_WORK", "1")])


@pytest.mark.parametrize("device", ["edu", "nvme"])
@pytest.mark.parametrize("interface", ["type1", "iommufd"])
@pytest.mark.parametrize("end", ["stay", "leave"])
def test_race(guest, payload, breathing, interface, device, end):
    ran = guest(payload("race", "musl"), devices=[device], args=[interface, BDF, SEED, str(CALLS), end],
                kernel=breathing, timeout=240 + CALLS // 50).run()
    assert ran.status == 0, ran.log
    assert end == "leave" or ran.output("race: ") == ["race: still there"], ran.log
    memory = ran.report["memory"]
    assert memory["pins"] == 0 and memory["orphans"] == 0, ran.log
