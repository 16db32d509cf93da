# SPDX-License-Identifier: BSD-2-Clause
"""Configurations that mean nothing, on a whole machine; each message itself is tested on the host."""

import pytest

from bad_input import TRACE, assert_refused
from conftest import make

# text of bulkhead.conf -> the sentence
FILES = {
    "devise = 00:10.0\n": r"bulkhead\.conf:1: unknown key 'devise', the nearest known key is 'device'",
    "# fine\nmemlock = 1M\n\nmemlok = 2M\n": r"bulkhead\.conf:4: unknown key 'memlok', the nearest known key is 'memlock'",
    "memlock\n": r"bulkhead\.conf:1: no '=' behind 'memlock', the nearest known key is 'memlock'",
    "memlock = many\n": r"bulkhead\.conf:1: memlock: must be a size from 0 to 1024T or unlimited",
    "memory-limit = 1M\n": r"bulkhead\.conf:1: memory-limit: size out of range, must be from 32M to 1024T or all",
    "memlock = 1M\nmemlock = 1M\n": r"bulkhead\.conf:2: memlock: given twice",
    "device = 00:10.9\n": r"bulkhead\.conf:1: device: must be BB:DD\.F, .*",
    "device = 00:10.0 speed=high\n": r"bulkhead\.conf:1: device: unknown option 'speed', the nearest known option is '.*'",
    "on-exit = explode\n": r"bulkhead\.conf:1: on-exit: must be restart-payload, halt, restart or poweroff",
    "on-restart-limit = restart-payload\n": r"bulkhead\.conf:1: on-restart-limit: must be halt, restart or poweroff",
    "invalidation-queue = 128\n": r"bulkhead\.conf:1: invalidation-queue: .*256 to 32768",
    "invalidation-queue = 300\n": r"the IOMMU invalidation queue must have 256 to 32768 entries, a power of two",
    "interrupt-entries = 65535\n": r"the interrupt-remapping table must have 256 to 65536 entries, a power of two",
    "arg = \"open\n": r"bulkhead\.conf:1: arg: a double quote is not closed",
    "\0\1\2\3\n": r"bulkhead\.conf:1: control character",
    "keep-out = 0xfffffffffffff000+8K\n": r"bulkhead\.conf:1: keep-out: must be base\+size .*",
    "keep-out = 2M+1M\n": r"keep-out range 0x200000 covers the kernel image",
    "keep-out = 0+4G\n": r"keep-out range 0x0 covers the kernel image",
}


@pytest.mark.parametrize("text", FILES)
def test_file(guest, hello_dma, text):
    ran = guest(hello_dma, config=text, trace=TRACE).run()
    assert_refused(ran, FILES[text])


def test_file_by_uefi(guest, hello_dma):
    make("build/bulkhead.efi")
    ran = guest(hello_dma, firmware="uefi", config="devise = 00:10.0\n", trace=TRACE).run()
    assert_refused(ran, r"bulkhead\.conf:1: unknown key 'devise', the nearest known key is 'device'")


def test_command_line(guest, hello_dma):
    ran = guest(hello_dma, settings=[("log-level", "info"), ("memlok", "1")], trace=TRACE).run()
    assert_refused(ran, r"command line, word 5: unknown key 'memlok', the nearest known key is 'memlock'")


def test_long_command_line(guest, hello_dma):
    """QEMU takes it, but a part of it would mean something else than the whole."""
    one = guest(hello_dma, trace=TRACE)
    at = one.command.index("-append") + 1
    one.command[at] = one.command[at].ljust(4090) + " log-level=error"
    one.start().wait_for("refused: boot information: the command line is longer than 4095 bytes\n")
    one.wait_for("halted")  # where to report to is not known yet


def test_long_file(guest, hello_dma):
    """In an archive; the UEFI loader's own limit is tested in test_uefi.py."""
    ran = guest(hello_dma, config="#" * 70000, trace=TRACE).run()
    assert_refused(ran, r"bulkhead\.conf is larger than 65536 bytes")


def test_repeated_on_the_command_line(guest, hello_dma):
    ran = guest(hello_dma, settings=[("memlock", "1M"), ("memlock", "1M")], trace=TRACE).run()
    assert_refused(ran, r"command line, word 5: memlock: given twice")
