# SPDX-License-Identifier: BSD-2-Clause
"""Standard input and the terminal, as ./bulkhead run passes them on: docs/terminal.md."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

import pytest

from conftest import TOP

PATIENCE = 180  # seconds
CTRL_C, CTRL_D, CTRL_U, CTRL_RIGHT_BRACKET, ERASE = b"\x03", b"\x04", b"\x15", b"\x1d", b"\x7f"


class Typist:
    """./bulkhead run in a terminal of its own."""

    def __init__(self, program, *arguments):
        self.terminal, other = pty.openpty()
        self.resize(33, 99)
        self.modes = termios.tcgetattr(other)
        self.process = subprocess.Popen([TOP / "bulkhead", "run", program, "--", *arguments], stdin=other, stdout=other, stderr=other,
                                        start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        self.other, self.said, self.deadline = other, b"", time.monotonic() + PATIENCE

    def resize(self, rows, columns):
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))

    def wait_for(self, text):
        """Takes what is on the screen up to the text, and returns it."""
        while text not in self.said:
            ready, _, _ = select.select([self.terminal], [], [], max(0, self.deadline - time.monotonic()))
            assert ready, f"no {text} in {self.said}"
            self.said += os.read(self.terminal, 65536)
        before, _, self.said = self.said.partition(text)
        return before

    def type(self, text, answer):
        os.write(self.terminal, text)
        return self.wait_for(answer)

    def end(self):
        """The exit status, with the terminal as it was."""
        status = self.process.wait(PATIENCE)
        assert termios.tcgetattr(self.other) == self.modes
        return status


@pytest.fixture
def typist(kernel, payload):
    made = []

    def start(*arguments):
        made.append(Typist(payload("terminal", "musl"), *arguments))
        return made[-1]

    yield start
    for one in made:
        one.process.kill()
        one.process.wait()
        os.close(one.terminal)
        os.close(one.other)


def test_a_terminal_on_both_sides(typist):
    one = typist()
    one.wait_for(b"kind 1 1 1 tty 1 mode 20000\r\n")
    one.type(b"lost" + CTRL_U + b"hexx" + ERASE * 2 + b"llo\r", b"line 6 hello\r\n")
    one.type(b"size\r", b"size 33 99\r\n")
    one.type(b"lost" + CTRL_C, b"^Csignal  2\r\n")
    one.resize(40, 111)
    one.wait_for(b"signal 28\r\n")
    one.type(b"size\r", b"size 40 111\r\n")
    one.type(b"raw\r", b"raw:")
    assert one.type(CTRL_C + b"\r" + CTRL_D + ERASE + b"q", b"|") == b" 03 0d 04 7f 71.\n"
    one.type(b"time\r", b"type three\r\n")
    one.type(b"abc", b"time 0 3 abc\r\n")
    one.type(b"half" + CTRL_D + b" a line\r", b"line 12 half a line\r\n")
    one.type(CTRL_D, b"end\r\n")
    assert one.end() == 3


def test_ctrl_right_bracket_leaves(typist):
    one = typist()
    one.wait_for(b"tty 1 mode 20000\r\n")
    one.type(CTRL_RIGHT_BRACKET, b"\n")
    assert one.end() == 130


def hash_of(data):
    found = 0
    for byte in data:
        found = (found * 31 + byte) & 0xffffffff
    return found


@pytest.mark.parametrize("how, size", [("sum", 1 << 20), ("slow", 200000)])
def test_a_pipe_arrives_byte_for_byte(kernel, payload, how, size):
    """Whoever waits, and by whatever call; and a reader that naps after each 5000 bytes loses none."""
    data = os.urandom(size)
    ran = subprocess.run([TOP / "bulkhead", "run", payload("terminal", "musl"), "--", how], input=data, capture_output=True,
                         timeout=PATIENCE, check=False)
    assert ran.returncode == 0, ran.stderr
    assert b"kind 0 0 0 tty 0 mode 10000\n" in ran.stdout
    assert re.search(b"sum (.*)\n", ran.stdout)[1].decode() == f"{size} {hash_of(data)} 0 again 0"
