# SPDX-License-Identifier: BSD-2-Clause
"""--trace with no machine: its tables against the headers, and what it makes of records."""

import argparse
import io
import re
import struct
import subprocess

import pytest

from bulkhead import calls, cli, trace, trace_tables, uapi

DEBIAN_HEADERS = """#define _GNU_SOURCE
#include <asm/prctl.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/memfd.h>
#include <linux/mman.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>
"""
# What programs never get to see: the number that the C library hides, or that newer headers have.
OWN = {"O_LARGEFILE", "O_DSYNC", "O_SYNC", "TFD_TIMER_CANCEL_ON_SET", "SI_TKILL", "CLONE_DETACHED", "MFD_NOEXEC_SEAL", "MFD_EXEC"}


def numbers(tmp_path, includes, names):
    """{name: its number} as a C compiler says; names that are no macro nor enumerator fail."""
    rows = "".join(f'    printf("{name} %lld\\n", (long long)({name}));\n' for name in names)
    return compiled(tmp_path, f"{includes}int main(void)\n{{\n{rows}    return 0;\n}}\n")


def compiled(tmp_path, text):
    source, program = tmp_path / "numbers.c", tmp_path / "numbers"
    source.write_text(text)
    subprocess.run(["clang", "-w", "-isystem", cli.TOP / "include/uapi", "-o", program, source], check=True)
    told = subprocess.run([program], stdout=subprocess.PIPE, text=True, check=True).stdout
    return {name: int(number) for name, number in (line.split() for line in told.splitlines())}


def own_includes():
    return "#include <stddef.h>\n#include <stdio.h>\n" + "".join(f"#include <linux/{name}>\n" for name in uapi.HEADERS)


def test_numbers_of_the_interface_headers(tmp_path):
    names, _ = uapi.read()
    assert len(names) > 200
    assert {name: number & 0xffffffff for name, number in numbers(tmp_path, own_includes(), names).items()} == \
        {name: number & 0xffffffff for name, number in names.items()}


def test_structures_of_the_interface_headers(tmp_path):
    _, structs = uapi.read()
    found = {f"{name}.": struct_.size for name, struct_ in structs.items()}
    found |= {f"{name}.{member.name}": member.offset for name, struct_ in structs.items() for member in struct_.members}
    rows = "".join(f'    printf("{name} %zu\\n", '
                   + (f"sizeof(struct {name[:-1]})" if name.endswith(".") else "offsetof(struct {}, {})".format(*name.split("."))) + ");\n"
                   for name in found)
    assert len(structs) > 50
    assert compiled(tmp_path, f"{own_includes()}int main(void)\n{{\n{rows}    return 0;\n}}\n") == found


def test_names_of_flags_are_those_of_the_headers(tmp_path):
    tables = [names for names, _ in trace_tables.SETS.values()] + list(trace_tables.CHOICES.values())
    tables += [trace_tables.OPEN, trace_tables.OTHER_COMMANDS, trace_tables.SENDERS, *trace_tables.CODES.values()]
    found = {name: number for table in tables for number, name in table.items() if name not in OWN}
    assert len(found) > 150
    assert numbers(tmp_path, DEBIAN_HEADERS, found) == found


def test_every_command_of_a_device_is_known_with_its_structure():
    names, structs = uapi.read()
    text = "".join((cli.TOP / "include/uapi/linux" / header).read_text() for header in uapi.HEADERS)
    assert set(re.findall(r"^#define (\w+)\s+_IO", text, re.MULTILINE)) == set(trace_tables.COMMANDS)
    words = {"x", "extension", "string", "fdpointer", "number"}
    assert {word for word in trace_tables.COMMANDS.values() if word not in structs} <= words
    assert all(structs[name] for name in trace_tables.FLAGS)
    for (name, member), pattern in trace_tables.NAMED.items():
        assert member in [one.name for one in structs[name].members] and len(trace.numbers_named(pattern)) > 1, pattern
    for prefixes in trace_tables.FLAGS.values():
        assert trace.flags_named(prefixes), prefixes
    assert names["VFIO_IOMMU_MAP_DMA"] == names["VFIO_DEVICE_PCI_HOT_RESET"], "what command_name() tells apart"


def test_calls_are_those_that_the_kernel_has_and_their_words_are_known():
    table = (cli.TOP / "kernel/linux/calls/syscall_table.h").read_text()
    have = {name for _, name in re.findall(r"\b(?:CALL|RESULT)\((\d+), (\w+),", table)}
    assert set(trace_tables.CALLS) <= set(calls.NAMES.values())
    untold = have - set(trace_tables.CALLS)
    assert {"ioctl", "mmap", "openat", "read"} <= have and len(untold) < len(have) / 3
    shower = trace.Shower(trace.Files())
    for words in trace_tables.CALLS.values():
        for word in words:
            word = word.removeprefix(">")
            assert word in trace_tables.SETS or word in trace_tables.CHOICES or word == "->" or hasattr(shower, f"show_{word}"), word
    for word in [*trace_tables.SETS, *trace_tables.CHOICES]:
        assert not hasattr(shower, f"show_{word}"), word


def test_the_kernel_sends_the_memory_that_is_shown():
    """Each row of the kernel's table of pointers is shown as what it is."""
    text = (cli.TOP / "kernel/linux/calls/call_trace.c").read_text()
    rows = re.findall(r"\{(\d), (\w+), (\w+), (\w+), (\w+),\s+\{([\w, ]+)\}\}", text)
    shown = {"STRING": {"path", "string"}, "VECTORS": {"vectors"}, "COMMAND": {"structure"},
             "PLAIN": {"buffer", "pollfds", "epollevents", "epollevent", "time", "stat", "fds"}}
    assert len(rows) > 15
    for argument, when, _, kind, _, numbers_ in rows:
        for number in numbers_.replace("CALL_IOCTL", "16").split(", "):
            name = calls.NAMES[int(number)]
            word = trace_tables.CALLS[name][int(argument)]
            assert word.removeprefix(">") in shown[kind], (name, argument, word)
            assert (when == "AFTER") == word.startswith(">"), (name, argument, word)
            shown.setdefault("told", set()).add((name, int(argument)))
    wanted = {(name, at) for name, words in trace_tables.CALLS.items() for at, word in enumerate(words)
              if word.removeprefix(">") in set().union(*list(shown.values())[:4])}
    assert shown["told"] == wanted


def test_kinds_and_reasons_are_the_kernels():
    header = (cli.TOP / "kernel/machine/console/trace.h").read_text()
    body = re.search(r"enum trace_kind \{(.*?)\}", header, re.DOTALL)[1].replace("= STREAM_TRACE", "")
    assert [word.strip().removeprefix("TRACE_").lower() for word in body.split(",")] == list(trace.KINDS)
    stream = (cli.TOP / "kernel/machine/console/stream.h").read_text()
    assert re.search(rf"STREAM_TRACE = {trace.FIRST_KIND},", stream)
    text = (cli.TOP / "kernel/iommu/fault.c").read_text().replace("REASON_WRONG_SOURCE,", "0x26,")
    assert {int(number, 16): words for number, words in re.findall(r'\{(0x\w\w), "([^"]*)"\}', text)} == trace_tables.FAULT_REASONS


# ---- records ----

class Recorder:
    """Makes records, and keeps what becomes of them."""

    def __init__(self, classes="all"):
        self.out = io.StringIO()
        self.trace = trace.Trace(self.out, trace.parse_classes(classes))
        self.now = 0

    def take(self, kind, subject, number, values, pieces=()):
        self.now += 1_000_000_001
        data = trace.HEAD.pack(self.now, subject, number) + b"".join(struct.pack("<Q", value & (1 << 64) - 1) for value in values)
        for argument, content in dict(pieces).items():
            data += trace.PIECE.pack(argument, len(content)) + content
        self.trace.takers[trace.FIRST_KIND + trace.KINDS.index(kind)](data)

    def call(self, name, arguments, pieces=(), thread=1):
        number = {name: number for number, name in calls.NAMES.items()}[name]
        self.take("call", thread, number, (list(arguments) + [0] * 6)[:6], pieces)

    def result(self, value, pieces=(), thread=1):
        self.take("result", thread, 0, [value], pieces)

    @property
    def lines(self):
        return [re.sub(r"^[\d.]+ ", "", line) for line in self.out.getvalue().splitlines()]


def test_a_call_that_waits_is_there_before_it_ends():
    recorder = Recorder()
    recorder.call("read", [3, 0x1000, 100])
    assert recorder.out.getvalue() == "1.000000001 [1] read(3, "
    recorder.result(2, {1: b"\x1b7"})
    assert recorder.lines == ['[1] read(3, "\\0337", 100) = 2']


def test_calls_of_two_threads_are_told_apart():
    recorder = Recorder()
    recorder.call("read", [3, 0x1000, 8])
    recorder.call("futex", [0x2000, 129, 1], thread=2)
    recorder.result(0, thread=2)
    recorder.result(-4)
    recorder.call("exit_group", [1], thread=2)
    recorder.take("thread_exit", 2, 0, [1])
    recorder.take("thread_exit", 1, 9, [137])
    assert recorder.lines == ["[1] read(3,  <unfinished ...>", "[2] futex(0x2000, FUTEX_WAKE_PRIVATE, 1) = 0",
                              "[1] <... read resumed>0x1000, 8) = -1 EINTR (Interrupted system call)", "[2] exit_group(1) = ?",
                              "[2] +++ exited with 1 +++", "[1] +++ killed by SIGKILL +++"]


def test_descriptors_have_the_names_of_what_they_stand_for():
    recorder = Recorder()
    for name, arguments, result, pieces in (
            ("chdir", [0x1000], 0, {0: b"/dev"}), ("openat", [-100, 0x1000, 2], 3, {1: b"vfio/vfio"}), ("dup2", [3, 9], 9, {}),
            ("close", [3], 0, {}), ("fcntl", [9, 1030, 5], 5, {}), ("close", [3], -9, {}), ("close_range", [5, 9, 0], 0, {}),
            ("fsync", [9], -9, {})):
        recorder.call(name, arguments, pieces)
        recorder.result(result)
    assert recorder.lines[1:] == [
        '[1] openat(AT_FDCWD, "vfio/vfio", O_RDWR) = 3</dev/vfio/vfio>', "[1] dup2(3</dev/vfio/vfio>, 9) = 9</dev/vfio/vfio>",
        "[1] close(3</dev/vfio/vfio>) = 0", "[1] fcntl(9</dev/vfio/vfio>, F_DUPFD_CLOEXEC, 0x5) = 5</dev/vfio/vfio>",
        "[1] close(3) = -1 EBADF (Bad file descriptor)", "[1] close_range(5, 9, 0) = 0", "[1] fsync(9) = -1 EBADF (Bad file descriptor)"]


def test_a_number_means_what_the_file_makes_of_it():
    """The same command of a container and of a device; and what the call wrote into the structure."""
    recorder = Recorder("ioctls")
    names, _ = uapi.read()
    recorder.call("open", [0x1000, 2], {0: b"/dev/vfio/vfio"})
    recorder.result(3)
    recorder.call("ioctl", [3, names["VFIO_IOMMU_UNMAP_DMA"], 0x1000], {2: struct.pack("<IIQQ", 24, 2, 0, 0)})
    recorder.result(0, {2: struct.pack("<IIQQ", 24, 2, 0, 0x3000)})
    recorder.call("ioctl", [4, names["VFIO_DEVICE_PCI_HOT_RESET"], 0x1000], {2: struct.pack("<IIIii", 20, 0, 2, 3, 7)})
    recorder.result(-22)
    recorder.call("ioctl", [4, 0xdead, 0], {})
    recorder.result(-25)
    assert recorder.lines == [
        "[1] ioctl(3</dev/vfio/vfio>, VFIO_IOMMU_UNMAP_DMA, {argsz=24, flags=VFIO_DMA_UNMAP_FLAG_ALL, iova=0x0, size=0x0} => {size=0x3000}) = 0",
        "[1] ioctl(4, VFIO_DEVICE_PCI_HOT_RESET, {argsz=20, flags=0x0, count=2, group_fds=[3</dev/vfio/vfio>, 7]}) = -1 EINVAL (Invalid argument)",
        "[1] ioctl(4, _IOC(0, 0xde, 0xad, 0x0), 0) = -1 ENOTTY (Inappropriate ioctl for device)"]


def test_maps_faults_and_interrupts():
    recorder = Recorder()
    recorder.take("iova_map", 3, 2, [0x100000, 0x201000, 1, 1, 0])
    recorder.take("iova_unmap", 3, 0, [0x100000, 0x1000, 0, 1, 0])
    recorder.take("map", 0, 0, [0x1000, 0x3000, 5])
    recorder.take("unmap", 0, 0, [0x1000, 0x3000])
    recorder.take("dma_fault", 0x0081, 5, [0x7000, 0, 0, 0])
    recorder.take("dma_fault", 0x10081, 0x26, [12, 0, 0, 0])
    recorder.take("page_fault", 1, 1, [0x5008, 6])
    recorder.take("page_fault", 2, 0, [0x5008, 0])
    recorder.take("exception", 2, 6, [0, 0, 0x401000, 4])
    recorder.take("signal", 2, 4, [2, 0x401000])
    recorder.take("interrupt", 0x81, 7, [2])
    assert recorder.lines == [
        "domain 3: iova 0x100000-0x300fff mapped to 2 runs: +1x4K, +1x2M", "domain 3: iova 0x100000-0x100fff unmapped: -1x4K",
        "memory: 0x1000-0x3000 r-x mapped", "memory: 0x1000-0x3000 unmapped",
        "--- 0000:00:10.1 write to 0x7000 refused: reason 0x5, no write permission ---",
        "--- 0001:00:10.1 interrupt with index 0xc refused: reason 0x26, the interrupt came from the wrong source ---",
        "[1] page fault: write to 0x5008: served", "[2] page fault: read of 0x5008 by the kernel: not allowed",
        "[2] --- invalid opcode, rip 0x401000: SIGILL ---", "[2] --- SIGILL {si_signo=SIGILL, si_code=ILL_ILLOPN, si_addr=0x401000} ---",
        "interrupt: 0000:00:10.1 MSI-X 7"]


@pytest.mark.parametrize("kind", trace.KINDS)
def test_short_records_are_damage(kind):
    take = Recorder().trace.takers[trace.FIRST_KIND + trace.KINDS.index(kind)]
    with pytest.raises(cli.Failure, match="the stream is damaged"):
        take(b"short")
    if kind != "result":
        with pytest.raises(cli.Failure, match="the stream is damaged"):
            take(trace.HEAD.pack(1, 1, 1))


def test_whatever_the_pieces_say_is_shown_or_left():
    """Pieces of a payload that has broken the kernel: no structure is as long as it says, and no call gets what it needs."""
    names, _ = uapi.read()
    for name, words in trace_tables.CALLS.items():
        for length in (0, 1, 3, 11, 17, 300):
            recorder = Recorder()
            recorder.call(name, [(1 << 64) - 1] * 6, {at: b"\xff" * length for at in range(len(words))})
            recorder.result(0, {at: b"\xff" * length for at in (*range(len(words)), 16, 17)})
            assert len(recorder.lines) == 1
    for command in trace_tables.COMMANDS:
        for length in (0, 1, 3, 7, 19, 20, 300):
            recorder = Recorder()
            recorder.call("ioctl", [5, names[command], 1], {2: b"\xff" * length})
            recorder.result(0, {2: b"\xfe" * length})
            assert len(recorder.lines) == 1


def test_classes():
    assert trace.parse_classes("irqs,calls") == {"irqs", "calls"} and trace.parse_classes("all") == set(trace.CLASSES)
    assert trace.settings({"ioctls", "irqs"}) == [("trace", "9")] and trace.settings(set()) == []
    with pytest.raises(argparse.ArgumentTypeError, match="no class 'call' of events; there are calls, "):
        trace.parse_classes("call")
