# SPDX-License-Identifier: BSD-2-Clause
"""Builds small ELF files, good ones and bad ones."""

import dataclasses
import struct

READ, WRITE, EXECUTE = 4, 2, 1
LOAD, DYNAMIC, INTERPRETER, NOTE, TLS = 1, 2, 3, 4, 7
PAGE = 4096
BASE = 0x400000
# mov $231, %eax (exit_group); xor %edi, %edi; syscall
EXIT_0 = bytes.fromhex("b8e700000031ff0f05")


@dataclasses.dataclass
class Segment:
    flags: int
    address: int
    data: bytes
    memory_size: int | None = None  # None: as large as the data
    kind: int = LOAD
    offset: int | None = None  # None: behind what is in the file, congruent to the address
    file_size: int | None = None  # None: as large as the data
    alignment: int = PAGE


def code(**changes):
    return dataclasses.replace(Segment(READ | EXECUTE, BASE, EXIT_0), **changes)


def data(**changes):
    return dataclasses.replace(Segment(READ | WRITE, BASE + 2 * PAGE, b"data"), **changes)


def build(segments, *, entry=BASE, machine=62, kind=2, ident=b"\x7fELF\2\1\1", header_size=64, table_entry=56,
          table_offset=64, count=None, version=1):
    count = len(segments) if count is None else count
    body, table, at = b"", b"", 64 + 56 * len(segments)
    for segment in segments:
        place = segment.offset
        if place is None:
            padding = (segment.address - at - len(body)) % PAGE
            body += bytes(padding)
            place = at + len(body)
            body += segment.data
        size = len(segment.data) if segment.file_size is None else segment.file_size
        memory = size if segment.memory_size is None else segment.memory_size
        table += struct.pack("<IIQQQQQQ", segment.kind, segment.flags, place, segment.address, segment.address, size,
                             memory, segment.alignment)
    header = ident.ljust(16, b"\0") + struct.pack("<HHIQQQIHHHHHH", kind, machine, version, entry, table_offset, 0, 0,
                                                  header_size, table_entry, count, 0, 0, 0)
    return header + table + body
