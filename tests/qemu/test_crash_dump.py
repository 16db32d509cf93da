# SPDX-License-Identifier: BSD-2-Clause
"""A crash as the host gets to know it: the backtraces that ./bulkhead run prints, and the core file as gdb reads it."""

import pathlib
import re
import subprocess

import pytest

from bulkhead import dump, stream
from test_run import run


def gdb(program, core, *commands):
    """What gdb prints; it has to take the file without complaint."""
    words = [word for command in commands for word in ("-ex", command)]
    done = subprocess.run(["gdb", "-nx", "-q", "-batch", "-iex", "set auto-load no", *words, str(program), str(core)],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=180, check=False)
    assert done.returncode == 0 and "warning: C" not in done.stdout and "truncated" not in done.stdout, done.stdout
    return done.stdout


def crash(payload, library, case, tmp_path, *options):
    """(what run() returns, the program, its core file)"""
    program, core = payload("crash", library), tmp_path / "a core"
    ran = run("--core", core, *options, program, "--", case)
    return ran, program, core


def functions(text):
    """The functions of a backtrace, the innermost first."""
    return re.findall(r"^ *#\d+ +(?:0x[0-9a-f]+ in )?([\w?]+) \(", text, re.M)


@pytest.mark.parametrize("library", ["sdk", "musl", "glibc", "pie"])
def test_gdb_reads_the_core_file(payload, tmp_path, library):
    """Signal, callers, arguments, variables, also those that a relocation made."""
    ran, program, core = crash(payload, library, "write", tmp_path)
    assert ran.returncode == 139 and f"bulkhead: core file: {core}\n" in ran.stderr, ran.stderr
    told = gdb(program, core, "bt", "p the_answer", "p the_word", "info registers rip", "p $_siginfo._sifields._sigfault.si_addr")
    assert "terminated with signal SIGSEGV" in told
    assert functions(told)[-3:] == ["break_it", "write_nowhere", "main"], told
    assert "break_it (level=43)" in told and "= 42\n" in told and '"relocated"\n' in told and "(void *) 0x10\n" in told
    assert functions(ran.stderr) == ["break_it", "write_nowhere", "main"], ran.stderr
    assert re.search(r"^bulkhead: thread 1 \(crash\.\w+\.elf\), which took signal 11 \(SIGSEGV\):$", ran.stderr, re.M)


def test_one_of_four_threads(payload, tmp_path):
    """It comes first; of the others one runs, and two are in calls, of which both sides are told."""
    ran, program, core = crash(payload, "glibc", "threads", tmp_path)
    blocks = re.split(r"^bulkhead: ", ran.stderr, flags=re.M)
    threads = [block for block in blocks if block.startswith("thread ")]
    assert len(threads) == 4, ran.stderr
    assert "which took signal 11" in threads[0] and functions(threads[0])[:3] == ["break_it", "write_nowhere", "crash_in_thread"]
    assert "in the system call futex (in the kernel: futex_wait" in threads[1] and "crash_among_four" in functions(threads[1])
    assert "in the system call clock_nanosleep (in the kernel: sleep_until" in threads[2]
    assert "wait_for_ever" in functions(threads[2])
    assert "system call" not in threads[3] and functions(threads[3])[0] == "count_for_ever"
    told = gdb(program, core, "bt 1", "thread apply all bt", "p crash_among_four::counted > 0")
    assert functions(told.partition("\nThread ")[0])[-1] == "break_it" and told.count("(LWP ") >= 4
    assert {"count_for_ever", "wait_for_ever", "crash_among_four"} <= set(functions(told)) and "$1 = 1" in told


@pytest.mark.parametrize("library,case,signal,expected", [
    ("musl", "overflow", 11, ["fall"]), ("sdk", "call", 11, ["??", "call_nothing", "main"]),
    ("glibc", "abort", 6, ["give_up", "main"])])
def test_other_ends(payload, library, case, signal, expected):
    """Without an option: the backtrace alone."""
    ran = run(payload("crash", library), "--", case)
    assert ran.returncode == 128 + signal and "core file" not in ran.stderr
    found = functions(ran.stderr)
    assert found[:len(expected)] == expected or found[-len(expected):] == expected, ran.stderr


def test_a_payload_that_hangs(payload, tmp_path):
    """A time limit tells where it was."""
    ran, program, core = crash(payload, "glibc", "hang", tmp_path, "--append", "payload-timeout=2")
    assert ran.returncode == 125 and "in the system call clock_nanosleep" in ran.stderr and "hang" in functions(ran.stderr)
    assert "hang" in functions(gdb(program, core, "bt"))


def test_a_dump_is_cut_at_its_limit(guest, payload):
    """What was sent is what was there; the cut is told, and of nothing behind it is said that it is zero."""
    ran = guest(payload("crash", "musl"), args=["much"], settings=[("crash-limit", "256K")]).run()
    found = dump.Dump(256 << 10)
    with open(ran.folder / "stream", "rb") as data:
        assert stream.read(data, found.takers())
    assert found.ended and found.cut and found.bytes <= 256 << 10
    filled = [page for page in found.pages.values() if page == b"\x5a" * 4096]
    assert len(filled) > 32
    known = found.known()
    assert all(any(start <= page < end for start, end in known) for page in found.pages)
    assert not any(start <= found.cut < end for start, end in known)
    assert any(found.threads[0].frame[dump.FRAME_RSP] in range(*span) for span in known)  # the stack came first


def test_a_device_is_never_read(guest, payload):
    """The payload has mapped registers, and crashes: that they are mapped is told, and nobody reads them."""
    ran = guest(payload("crash"), args=["device"], devices=["edu"], settings=[("crash-limit", "64M")],
                trace=("memory_region_ops_read",)).run()
    found = dump.Dump(64 << 20)
    with open(ran.folder / "stream", "rb") as data:
        assert stream.read(data, found.takers())
    assert found.ended and found.pages, ran.log
    mapped = [mapping for mapping in found.mappings if b"vfio" in mapping.name]
    assert len(mapped) == 1 and mapped[0].end - mapped[0].start == 1 << 20
    assert not any(mapped[0].start <= page < mapped[0].end for page in found.pages)
    assert not any(start < mapped[0].end and mapped[0].start < end for start, end in found.spans)
    assert not any("name 'edu-mmio'" in line for line in ran.trace)


def test_a_core_file_of_an_earlier_run_goes(payload, tmp_path):
    (tmp_path / "a core").write_bytes(b"old")
    ran, _, core = crash(payload, "sdk", "nothing", tmp_path)
    assert ran.returncode == 2 and not pathlib.Path(core).exists()
