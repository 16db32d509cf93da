# SPDX-License-Identifier: BSD-2-Clause
"""How much a payload may pin: everything but the kernel's reserve, or what the configuration says."""

import re

BDF = "0000:00:10.0"


def run(guest, payload, mode, **options):
    ran = guest(payload("memlock"), devices=["edu"], args=[mode, BDF], **options).run()
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
