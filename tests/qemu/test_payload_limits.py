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
