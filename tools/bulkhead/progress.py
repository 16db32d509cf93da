# SPDX-License-Identifier: BSD-2-Clause
"""A line that tells a person at a terminal how far something long has come."""

import sys
import time

FIRST, STEP = 2.0, 0.5  # seconds until it is shown, and between two changes


class Progress:
    """How many bytes of something have come. Shows nothing where nobody watches, or if it is soon over."""

    def __init__(self, what):
        self.what, self.bytes, self.shown = what, 0, False
        self.due = None  # when the line is to be written next

    def add(self, count):
        self.bytes += count
        now = time.monotonic()
        if self.due is None:
            self.due = now + FIRST
        if now >= self.due and sys.stderr.isatty():
            self.due, self.shown = now + STEP, True
            sys.stderr.write(f"\r{self.what}: {self.bytes / (1 << 20):.1f} MiB \x1b[K")
            sys.stderr.flush()

    def end(self):
        """Takes the line away again."""
        if self.shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
        self.due, self.bytes, self.shown = None, 0, False
