# SPDX-License-Identifier: BSD-2-Clause
"""A core file (ELF, as Linux writes them) of a crashed payload, for gdb and others that read such files."""

import os
import struct

from bulkhead import elffile

NT_PRSTATUS, NT_FPREGSET, NT_PRPSINFO, NT_AUXV = 1, 2, 3, 6
NT_SIGINFO, NT_FILE = 0x53494749, 0x46494c45
EM_X86_64, PN_XNUM = 62, 0xffff
PROGRAM_NAME = b"/payload.elf"  # what the kernel calls it in a mapping
PAYLOAD_PID = 1
# struct elf_prstatus: the signal, what is pending and blocked, ids, times, registers, valid floating point
PRSTATUS = struct.Struct("<iiih2xQQiiii8Q27Qi4x")
PRPSINFO = struct.Struct("<bcbb4xQIIiiii16s80s")
AT_PHDR, AT_PHENT, AT_PHNUM, AT_PAGESZ, AT_BASE, AT_ENTRY = 3, 4, 5, 6, 7, 9


def note(kind, data, owner=b"CORE\0"):
    data = bytes(data)
    return struct.pack("<III", len(owner), len(data), kind) + owner.ljust(8, b"\0") + data.ljust(-(-len(data) // 4) * 4, b"\0")


def registers(thread):
    """struct user_regs_struct. The kernel's struct trap_frame has the same order, and lacks the segments."""
    frame = thread.frame
    return [*frame[:15], (1 << 64) - 1, *frame[17:22], thread.fs_base, 0, 0, 0, 0, 0]


def thread_status(thread, signal):
    return PRSTATUS.pack(signal, 0, 0, signal, 0, thread.mask, thread.id, 0, PAYLOAD_PID, PAYLOAD_PID, *[0] * 8,
                         *registers(thread), 1)


def process(dump, name):
    args = os.fsencode(name)
    return PRPSINFO.pack(0, b"R", 0, 0, 0, 0, 0, PAYLOAD_PID, 0, PAYLOAD_PID, PAYLOAD_PID, args[:15], args[:79])


def auxiliary(program):
    """The vector as the kernel gave it to the program, as far as its file tells: what debuggers ask for."""
    rows = [(AT_PHDR, program.headers_address()), (AT_PHENT, elffile.PROGRAM_HEADER.size),
            (AT_PHNUM, len(program.segments)), (AT_PAGESZ, elffile.PAGE), (AT_BASE, 0),
            (AT_ENTRY, program.entry + program.bias), (0, 0)]
    return b"".join(struct.pack("<QQ", *row) for row in rows)


def files(dump, program, path):
    """Which file is behind which mapping; the program's name is that on the host."""
    rows, names = [], []
    for mapping in dump.mappings:
        if mapping.name.startswith(b"/"):
            ours = mapping.name == PROGRAM_NAME
            offset = program.file_offset(mapping.start) if ours else mapping.offset
            rows.append(struct.pack("<QQQ", mapping.start, mapping.end, offset // elffile.PAGE))
            names.append((os.fsencode(path) if ours else mapping.name.replace(b"\0", b"?")) + b"\0")
    return struct.pack("<QQ", len(rows), elffile.PAGE) + b"".join(rows) + b"".join(names)


def culprit_first(dump):
    """The thread that took the signal, which debuggers expect in front, then the others. Those that never ran are left out."""
    return sorted(filter(lambda thread: thread.started, dump.threads), key=lambda thread: thread.id != dump.thread)


def notes(dump, program, path):
    """All notes of the core file."""
    made = b""
    for thread in culprit_first(dump):
        first = not made
        made += note(NT_PRSTATUS, thread_status(thread, dump.signal if first else 0))
        if first:
            made += note(NT_PRPSINFO, process(dump, os.path.basename(path)))
            made += note(NT_SIGINFO, dump.siginfo)
            made += note(NT_AUXV, auxiliary(program))
            made += note(NT_FILE, files(dump, program, path))
        made += note(NT_FPREGSET, thread.fpu)
    return made


def pieces(dump):
    """(start, end, access, known) of all mappings, cut where knowledge of their memory begins or ends."""
    known = dump.known()
    at = 0
    for mapping in dump.mappings:
        start = mapping.start
        while at < len(known) and known[at][1] <= start:
            at += 1
        look = at
        while start < mapping.end:
            low, high = known[look] if look < len(known) else (mapping.end, mapping.end)
            if low > start:
                yield start, min(low, mapping.end), mapping.access, False
                start = min(low, mapping.end)
            elif high > start:
                yield start, min(high, mapping.end), mapping.access, True
                start = min(high, mapping.end)
            look += high <= start


def write(dump, program, path, out):
    """Writes the core file of the crash of the program in the file `path` to `out`, a new file open for writing. What
    is zero takes no room where the file system can leave holes."""
    rows, told = list(pieces(dump)), notes(dump, program, path)
    count = len(rows) + 1
    headers = elffile.HEADER.size + count * elffile.PROGRAM_HEADER.size
    extended = count >= PN_XNUM  # then the one section tells how many there are
    sections = headers if extended else 0
    told_at = headers + (elffile.SECTION_HEADER.size if extended else 0)
    at = -(-(told_at + len(told)) // elffile.PAGE) * elffile.PAGE
    out.write(elffile.HEADER.pack(b"\x7fELF\2\1\1".ljust(16, b"\0"), elffile.ET_CORE, EM_X86_64, 1, 0,
                                  elffile.HEADER.size, sections, 0, elffile.HEADER.size, elffile.PROGRAM_HEADER.size,
                                  min(count, PN_XNUM), elffile.SECTION_HEADER.size if extended else 0, int(extended), 0))
    out.write(elffile.PROGRAM_HEADER.pack(elffile.PT_NOTE, 0, told_at, 0, 0, len(told), 0, 4))
    places = []
    for start, end, access, known in rows:
        size = end - start if known else 0
        out.write(elffile.PROGRAM_HEADER.pack(elffile.PT_LOAD, access, at, start, 0, size, end - start, elffile.PAGE))
        if known:
            places.append((start, end, at))
        at += size
    if extended:
        out.write(elffile.SECTION_HEADER.pack(0, 0, 0, 0, 0, 0, 0, count, 0, 0))
    out.write(told)
    out.truncate(at)
    write_pages(dump, places, out)


def write_pages(dump, places, out):
    """`places`: (start, end, offset in the file), in ascending order as the pages."""
    where = iter(places)
    start, end, offset = next(where, (0, 0, 0))
    for page in sorted(dump.pages):
        while end <= page and end:
            start, end, offset = next(where, (0, 0, 0))
        if start <= page < end:
            out.seek(offset + page - start)
            out.write(dump.pages[page])
