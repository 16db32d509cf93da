# SPDX-License-Identifier: BSD-2-Clause
"""A serial line whose other end is read slowly, or by nobody: output waits and is never dropped, and
whoever waits can be ended."""

import re
import socket
import tempfile
import time

import pytest

LINES = 60000


@pytest.fixture
def wired(guest, payload):
    """wired(mode, ...) starts a guest whose serial line ends in a socket of ours."""
    with tempfile.TemporaryDirectory(prefix="bulkhead.") as folder, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{folder}/serial")
        listener.listen()

        def start(mode, **options):
            made = guest(payload("console"), devices=["edu"], args=[mode], **options)
            made.command[made.command.index("-serial") + 1] = f"unix:{folder}/serial"
            made.start()
            return made, listener.accept()[0]

        yield start


def test_slow_reader_gets_everything(wired):
    """It stops for longer than any wait of the kernel once the port's buffers are full."""
    one, line = wired("lines")
    got = b""
    while data := line.recv(4096, socket.MSG_WAITALL):
        got += data
        time.sleep(3 if len(got) == 10 * 4096 else 0.002)
    one.wait()
    numbers = re.findall(r"^(\d+)\r$", got.decode(), re.MULTILINE)
    assert one.status == 3
    assert numbers == [str(n) for n in range(1, LINES + 1)]
    assert one.report["console"]["lost_bytes"] == 0


def test_dead_port_and_time_limit(wired):
    """Told, counted, and no hindrance to the end."""
    one, _ = wired("flood", settings=[("payload-timeout", "4")], icount=4)
    one.wait()
    assert one.report["exit"]["reason"] == "timeout"
    assert one.report["console"]["stalls"] == 1 and one.report["console"]["lost_bytes"] > 0


@pytest.mark.parametrize("mode,status", [("signal", 7), ("poll", 9)])
def test_waiting_writer(wired, mode, status):
    """A payload that ended is over when its output is read, or when its time is."""
    one, _ = wired(mode, settings=[("payload-timeout", "4")], icount=4)
    one.wait()
    assert one.status == status
