# SPDX-License-Identifier: BSD-2-Clause
"""What ./bulkhead run shows of the kernel's serial line."""

import re

REFUSED = b"error refused: "


def may_be_refusal(line):
    """Could this, the end of what was read, become the line in which the kernel refuses to start?"""
    stamp, found, words = line.partition(b"] ")
    if not found:
        return re.fullmatch(rb"\[[ \d.]*\]?", line) is not None
    return re.fullmatch(rb"\[[ \d.]*", stamp) is not None and (REFUSED.startswith(words) or words.startswith(REFUSED))


class Shown:
    """The serial line as a file wants it: lines end in LF alone, since the carriage returns are the
    kernel's, for terminals. The sentence of a refusal, always the last line, is kept back: the command
    ends with it."""

    def __init__(self):
        self.held, self.line_start = b"", True

    def feed(self, data):
        """Takes what was read and returns what is to be shown."""
        text = (self.held + data).replace(b"\r\n", b"\n")
        last = text.rfind(b"\n", 0, -1) + 1
        if (last or self.line_start) and may_be_refusal(text[last:]):
            keep = last
        else:
            keep = len(text) - text.endswith(b"\r")
        self.held = text[keep:]
        if keep:
            self.line_start = text[:keep].endswith(b"\n")
        return text[:keep]

    def rest(self):
        """What was kept back at the end."""
        return self.held
