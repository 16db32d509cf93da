# SPDX-License-Identifier: BSD-2-Clause
"""A payload that takes all there is gets an error, not the machine; and gives it all back."""

import re

import pytest

SLACK = 256 << 10  # what the kernel's heap keeps for next time


def left_behind(ran):
    memory = ran.report["memory"]
    return memory["heap_bytes"], memory["frames_total"] - memory["frames_free"]


@pytest.fixture(scope="module")
def hog(payload):
    return payload("hog", "musl")


@pytest.mark.parametrize("what", ["memory", "file", "shared", "files", "watches", "names"])
def test_hog(guest, hog, what):
    plain = guest(hog, args=["guest", "nothing"], devices=["edu"], memory="96M").run()
    assert plain.status == 2, plain.log
    ran = guest(hog, args=["guest", what], devices=["edu"], memory="96M").run()
    assert ran.status == 0, ran.log
    before, after = map(int, re.search(r"free before (\d+), after (\d+)", ran.serial).groups())
    assert what == "memory" or after >= before - SLACK, ran.log
    assert left_behind(ran) == left_behind(plain), ran.log


WINDOW, ELSEWHERE, CANARY = (0x14000000, 0x4000000), (0x8000000, 0xc000000), 0x1f000000


def test_memory_window(guest, hello_dma):
    """All memory that is handed out comes from the window; what is between the kernel and the window stays untouched."""
    one = guest(hello_dma, devices=["edu"], canaries=(CANARY,), settings=[("memory", f"{WINDOW[0]:#x}+{WINDOW[1]:#x}")])
    ran = one.run()
    assert ran.status == 0, ran.log
    assert 0.9 * WINDOW[1] < ran.report["memory"]["frames_total"] * 4096 <= WINDOW[1]
    assert not any(ran.read_memory(*ELSEWHERE))
    assert any(ran.read_memory(*WINDOW))
    assert ran.canaries_touched() == []
