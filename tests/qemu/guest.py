# SPDX-License-Identifier: BSD-2-Clause
"""bulkhead.Guest as our own tests need it beyond what everybody does."""

import functools
import pathlib
import re

import report_format
import stretch as measured
from bulkhead import Guest as PublicGuest
from bulkhead import disk, esp


class Guest(PublicGuest):
    """Neither built nor checked: tests give the kernel what it has to refuse itself. Every report is held against
    docs/report.md.
    stretch   the plugin that measures how long interrupts are kept out (self.stretches); wants icount
    kernel    another kernel.elf than build/kernel.elf
    """

    def __init__(self, payload, folder, *, stretch=None, kernel=None, icount=None, checked=False, **options):
        super().__init__(payload, folder, icount=icount, checked=checked, **options)
        if kernel:
            self.replace_kernel(pathlib.Path(kernel))
        if stretch:
            assert icount is not None, "without icount a repeated string instruction counts as one"
            self.command += ["-plugin", f"file={stretch},out={self.folder}/stretches"]

    def replace_kernel(self, kernel):
        if self.wanted.firmware == "uefi":
            esp.put(self.folder / "esp", f"{esp.FOLDER}/kernel.elf", kernel)
            disk.write(self.folder / "disk.img", self.folder / "esp")
        else:
            self.command[self.command.index("-kernel") + 1] = str(kernel)

    def wait(self):
        super().wait()
        if self.report is not None:
            report_format.check(self.report_path.read_text())
        return self

    @functools.cached_property
    def stretches(self):
        """What the plugin saw: stretch.Stretch, the longest first."""
        return measured.read(self.folder / "stretches", self.command[self.command.index("-kernel") + 1])


def find_trace(lines, pattern):
    """The number of the first trace line that matches, or None."""
    expression = re.compile(pattern)
    return next((number for number, line in enumerate(lines) if expression.search(line)), None)
