# SPDX-License-Identifier: BSD-2-Clause
"""Memory in a guest: machines of every size, CPUs without large pages, and nothing left behind."""

import pytest

EVERYTHING = [["guest"], ["guest", "munmap_refusals"]]


@pytest.mark.parametrize("memory", ["5M", "16M", "1G", "3G", "6G"])
def test_sizes(guest, payload, memory):
    ran = guest(payload("memory", "musl"), args=["guest", "faults"], devices=["edu"], memory=memory).run()
    assert ran.status == 0, ran.log


@pytest.mark.parametrize("cpu", ["qemu64", "max"])
def test_cpus(guest, payload, cpu):
    """qemu64 has no pages of 1 GiB, so the direct map and the payload's own use smaller ones."""
    ran = guest(payload("memory", "musl"), args=["guest"], devices=["edu"], memory="3G", cpu=cpu).run()
    assert ran.status == 0, ran.log


def test_nothing_is_left(guest, payload):
    """After every case the machine has the frames that it has after the smallest one."""
    left = []
    for args in EVERYTHING:
        ran = guest(payload("memory", "musl"), args=args, devices=["edu"], memory="512M").run()
        assert ran.status == 0, ran.log
        left.append(ran.report["memory"])
    assert left[0] == left[1]
    assert left[0]["orphans"] == left[0]["pins"] == 0
