# SPDX-License-Identifier: BSD-2-Clause
"""What ./bulkhead run shows of the kernel's serial line."""

import re

from bulkhead import calls

REFUSED = b"error refused: "
LINES_MAX = 2048  # bytes of two lines of the kernel, which has 512 for one, with their stamps
HALTED = b"info  halted"  # said by a kernel whose machine goes on for a moment after it was switched off


def may_become(line, start):
    """Could this, the end of what was read, become a line of the kernel that starts with these words?"""
    stamp, found, words = line.partition(b"] ")
    if not found:
        return re.fullmatch(rb"\[[ \d.]*\]?", line) is not None
    return re.fullmatch(rb"\[[ \d.]*", stamp) is not None and (start.startswith(words) or words.startswith(start))


class Shown:
    """The serial line as a file wants it: lines end in LF alone, since the carriage returns are the
    kernel's, for terminals, and with the names of system calls. The sentence of a refusal, which is
    the last line but for that of halting, is kept back: the command ends with it. While it is
    raw(), a terminal in raw mode, it gets the carriage returns, too."""

    def __init__(self, raw=lambda: False):
        self.held, self.line_start, self.raw = b"", True, raw

    def feed(self, data):
        """Takes what was read and returns what is to be shown."""
        text = self.held + data
        if not self.raw():
            text = text.replace(b"\r\n", b"\n")
        last = text.rfind(b"\n", 0, -1) + 1
        before = text.rfind(b"\n", 0, max(last - 1, 0)) + 1
        if last and (before or self.line_start) and may_become(text[before:last], REFUSED) and may_become(text[last:], HALTED):
            keep = before
        elif (last or self.line_start) and may_become(text[last:], REFUSED):
            keep = last
        elif (last or self.line_start) and text[-1:] != b"\n" and any(may_become(text[last:], start) for start in calls.STARTS):
            keep = last
        else:
            keep = len(text) - text.endswith(b"\r")
        if len(text) - keep > LINES_MAX:  # none of the kernel's
            keep = len(text) - text.endswith(b"\r")
        self.held = text[keep:]
        return self.shown(text[:keep])

    def shown(self, text):
        """A piece of the line in its final form."""
        before = b"\n" if self.line_start else b" "
        self.line_start = (before + text).endswith(b"\n")
        return calls.put_names(before + text)[1:]

    def rest(self):
        """What was kept back at the end."""
        held, self.held = self.held, b""
        return self.shown(held)

    @property
    def may_prompt(self):
        """Is something kept back that may be a payload's, which waits for an answer to it?"""
        return self.raw() and self.held and REFUSED not in self.held
