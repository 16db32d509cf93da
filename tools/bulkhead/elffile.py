# SPDX-License-Identifier: BSD-2-Clause
"""What an ELF file of x86-64 says of itself: enough to tell where a program is in memory."""

import dataclasses
import struct

HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
PROGRAM_HEADER = struct.Struct("<IIQQQQQQ")
SECTION_HEADER = struct.Struct("<IIQQQQIIQQ")
ET_DYN, ET_CORE, PT_LOAD, PT_NOTE = 3, 4, 1, 4
# Where the kernel puts the first page of a static-PIE program (kernel/linux/program/load.c).
PIE_BASE = 0x555555554000
PAGE = 4096


@dataclasses.dataclass
class Segment:
    kind: int
    flags: int
    offset: int
    address: int
    file_size: int
    memory_size: int


@dataclasses.dataclass
class Program:
    entry: int  # as linked
    headers: int  # offset in the file
    segments: list
    bias: int  # what its addresses in memory are higher than those that it is linked for

    def headers_address(self):
        """Where its program headers are in memory; 0: nowhere."""
        size = PROGRAM_HEADER.size * len(self.segments)
        for one in self.loads():
            if one.offset <= self.headers and self.headers + size <= one.offset + one.file_size:
                return one.address + self.headers - one.offset + self.bias
        return 0

    def loads(self):
        return [one for one in self.segments if one.kind == PT_LOAD]

    def file_offset(self, address):
        """Where in the file the page lies that is in memory at `address`."""
        for one in self.loads():
            start = (one.address + self.bias) // PAGE * PAGE
            if start <= address < one.address + self.bias + one.memory_size:
                return address - start + one.offset // PAGE * PAGE
        return 0


def read(path):
    """The program in a file that the kernel has found to be a well-formed ELF file; OSError or
    struct.error if it has changed since."""
    with open(path, "rb") as file:
        _, kind, _, _, entry, headers, _, _, _, _, count, _, _, _ = HEADER.unpack(file.read(HEADER.size))
        file.seek(headers)
        rows = [PROGRAM_HEADER.unpack(file.read(PROGRAM_HEADER.size)) for _ in range(count)]
    segments = [Segment(kind, flags, offset, address, size, memory)
                for kind, flags, offset, address, _, size, memory, _ in rows]
    made = Program(entry, headers, segments, 0)
    if kind == ET_DYN:
        made.bias = PIE_BASE - min((one.address for one in made.loads()), default=0) // PAGE * PAGE
    return made
