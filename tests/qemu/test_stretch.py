# SPDX-License-Identifier: BSD-2-Clause
"""No call holds the machine: what the kernel does without letting timers and other threads in stays
below a bound, counted in instructions."""

import pytest

import stretch
from variant import kernel_without


@pytest.fixture
def run(guest, payload):
    """run(case, ...) runs cases of the payload, one instruction a nanosecond."""
    def run_cases(*cases, **options):
        return guest(payload("stretch", "musl"), devices=["edu"], args=["guest", *cases], icount=0, stretch=True,
                     timeout=600, **options).run()
    return run_cases


def test_calls(run):
    ran = run("file_io", "links", "mincore_of_nothing", "pagemap", memory="1G")
    assert ran.status == 0, ran.log
    assert not stretch.too_long(ran.stretches), stretch.too_long(ran.stretches)


@pytest.mark.parametrize("cases", [
    ["large_map", "populate", "small_pages", "shared_file", "scattered_file", "vectors", "randomness"],
    ["many_mappings", "many_stacks", "mapped_often", "many_descriptors", "leftovers"],
], ids=["pages", "mappings"])
def test_memory(run, cases):
    """Sized so that a loop without breaths, or one that counts too little, is above 1,000,000."""
    ran = run(*cases, memory="1G")
    assert ran.status == 0, ran.log
    limit = stretch.LIMIT // 2
    assert not stretch.too_long(ran.stretches, limit), stretch.too_long(ran.stretches, limit)


def test_crowds(guest, payload):
    """One event that thousands wait for, thousands of timers at one moment, thousands of files to close."""
    ran = guest(payload("crowds", "musl"), devices=["edu"], args=["guest"], icount=0, stretch=True, timeout=600,
                memory="1G").run()
    assert ran.status == 0, ran.log
    limit = stretch.LIMIT // 2
    assert not stretch.too_long(ran.stretches, limit), stretch.too_long(ran.stretches, limit)


def test_notices_a_loop_without_a_breath(run):
    deaf = kernel_without("deaf", [("kernel/file/ramfile.c", "ram_write", "breathe_after")])
    ran = run("file_io", kernel=deaf)
    assert ran.status == 0, ran.log
    long = stretch.too_long(ran.stretches)
    assert "user_copy" in long and "began in syscall_entry syscall_dispatch" in long, long
