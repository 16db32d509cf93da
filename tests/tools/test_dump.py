# SPDX-License-Identifier: BSD-2-Clause
"""A crash against streams that a hostile kernel made up, and the core file of one that is as it should be."""

import io
import struct

import pytest

from bulkhead import backtrace, cli, core, dump, elffile, stream

PAGE = dump.PAGE


def record(kind, data=b""):
    return struct.pack("<II", kind, len(data)) + data


def thread(number, rip=0x401000, rsp=0x7fff0000, calls=(), vector=0, error=0):
    """One whose stack in the kernel has the frames of these calls."""
    stack_at, at = 0xffff800000010000, dump.SAVED_RBP
    stack = bytearray(64 * len(calls) + at + 16 + dump.FRAME.size)
    for call in calls:
        struct.pack_into("<QQ", stack, at, stack_at + at + 64, call)
        at += 64
    frame = [0] * 22
    frame[dump.FRAME_RIP], frame[dump.FRAME_RSP], frame[dump.FRAME_SS] = rip, rsp, dump.USER_SS
    frame[dump.FRAME_VECTOR], frame[dump.FRAME_ERROR] = vector, error
    dump.FRAME.pack_into(stack, len(stack) - dump.FRAME.size, *frame)
    if calls:
        struct.pack_into("<Q", stack, dump.SAVED_RBP + 64 * (len(calls) - 1), 0)
    return (record(dump.THREAD, dump.THREAD_RECORD.pack(number, len(stack), b"worker", 0, 0x1234, bytes(512)))
            + record(dump.STACK, struct.pack("<Q", stack_at) + stack))


def begin(number=11, culprit=1):
    return record(dump.BEGIN, struct.pack("<i124xi", number, culprit))


def mapping(start, end, access="rw-", name=""):
    return record(dump.MAPPING, f"{start:08x}-{end:08x} {access}p 00000000 00:00 0      {name}\n".encode())


def span(start, end):
    return record(dump.SPAN, struct.pack("<QQ", start, end))


def memory(at, data):
    return record(dump.MEMORY, struct.pack("<Q", at) + data)


def end(cut=0):
    return record(dump.END, struct.pack("<Q", cut))


def take(*records, limit=1 << 20):
    made = dump.Dump(limit)
    stream.read(io.BytesIO(b"".join(records)), made.takers())
    return made


GOOD = [begin(culprit=2), thread(1, calls=(0x100, 0x200, 0x300), vector=dump.TRAP_SYSCALL, error=202), thread(2, rip=0x401234),
        mapping(0x400000, 0x402000, "r-x", "/payload.elf"), mapping(0x500000, 0x504000), mapping(0x600000, 0x601000, "---"),
        span(0x501000, 0x503000), memory(0x502200, b"here"), end()]


def test_what_is_told_of_threads():
    found = take(*GOOD)
    assert [(one.id, one.name, one.rip, one.call) for one in found.threads] == [(1, "worker", 0x401000, 202), (2, "worker", 0x401234, None)]
    assert found.threads[0].calls == [0x100, 0x200, 0x300] and found.signal == 11 and found.ended


@pytest.mark.parametrize("calls", [(), (1,), tuple(range(1, 40))])
def test_a_chain_of_calls_is_bounded(calls):
    assert len(take(begin(), thread(1, calls=calls)).threads[0].calls) == min(max(len(calls), 1), dump.CALLS_MAX)


def test_a_chain_that_goes_in_circles_ends():
    found = take(begin(), thread(1, calls=(1, 2)))
    struct.pack_into("<Q", found.threads[0].stack, dump.SAVED_RBP, found.threads[0].stack_at + dump.SAVED_RBP)
    assert found.threads[0].calls == [1]


@pytest.mark.parametrize("records", [
    [thread(1)], [end()], [memory(0x1000, b"x")], [begin(), end(), memory(0x1000, b"x")],
    [begin(), mapping(0x2000, 0x1000)], [begin(), mapping(0x1001, 0x3000)], [begin(), mapping(0x2000, 0x3000), mapping(0x1000, 0x2000)],
    [begin(), record(dump.MAPPING, b"\x1b[2J")], [begin(), mapping(0x1000, 1 << 48)], [begin(), span(0x2000, 0x2000)],
    [begin(), span(0, 0x1000)], [begin(), span(0x1000, 1 << 60)], [begin(), record(dump.SPAN, b"1")], [begin(), memory(0x1fff, b"xx")],
    [begin(), memory((1 << 64) - 1, b"xx")], [begin(), record(dump.MEMORY, b"")], [begin(), record(dump.STACK, bytes(100))],
    [begin(), thread(1), record(dump.STACK, struct.pack("<Q", 0) + b"x")], [begin(), record(dump.THREAD, b"short")],
    [begin(), record(dump.THREAD, dump.THREAD_RECORD.pack(1, 1 << 31, b"", 0, 0, bytes(512)))],
    [begin(), record(dump.THREAD, dump.THREAD_RECORD.pack(1, 8, b"", 0, 0, bytes(512)))], [begin(), *[thread(1)] * 513]])
def test_damage(records):
    with pytest.raises(cli.Failure, match="the stream is damaged"):
        take(*records)


def test_more_memory_than_was_asked_for_is_damage():
    with pytest.raises(cli.Failure, match="more memory"):
        take(begin(), *(memory(PAGE * page, b"x" * 2048) for page in range(1, 22)), limit=10 * PAGE)


def test_ranges_that_are_known():
    rows = [span(0x5000, 0x7000), span(0x1000, 0x3000), span(0x3000, 0x4000), span(0x6000, 0x9000)]
    assert take(begin(), *rows, end()).known() == [(0x1000, 0x4000), (0x5000, 0x9000)]
    assert take(begin(), *rows, end(0x8000)).known() == [(0x1000, 0x4000), (0x5000, 0x8000)]
    assert take(begin(), *rows, end(0x6000)).known() == [(0x1000, 0x4000), (0x5000, 0x7000)]


def test_a_second_life_starts_anew():
    found = take(*GOOD, begin(6), thread(7))
    assert [one.id for one in found.threads] == [7] and found.signal == 6 and not found.ended and not found.pages


def sections(data):
    """{segment start: (flags, bytes in the file, size in memory)} of the PT_LOADs of a core file."""
    found = {}
    header = elffile.HEADER.unpack_from(data)
    for i in range(header[10]):
        kind, flags, offset, address, _, size, whole, _ = elffile.PROGRAM_HEADER.unpack_from(data, header[5] + i * elffile.PROGRAM_HEADER.size)
        if kind == elffile.PT_LOAD:
            found[address] = (flags, data[offset:offset + size], whole)
    return found


def test_the_core_file_has_what_is_known_and_no_more():
    program = elffile.Program(0x401000, 64, [elffile.Segment(elffile.PT_LOAD, 5, 0, 0x400000, 0x2000, 0x2000)], 0)
    file = io.BytesIO()
    core.write(take(*GOOD), program, "/a/payload", file)
    found = sections(file.getvalue())
    assert {at: (flags, len(content), whole) for at, (flags, content, whole) in found.items()} == {
        0x400000: (5, 0, 0x2000), 0x500000: (6, 0, 0x1000), 0x501000: (6, 0x2000, 0x2000), 0x503000: (6, 0, 0x1000), 0x600000: (0, 0, 0x1000)}
    assert found[0x501000][1] == bytes(0x1200) + b"here" + bytes(0xdfc)


def test_a_core_file_of_very_many_mappings():
    """Their number has its place in the one section then."""
    rows = [mapping(0x10000 + 2 * PAGE * i, 0x11000 + 2 * PAGE * i) for i in range(70000)]
    file = io.BytesIO()
    core.write(take(begin(), thread(1), *rows, end()), elffile.Program(0, 64, [], 0), "x", file)
    header = elffile.HEADER.unpack_from(file.getvalue())
    assert header[10] == 0xffff and header[12] == 1
    assert elffile.SECTION_HEADER.unpack_from(file.getvalue(), header[6])[7] == 70001


def test_backtraces_are_told_by_thread(monkeypatch):
    """What gdb says of each, what is known without gdb, and in neither case what a terminal would obey."""
    monkeypatch.setattr(backtrace, "kernel_names", lambda addresses: {at: [f"call_{at:x}"] for at in addresses})
    output = "x\n\nThread 2 (LWP 1):\n#0  0x1 in f ()\n#1  main\x1b[2J ()\n\nThread 1 (Thread 0x1 (LWP 2)):\n#0  g ()\n"
    monkeypatch.setattr(backtrace, "ask_gdb", lambda *_: backtrace.parse(output))
    assert backtrace.lines(take(*GOOD), "program", "core") == [
        "thread 2 (worker), which took signal 11 (SIGSEGV):", "  #0  g ()",
        "thread 1 (worker), in the system call futex (in the kernel: call_100 < call_200 < call_300):", "  #0  0x1 in f ()", "  #1  main?[2J ()"]
    monkeypatch.setattr(backtrace, "ask_gdb", lambda *_: None)
    told = backtrace.lines(take(*GOOD), "/nonexistent", "core")
    assert "  #0  0x401234" in told and told[-1] == backtrace.WITHOUT_GDB
