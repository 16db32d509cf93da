# SPDX-License-Identifier: BSD-2-Clause
"""log-level = debug: what a person wants to know who wonders why a program is refused something."""

import re

DEBUG = [("log-level", "debug")]


def test_settings_devices_and_refused_calls(guest, payload):
    ran = guest(payload("memlock"), devices=["edu"], args=["limited", "type1", "0000:00:10.0"], settings=DEBUG,
                config="# a remark\nmemlock = 1M\n").run()
    assert ran.status == 0, ran.log
    for line in (r"bulkhead\.conf: memlock = 1M", r"command line: .*log-level=.*", r"0000:00:10\.0: in use by \S+",
                 r"pci: 0000:00:10\.0 \(1234:11e8\), class 00ff00, group \d+", r"0000:00:10\.0: given back",
                 r"payload: thread 1: call 16\(0x[0-9a-f]+, 0x3b71, 0x[0-9a-f]+\): ENOMEM",
                 r"payload: thread 1: call 149\(0x[0-9a-f]+, 0x200000, 0x[0-9a-f]+\): ENOMEM"):
        assert re.search(rf"\] debug {line}$", ran.serial, re.MULTILINE), ran.log


def test_faults(guest, payload):
    ran = guest(payload("misbehave"), devices=["edu"], args=["read_null"], settings=DEBUG).run()
    assert re.search(r"\] debug payload: thread 1: page fault at rip 0x[0-9a-f]+, address 0x0: SIGSEGV$",
                     ran.serial, re.MULTILINE), ran.log


def test_silent_without(guest, payload):
    ran = guest(payload("memlock"), devices=["edu"], args=["limited", "type1", "0000:00:10.0"],
                settings=[("memlock", "1M")]).run()
    assert "] debug " not in ran.serial, ran.log
