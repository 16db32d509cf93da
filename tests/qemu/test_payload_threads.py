# SPDX-License-Identifier: BSD-2-Clause
"""Threads of musl and glibc in a guest, and every way a payload with sleeping threads can end. What
the kernel holds afterwards is what it holds after a program that did nothing."""

import pytest

LIBRARIES = ("musl", "glibc")


def left_behind(ran):
    """What the kernel still has in use at the end, as its report says."""
    memory = ran.report["memory"]
    assert memory["pins"] == 0 and memory["orphans"] == 0, ran.log
    return memory["heap_bytes"], memory["frames_total"] - memory["frames_free"]


@pytest.fixture(scope="module")
def threads(payload):
    return {library: payload("threads", library) for library in LIBRARIES}


@pytest.mark.parametrize("library", LIBRARIES)
def test_conformance(guest, threads, library):
    ran = guest(threads[library], args=["guest"], devices=["edu"]).run()
    assert ran.output("FAIL") == [], ran.log
    assert ran.status == 0, ran.log


@pytest.mark.parametrize("library", LIBRARIES)
def test_ends(guest, threads, library):
    ran = guest(threads[library], args=["guest", "no such case"], devices=["edu"]).run()
    assert ran.status == 1 and ran.output("FAIL") == ["FAIL no such case: no such case"], ran.log
    plain = left_behind(ran)
    ran = guest(threads[library], args=["exit-asleep"], devices=["edu"]).run()
    assert ran.status == 5, ran.log
    assert left_behind(ran) == plain
    ran = guest(threads[library], args=["exit-from-thread"], devices=["edu"]).run()
    assert ran.status == 7, ran.log
    assert left_behind(ran) == plain
    ran = guest(threads[library], args=["main-leaves"], devices=["edu"]).run()
    assert ran.status == 0, ran.log
    assert ran.output("the last thread is still here"), ran.log
    assert left_behind(ran) == plain


def test_killed_asleep(guest, threads):
    ran = guest(threads["musl"], args=["killed-asleep"], devices=["edu"]).run()
    end = ran.report["exit"]
    assert (end["reason"], end["signal"]) == ("killed", 11), ran.log
    assert end["sentence"] == "write to 0x10: nothing is mapped there"
    block = [line for line in ran.serial.splitlines() if "payload:" in line]
    assert block[-1].endswith(f"error payload: ended by SIGSEGV: write to 0x10: nothing is mapped there "
                              f"(signal 11, thread 1 (payload.elf), rip {end['rip']})"), ran.log
    assert "rip" in block[0] and "rax" in block[1], ran.log


def test_time_limit(guest, threads):
    """A program that only spins ends, too, and one that needs less than its time ends by itself."""
    ran = guest(threads["musl"], args=["guest", "preemption", "preemption"], devices=["edu"],
                settings=[("payload-timeout", "1")], icount=4).run()
    assert ran.status == 0, ran.log
    ran = guest(threads["musl"], args=["spin"], devices=["edu"], settings=[("payload-timeout", "1")], icount=4).run()
    assert ran.report["exit"]["reason"] == "timeout", ran.log
