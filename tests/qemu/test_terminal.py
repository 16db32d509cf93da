# SPDX-License-Identifier: BSD-2-Clause
"""Standard input and the terminal, as ./bulkhead run passes them on: docs/terminal.md."""

import fcntl
import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import tempfile
import termios
import time

import pytest

from bulkhead import line
from conftest import TOP, make

PATIENCE = 180  # seconds
CTRL_C, CTRL_D, CTRL_U, CTRL_RIGHT_BRACKET, ERASE = b"\x03", b"\x04", b"\x15", b"\x1d", b"\x7f"


class Screen:
    """What comes on the descriptor `terminal`, and what is typed there."""

    def __init__(self, terminal):
        self.terminal, self.said, self.deadline = terminal, b"", time.monotonic() + PATIENCE

    def wait_for(self, text):
        """Takes what is on the screen up to the text, and returns it."""
        while text not in self.said:
            ready, _, _ = select.select([self.terminal], [], [], max(0, self.deadline - time.monotonic()))
            assert ready, f"no {text} in {self.said}"
            came = os.read(self.terminal, 65536)
            assert came, f"no {text} in {self.said}, which is all"
            self.said += came
        before, _, self.said = self.said.partition(text)
        return before

    def type(self, text, answer):
        os.write(self.terminal, text)
        return self.wait_for(answer)


class Typist(Screen):
    """./bulkhead run in a terminal of its own."""

    def __init__(self, program, *arguments):
        terminal, other = pty.openpty()
        super().__init__(terminal)
        self.resize(33, 99)
        self.modes = termios.tcgetattr(other)
        self.process = subprocess.Popen([TOP / "bulkhead", "run", program, "--", *arguments], stdin=other, stdout=other, stderr=other,
                                        start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        self.other = other

    def resize(self, rows, columns):
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))

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
    one.type(b"calls\r", b"calls 0 0 0 speed 9600 38400 poll 4 0\r\n")
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


def test_signals_reach_a_handler_and_the_second_ends_the_machine(typist):
    one = typist()
    one.wait_for(b"tty 1 mode 20000\r\n")
    for number, answer in ((signal.SIGUSR1, b"signal 10\r\n"), (signal.SIGINT, b"signal  2\r\n"), (signal.SIGUSR1, b"signal 10\r\n")):
        one.process.send_signal(number)
        one.wait_for(answer)
    one.type(b"size\r", b"size 33 99\r\n")
    one.process.send_signal(signal.SIGINT)
    assert one.end() == 128 + signal.SIGINT


def test_a_signal_without_a_handler_ends_the_payload(typist):
    """Who sends it does not ask where the payload was."""
    one = typist()
    one.wait_for(b"tty 1 mode 20000\r\n")
    one.process.send_signal(signal.SIGHUP)
    said = one.wait_for(b"ended by signal 1 (SIGHUP)")
    assert b"ended by SIGHUP: sent by the kernel" in said and b"rax" not in said and b"#0" not in said
    assert one.end() == 128 + signal.SIGHUP


def test_a_serial_line(guest, payload):
    """As on hardware: what is typed at the console, with nobody there but the kernel who edits and echoes."""
    with tempfile.TemporaryDirectory(prefix="bulkhead.") as folder, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{folder}/serial")
        listener.listen()
        ran = guest(payload("terminal", "musl"), settings=[("input", "console")])
        ran.command[ran.command.index("-serial") + 1] = f"unix:{folder}/serial"
        ran.start()
        with listener.accept()[0] as wire:
            one = Screen(wire.fileno())
            one.wait_for(b"kind 1 1 1 tty 1 mode 20000\r\n")
            assert one.type(b"lost" + CTRL_U + b"hexx" + ERASE * 2 + b"llo\r", b"line 6 hello\r\n").endswith(
                b"hexx" + b"\b \b" * 2 + b"llo\r\n")
            one.type(b"size\r", b"size 24 80\r\n")
            one.type(b"lost" + CTRL_C, b"^Csignal  2\r\n")
            assert one.type(b"raw\r", b"raw:") == b"raw\r\n"
            assert one.type(CTRL_C + b"\r" + CTRL_RIGHT_BRACKET + ERASE + b"q", b"|") == b" 03 0d 1d 7f 71.\n"
            assert one.type(b"x" * 100 + b"\r", b"line 101 ").endswith(b"x" * 100 + b"\r\n")
            one.type(CTRL_D, b"end\r\n")
            while wire.recv(65536):  # or the kernel waits for room for its last lines
                pass
        ran.wait()
    assert ran.status == 3


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


def test_a_pipe_arrives_through_the_uefi_door(kernel, payload):
    make("build/bulkhead.efi")
    data = os.urandom(100000)
    ran = subprocess.run([TOP / "bulkhead", "run", "--firmware", "uefi", payload("terminal", "musl"), "--", "sum"], input=data,
                         capture_output=True, timeout=PATIENCE, check=False)
    assert ran.returncode == 0, ran.stderr
    assert re.search(b"sum (.*)\n", ran.stdout)[1].decode() == f"{len(data)} {hash_of(data)} 0 again 0"


ROOM, PIECE = 16384, 4096  # what the payload has room for before it reads, and what the kernel takes or leaves as a whole
GOOD = bytes(range(256)) * 12


def jump(ring):
    """There cannot be so many bytes in it, though what is there could pass for frames."""
    frames, at = line.frame(line.DATA, b"m" * 253) * (ring.size // 256), ring.words[line.TAKEN] % ring.size
    ring.bytes[:] = frames[-at:] + frames[:-at]
    ring.words[line.PUT] = (ring.words[line.TAKEN] + ring.size + 1) & 0xffffffff


HOSTILE = {"kind": line.frame(9), "length": line.frame(line.DATA, bytes(line.DATA_MAX + 1)),
           "signal": line.frame(line.SIGNAL, bytes([32])), "room": line.frame(line.DATA, b"r" * 4096) * (ROOM // 4096 + 1), "put": jump}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_host_that_makes_no_sense(guest, payload, what):
    """Input ends, what was good before stays, nothing behind it counts, one line tells, and the machine goes on."""
    ran = guest(payload("terminal", "musl"), args=["late"], stdin=True).start()
    ran.wait_for("kind 0")
    ran.wait_until(ran.takes_input, "place for input")
    good = b"" if what == "room" else GOOD
    if good:
        ran.line.post(line.frame(line.DATA, good))
        ran.wait_until(lambda: ran.line.ring.words[line.TAKEN] == len(good) + line.HEADER.size, "the good bytes to be taken")
    if callable(HOSTILE[what]):
        HOSTILE[what](ran.line.ring)
    else:
        ran.line.post(HOSTILE[what], line.frame(line.SIGNAL, bytes([signal.SIGINT])), line.frame(line.DATA, b"more"), line.frame(9))
    ran.wait()
    assert ran.output("calls ") == ["calls -1 -1 -1 speed 0 0 poll 10 0"]  # of what is no terminal, the end is only the reader's
    (said,) = ran.output("sum ")
    taken = b"r" * int(said.split()[1]) if what == "room" else good
    assert said == f"sum {len(taken)} {hash_of(taken)} 0 again 0" and ran.status == 0, ran.log
    assert what != "room" or ROOM - PIECE < len(taken) <= ROOM, ran.log
    assert ran.serial.count("standard input ends: what the host sends makes no sense") == 1, ran.log
    assert ran.output("signal ") == [], ran.log
