# SPDX-License-Identifier: BSD-2-Clause
"""Random system calls from several threads: the kernel lives, keeps nothing, and serves on."""

import os

import pytest

STEPS = int(os.environ.get("BULKHEAD_STEPS", "100000"))
SEEDS = (1, 2, 3, 4)


def left_behind(ran):
    memory = ran.report["memory"]
    assert memory["pins"] == 0 and memory["orphans"] == 0, ran.log
    return memory["heap_bytes"], memory["frames_total"] - memory["frames_free"]


@pytest.mark.parametrize("seed", SEEDS)
def test_fuzz(guest, payload, seed):
    program = payload("fuzz_calls", "musl")
    plain = guest(program, args=["guest", str(seed), "0"], devices=["edu"]).run()
    assert plain.status == 0, plain.log
    calls = STEPS // len(SEEDS)
    ran = guest(program, args=["guest", str(seed), str(calls)], devices=["edu"], timeout=180 + calls // 1000).run()
    assert ran.status == 0, ran.log
    assert ran.output("fuzz_calls: ")[-1].endswith("alive"), ran.log
    assert left_behind(ran) == left_behind(plain)
