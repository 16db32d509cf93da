# SPDX-License-Identifier: BSD-2-Clause
"""How a payload stood when a signal ended it, as it arrives on the stream (docs/report.md): its threads, its mappings,
its memory. Nothing in the stream is trusted."""

import dataclasses
import re
import struct

from bulkhead.cli import Failure
from bulkhead.progress import Progress

BEGIN, THREAD, STACK, MAPPING, SPAN, MEMORY, END = range(16, 23)  # kinds of records
SIGINFO_SIZE, FPU_SIZE, CALLS_MAX = 128, 512, 24
BEGIN_RECORD = struct.Struct(f"<{SIGINFO_SIZE}si")
# id, bytes on its kernel stack, name, blocked signals, base of FS, FXSAVE area
THREAD_RECORD = struct.Struct(f"<iI16sQQ{FPU_SIZE}s")
STACK_MAX = 16 << 10  # of a thread in the kernel
SAVED_RBP = 5 * 8  # where thread_switch() leaves it, from the stack pointer on; the return address is above it
FRAME = struct.Struct("<22Q")  # struct trap_frame
FRAME_VECTOR, FRAME_ERROR, FRAME_RIP, FRAME_RSP, FRAME_SS = 15, 16, 17, 20, 21  # words of it
USER_SS = 0x2b  # a thread that never was in user mode does not have this in it
TRAP_SYSCALL = 256  # the vector of one that is in a system call
ADDRESS, RANGE = struct.Struct("<Q"), struct.Struct("<QQ")
LINE = re.compile(rb"([0-9a-f]{8,16})-([0-9a-f]{8,16}) ([r-])([w-])([x-])([sp]) ([0-9a-f]{8,16}) \S+ \d+ *([^\n]*)\n?")
PAGE = 4096
USER_END = 1 << 47
THREADS_MAX, ROWS_MAX = 512, 1 << 18
LIMIT, LIMIT_BACKTRACE = 64 << 20, 1 << 20  # of memory: for a core file, and for a backtrace alone


def damaged(what):
    return Failure(f"the stream is damaged: {what}")


def unpack(layout, record, what):
    if len(record) != layout.size:
        raise damaged(f"{what} has {len(record)} bytes")
    return layout.unpack(record)


@dataclasses.dataclass
class Thread:
    id: int
    name: str
    mask: int
    fs_base: int
    fpu: bytes
    stack: bytearray  # that of the kernel, from the stack pointer to the top
    stack_at: int | None = None  # where it is; None: nothing of it came yet

    @property
    def frame(self):
        """What it goes back to user mode with."""
        return FRAME.unpack_from(self.stack, len(self.stack) - FRAME.size)

    @property
    def started(self):
        return self.frame[FRAME_SS] == USER_SS

    @property
    def rip(self):
        return self.frame[FRAME_RIP]

    @property
    def call(self):
        """The number of the system call that it is in or came from; None: it came from its own code."""
        return self.frame[FRAME_ERROR] if self.frame[FRAME_VECTOR] == TRAP_SYSCALL else None

    @property
    def calls(self):
        """The return addresses of what it is in in the kernel, the innermost first."""
        found, at = [], SAVED_RBP
        while 0 <= at <= len(self.stack) - 16 and len(found) < CALLS_MAX:
            above, back = struct.unpack_from("<QQ", self.stack, at)
            found.append(back)
            if above - (self.stack_at or 0) <= at:
                break
            at = above - (self.stack_at or 0)
        return found


@dataclasses.dataclass
class Mapping:
    start: int
    end: int
    access: int  # as p_flags of ELF: 4 read, 2 write, 1 execute
    offset: int
    name: bytes


class Dump:
    """What came of the last crash: there is one for each life of the payload. `limit`: bytes of memory."""

    def __init__(self, limit):
        self.limit, self.progress = limit, Progress("memory of the crash")
        self.clear()

    def clear(self):
        self.siginfo, self.thread = b"", 0
        self.threads, self.mappings, self.spans = [], [], []
        self.pages = {}  # address -> bytes; what is in a span and has no page is zero
        self.bytes = 0  # that came for them
        self.cut = 0  # from this address on memory was not sent
        self.begun = self.ended = False

    @property
    def signal(self):
        return struct.unpack_from("<i", self.siginfo)[0]

    def takers(self):
        return {BEGIN: self.begin, THREAD: self.take_thread, STACK: self.take_stack, MAPPING: self.take_mapping, SPAN: self.take_span,
                MEMORY: self.take_memory, END: self.end}

    def begin(self, record):
        self.clear()
        self.siginfo, self.thread = unpack(BEGIN_RECORD, record, "a signal")
        self.begun = True

    def row(self, rows, limit=ROWS_MAX):
        if not self.begun or self.ended or len(rows) >= limit:
            raise damaged("a crash is told where there is none, or without an end")

    def take_thread(self, record):
        self.row(self.threads, THREADS_MAX)
        number, used, name, mask, fs_base, fpu = unpack(THREAD_RECORD, record, "a thread")
        if not SAVED_RBP + 16 <= used <= STACK_MAX or used < FRAME.size:
            raise damaged("a thread has no stack in the kernel")
        name = name.partition(b"\0")[0].decode(errors="replace")
        self.threads.append(Thread(number, name, mask, fs_base, fpu, bytearray(used)))

    def take_stack(self, record):
        """Pieces in ascending order; the first one, where the stack begins, is never all zero: a return address is in it."""
        self.row(())
        at = ADDRESS.unpack_from(record)[0] if len(record) > ADDRESS.size else 0
        thread = self.threads[-1] if self.threads else None
        if thread and thread.stack_at is None:
            thread.stack_at = at
        data = record[ADDRESS.size:]
        if not thread or not 0 <= at - thread.stack_at <= len(thread.stack) - len(data):
            raise damaged("the stack of a thread has no place")
        thread.stack[at - thread.stack_at:at - thread.stack_at + len(data)] = data

    def take_mapping(self, record):
        self.row(self.mappings)
        found = LINE.fullmatch(record)
        start, end = (int(word, 16) for word in found.groups()[:2]) if found else (0, 0)
        last = self.mappings[-1].end if self.mappings else 0
        if not last <= start < end <= USER_END or start % PAGE or end % PAGE:
            raise damaged("a mapping has no place")
        access = sum(bit for bit, letter in ((4, found[3]), (2, found[4]), (1, found[5])) if letter != b"-")
        self.mappings.append(Mapping(start, end, access, int(found[7], 16), found[8]))

    def take_span(self, record):
        self.row(self.spans)
        start, end = unpack(RANGE, record, "a span of memory")
        if not 0 < start < end <= USER_END or start % PAGE or end % PAGE:
            raise damaged("a span of memory has no place")
        self.spans.append((start, end))

    def take_memory(self, record):
        self.row(())
        at = ADDRESS.unpack_from(record)[0] if len(record) > ADDRESS.size else USER_END
        data = record[ADDRESS.size:]
        page = at // PAGE * PAGE
        if at >= USER_END or at + len(data) > page + PAGE:
            raise damaged("memory has no place")
        self.bytes += len(data)
        if self.bytes > self.limit:
            raise damaged("there is more memory than was asked for")
        self.pages.setdefault(page, bytearray(PAGE))[at - page:at - page + len(data)] = data
        self.progress.add(len(data))

    def end(self, record):
        self.row(())
        self.cut, = unpack(ADDRESS, record, "the end of a crash")
        self.ended = True
        self.progress.end()

    def known(self):
        """The ranges whose memory is known, in ascending order, none touching another."""
        joined = []
        spans = list(self.spans)
        if self.cut and spans:  # the last span is the one that was cut
            start, _ = spans.pop()
            spans += [(start, self.cut)] if start < self.cut else []
        for start, end in sorted(spans):
            if joined and start <= joined[-1][1]:
                joined[-1][1] = max(joined[-1][1], end)
            else:
                joined.append([start, end])
        return [tuple(span) for span in joined]
