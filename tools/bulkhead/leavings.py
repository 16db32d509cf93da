# SPDX-License-Identifier: BSD-2-Clause
"""What a payload leaves behind: the files under /out (--out), and how it stood when a signal ended it (the backtrace,
and --core)."""

import argparse
import contextlib
import pathlib
import struct
import sys
import tempfile

from bulkhead import backtrace, core, dump, elffile, machine, out
from bulkhead.cli import Failure

NOT_ALL = 125  # of a payload that ended well, if files of its did not come back


def size(text):
    """A number of bytes as QEMU reads it."""
    found = machine.bytes_of(text)
    if not found:
        raise argparse.ArgumentTypeError(f"'{text}' is not a size such as 64M or 1G")
    return found


def add_options(made):
    made.add_argument("--out", metavar="DIR", help="put here what the payload leaves under /out, however it ends (docs/files-out.md)")
    made.add_argument("--out-limit", metavar="SIZE", type=size, default=out.LIMIT, help="of that in all (default: 256M)")
    made.add_argument("--core", metavar="FILE", help="write a core file for gdb here if a signal ends the payload, 64 MiB of its memory at most")


def make_room(name):
    """What an earlier run left must not pass for this one's core file, and a name that cannot be written is told
    before the run."""
    try:
        with open(name, "wb"):
            pass
        pathlib.Path(name).unlink()
    except OSError as problem:
        raise Failure(f"cannot write the core file: {problem}") from None


class Leavings:
    """Of one run with these options."""

    def __init__(self, options):
        self.core = options.core
        self.dump = dump.Dump(dump.LIMIT if self.core else dump.LIMIT_BACKTRACE)
        if self.core:
            make_room(self.core)
        try:
            self.files = out.Files(options.out, options.out_limit) if options.out else None
        except OSError as problem:
            raise Failure(f"cannot write to --out: {problem}") from None

    def settings(self):
        """What the kernel has to know."""
        return [("crash-limit", str(self.dump.limit)), *([("out-limit", str(self.files.limit))] if self.files else [])]

    def takers(self):
        return {**self.dump.takers(), **(self.files.takers() if self.files else {})}

    def tell(self, program):
        """When all has come: says what there is to be said on standard error, and writes the core file."""
        for line in self.crash_lines(program) + self.file_lines():
            print(f"bulkhead: {line}" if not line.startswith(" ") else line, file=sys.stderr)

    def file_lines(self):
        if not self.files:
            return []
        self.files.close()
        return self.files.sentences()

    @contextlib.contextmanager
    def core_file(self):
        """Where the core file goes, if only for as long as gdb looks at it."""
        try:
            with open(self.core, "w+b") if self.core else tempfile.NamedTemporaryFile(prefix="bulkhead.") as file:
                yield file
        except OSError as problem:
            raise Failure(f"cannot write the core file: {problem}") from None

    def crash_lines(self, program):
        if not self.dump.begun:
            return []
        if not self.dump.ended:
            return ["the kernel did not get as far as telling how the payload stood"]
        self.dump.progress.end()
        try:
            found = elffile.read(program)
        except (OSError, struct.error) as problem:
            return [f"no backtrace: {program} is not what it was when it was started ({problem})"]
        with self.core_file() as file:
            core.write(self.dump, found, program, file)
            file.flush()
            lines = backtrace.lines(self.dump, program, file.name)
        return lines + self.core_lines()

    def core_lines(self):
        """Of the core file, if one was asked for."""
        if not self.core:
            return []
        cut = f", cut at {self.dump.limit >> 20} MiB: what is not in it gdb cannot show" if self.dump.cut else ""
        return [f"core file: {self.core}{cut}"]

    def status(self, payload_status):
        """The status of the run, of a payload that ended by itself."""
        lost = self.files and (self.files.incomplete or not self.files.ended)
        return NOT_ALL if lost and payload_status == 0 else payload_status
