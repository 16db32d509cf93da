# SPDX-License-Identifier: BSD-2-Clause
"""Standard input of ./bulkhead run, and the terminal it is started from: what is typed or piped in goes to the payload,
and so do signals (docs/terminal.md)."""

import atexit
import contextlib
import fcntl
import os
import signal
import struct
import sys
import termios
import tty

from bulkhead import boot, line, stream

STDIN, STDOUT = 0, 1
LEAVE = b"\x1d"  # Ctrl-]
ONCE = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # the second of them ends the machine
ALWAYS = (signal.SIGUSR1, signal.SIGUSR2)


def is_ours(descriptor):
    """Is it a terminal that this process may read and change? One in the background may not."""
    try:
        return os.isatty(descriptor) and os.tcgetpgrp(descriptor) == os.getpgrp()
    except OSError:
        return False


def source():
    """Where the payload's input comes from; None: there is none."""
    try:
        os.fstat(STDIN)
    except OSError:
        return None
    return STDIN if not os.isatty(STDIN) or is_ours(STDIN) else None


def window(descriptor):
    """Rows and columns of a terminal."""
    rows, columns, _, _ = struct.unpack("4H", fcntl.ioctl(descriptor, termios.TIOCGWINSZ, bytes(8)))
    return rows or 24, columns or 80


class Terminal:
    """The payload's input for the time of a with-statement. The kernel gets the `settings`, QEMU keeps the guest's memory
    in the file `memory_path`, and `takers` are for the stream."""

    def __init__(self, apart):
        self.shown = os.isatty(STDOUT) and not apart
        self.raw = self.shown and is_ours(STDIN) and is_ours(STDOUT)  # is the payload's side a terminal, too?
        self.line = line.Line(source(), self.raw, self.listening, self.typed)
        self.memory_path, self.takers = self.line.memory_path, {stream.INPUT: self.line.found}
        self.modes = self.before = None
        self.told = self.left = False

    @property
    def settings(self):
        """For the kernel."""
        found = [("input", "host"), ("terminal", "yes" if self.raw else "output" if self.shown else "no")]
        if self.shown:
            found += zip(("terminal-rows", "terminal-columns"), map(str, window(STDOUT)))
        return found

    def __enter__(self):
        self.before = {number: signal.getsignal(number) for number in (*ONCE, *ALWAYS, signal.SIGWINCH, signal.SIGCONT)}
        for number in (*ONCE, *ALWAYS):
            if self.before[number] != signal.SIG_IGN:  # nohup wants it to be ignored
                signal.signal(number, self.heard)
        if self.shown:
            signal.signal(signal.SIGWINCH, lambda *_: self.tell_size())
        if self.raw:
            self.modes = termios.tcgetattr(STDIN)
            atexit.register(self.restore)
            signal.signal(signal.SIGCONT, lambda *_: self.is_raw() and self.make_raw())
        return self

    def __exit__(self, *_):
        """A signal finds a line that is open for as long as it comes here."""
        for number, handler in self.before.items():
            signal.signal(number, handler)
        self.line.close()
        self.restore()
        atexit.unregister(self.restore)

    # The terminal

    def make_raw(self):
        """Every byte for the payload, and every byte of it, as it is: the kernel's line discipline does the rest."""
        tty.setraw(STDIN, termios.TCSADRAIN)

    def is_raw(self):
        return self.raw and self.line.listening

    def restore(self):
        if self.modes:
            termios.tcsetattr(STDIN, termios.TCSADRAIN, self.modes)
            self.modes = None

    def listening(self):
        """Called by the line. Until then keys mean what they mean to every command."""
        if self.raw:
            self.make_raw()
        if self.shown:
            self.tell_size()  # it may be another since the kernel was started

    def tell_size(self):
        self.line.post(line.frame(line.SIZE, struct.pack("<HH", *window(STDOUT))))

    def typed(self, data):
        """Called by the line: Ctrl-] is for us."""
        before, leave, _ = data.partition(LEAVE if self.raw else data + b"-")
        if leave:
            self.left = True
            os.kill(os.getpid(), signal.SIGINT)
        return before

    # Signals

    def heard(self, number, _frame):
        """The payload hears of it first, if it runs; whoever means it sends another."""
        if self.line.listening and not self.left and (number in ALWAYS or not self.told):
            self.told = self.told or number in ONCE
            self.line.post(line.frame(line.SIGNAL, bytes([number])))
            return
        if self.raw:
            sys.stderr.write("\r\n")
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        sys.exit(128 + number)


class Nothing(contextlib.nullcontext):
    """In place of a terminal where the user has said where input comes from."""
    takers = {}

    def __enter__(self):
        return self

    def is_raw(self):
        return False


def of(machine, apart=False):
    """The input of a machine that is about to be prepared, which is told of it. `apart`: the payload's output is kept
    apart for a program to read, and is no terminal."""
    if boot.says(machine.config, "input") or "input" in dict(machine.settings):
        return Nothing()
    found = Terminal(apart)
    machine.settings, machine.memory_path = [*machine.settings, *found.settings], found.memory_path
    return found
