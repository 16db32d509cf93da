# SPDX-License-Identifier: BSD-2-Clause
"""How much a payload may pin: everything but the kernel's reserve, or what the configuration says."""

import re

import pytest

BDF = "0000:00:10.0"


def run(guest, payload, mode, interface="type1", devices=("edu",), **options):
    ran = guest(payload("memlock"), devices=list(devices), args=[mode, interface, BDF], **options).run()
    assert ran.status == 0, ran.log
    assert ran.report["memory"]["pins"] == 0 and ran.report["memory"]["orphans"] == 0
    assert "still charged" not in ran.serial, ran.log
    return ran


def test_no_limit(guest, payload):
    ran = run(guest, payload, "free")
    assert ran.output("memlock: ") == ["memlock: no limit"]
    assert "pinned or locked" not in ran.serial, ran.log


def test_all_memory_pinned(guest, payload):
    ran = run(guest, payload, "all", memory="96M")
    pages = int(re.search(r"memlock: (\d+) pages pinned", ran.serial)[1])
    free = ran.report["memory"]["frames_total"]
    assert free * 0.8 < pages < free, ran.log


def test_limit_is_named_when_it_refuses(guest, payload):
    """Once, with the numbers, however often it refuses."""
    ran = run(guest, payload, "limited", settings=[("memlock", "1M")])
    told = re.findall(r"warn  (\d+) more bytes cannot be pinned or locked: (\d+) are, and the limit is (\d+) "
                      r"\(the key 'memlock', setrlimit\)", ran.serial)
    assert told == [("2097152", "0", "1048576")], ran.log


@pytest.mark.parametrize("interface", ["type1", "iommufd"])
def test_a_refusal_costs_next_to_nothing(guest, payload, interface):
    """The limit is asked before memory is made: to clear 256 MiB takes 134 million instructions, and
    one MiB, a single step of it, half a million."""
    ran = run(guest, payload, "price", interface, ["edu", "edu,kernel.uio=yes,kernel.dma-memory=yes"],
              settings=[("memlock", "1M")], icount=0, memory="1G")
    prices = {call: int(ticks) for call, ticks in re.findall(r"^price: (\w+) (\d+)$", ran.serial, re.M)}
    assert prices.keys() == {"buffer", "map", "lock"}, ran.log
    assert all(ticks < 50000 for ticks in prices.values()), prices
