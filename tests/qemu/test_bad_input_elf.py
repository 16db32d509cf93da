# SPDX-License-Identifier: BSD-2-Clause
"""Payload files that are missing, damaged or hostile."""

import re

import pytest

from bad_input import TRACE, assert_refused
from bulkhead import cpio
from elf_file import BASE, DYNAMIC, EXECUTE, INTERPRETER, PAGE, READ, WRITE, Segment, build, code, data

GOOD = build([code(), data()])
KERNEL_HALF = 0xffffffff80000000
USER_END = 0x7ffffffff000

# name -> (the file, the sentence; most begin with "the payload cannot be loaded: ")
FILES = {
    "empty": (b"", "there is no payload: no boot archive was given"),
    "text": (b"#!/bin/sh\necho hello\n", "it is truncated: too short for an ELF header"),
    "header only": (GOOD[:63], "it is truncated: too short for an ELF header"),
    "no segment table": (GOOD[:64], "it is truncated: its program headers lie beyond its end"),
    "half a segment table": (GOOD[:64 + 56 + 20], "it is truncated: its program headers lie beyond its end"),
    "no contents": (GOOD[:64 + 112], "it is truncated: a segment lies beyond its end"),
    "last byte missing": (GOOD[:-1], "it is truncated: a segment lies beyond its end"),
    "32 bits": (build([code()], ident=b"\x7fELF\1\1\1"), "it is not a 64-bit little-endian ELF file"),
    "big endian": (build([code()], ident=b"\x7fELF\2\2\1"), "it is not a 64-bit little-endian ELF file"),
    "aarch64": (build([code()], machine=183), "it is built for another machine than x86-64"),
    "object file": (build([code()], kind=1), "it is not a program (neither executable nor static-PIE)"),
    "core dump": (build([code()], kind=4), "it is not a program (neither executable nor static-PIE)"),
    "no segments": (build([], count=0), "it has no program headers"),
    "wrong segment size": (build([code()], table_entry=32), "its program headers have an unknown size"),
    "segment table elsewhere": (build([code()], table_offset=1 << 40),
                                "it is truncated: its program headers lie beyond its end"),
    "segment table wraps": (build([code()], table_offset=(1 << 64) - 56),
                            "it is truncated: its program headers lie beyond its end"),
    "too many segments": (build([code()], count=65535), "it has more than 64 program headers"),
    "overlapping": (build([code(), data(address=BASE + 8)]), "its segments overlap or are not in ascending order"),
    "overlapping pages": (build([code(), data(address=BASE + 0x800)]),
                          "its segments overlap or are not in ascending order"),
    "equal segments": (build([code(), code()]), "its segments overlap or are not in ascending order"),
    "kernel half": (build([code(), data(address=KERNEL_HALF)]),
                    "a segment lies outside the payload's half of the address space"),
    "end of user space": (build([code(), data(address=USER_END - 2)]),
                          "a segment lies outside the payload's half of the address space"),
    "not canonical": (build([code(), data(address=1 << 62)]),
                      "a segment lies outside the payload's half of the address space"),
    "wraps": (build([code(), data(address=BASE + 2 * PAGE, memory_size=(1 << 64) - 1)]),
              "a segment lies outside the payload's half of the address space"),
    "page zero": (build([code(), data(address=0)]), "a segment lies in the first 64 KiB, which stay unmapped"),
    "larger than memory": (build([code(), data(memory_size=16 << 30)]),
                           "cannot load the program's segment at 0x402000, 17179869184 bytes: not enough memory"),
    "larger in the file": (build([code(), data(memory_size=2)]),
                           "a segment has more bytes in the file than in memory"),
    "huge in the file": (build([code(), data(file_size=1 << 60, memory_size=1 << 60)]),
                         "it is truncated: a segment lies beyond its end"),
    "offset behind the file": (build([code(), data(offset=1 << 30)]),
                               "it is truncated: a segment lies beyond its end"),
    "offset wraps": (build([code(), data(offset=(1 << 64) - 4)]), "it is truncated: a segment lies beyond its end"),
    "not congruent": (build([code(), data(offset=64 + 7)]),
                      "a segment's address and file offset disagree within their pages"),
    "writable and executable": (build([code(flags=READ | WRITE | EXECUTE)]),
                                "a segment is both writable and executable"),
    "entry outside": (build([code()], entry=BASE + 16 * PAGE), "its entry point lies in no executable segment"),
    "entry in data": (build([code(), data()], entry=BASE + 2 * PAGE),
                      "its entry point lies in no executable segment"),
    "entry in the kernel": (build([code()], entry=KERNEL_HALF + 0x200000),
                            "its entry point lies in no executable segment"),
    "entry zero": (build([code()], entry=0), "its entry point lies in no executable segment"),
    "dynamic": (build([code(), Segment(READ, BASE + 4 * PAGE, b"/lib64/ld-linux-x86-64.so.2\0", kind=INTERPRETER)]),
                "it needs a dynamic linker; link it statically"),
}


@pytest.mark.parametrize("name", FILES)
def test_elf(guest, tmp_path, name):
    content, sentence = FILES[name]
    if not sentence.startswith(("there is", "cannot")):
        sentence = f"the payload cannot be loaded: {sentence}"
    program = tmp_path / "payload.elf"
    program.write_bytes(content)
    ran = guest(program, devices=["edu"], trace=TRACE).run()
    assert_refused(ran, re.escape(sentence))


ARCHIVE = cpio.archive([("payload.elf", GOOD, cpio.REGULAR | 0o755)])

# name -> (members of the archive, or its bytes, and the sentence)
ARCHIVES = {
    "no member": ([], "the boot archive holds no payload.elf"),
    "no payload": ([("note", b"text", cpio.REGULAR | 0o644)], "the boot archive holds no payload.elf"),
    "payload is a folder": ([("payload.elf", b"", cpio.DIRECTORY | 0o755)],
                            "the payload cannot be loaded: it is truncated: too short for an ELF header"),
    "payload is empty": ([("payload.elf", b"", cpio.REGULAR | 0o755)],
                         "the payload cannot be loaded: it is truncated: too short for an ELF header"),
    "payload is text": ([("payload.elf", b"text", cpio.REGULAR | 0o755)],
                        "the payload cannot be loaded: it is truncated: too short for an ELF header"),
    "cut in a header": (ARCHIVE[:60],
                        "the boot archive is broken: the archive is truncated: it ends without a trailer"),
    "cut in the payload": (ARCHIVE[:1000],
                           "the boot archive is broken: the archive is truncated: a member lies beyond its end"),
    "no trailer": (cpio.record("payload.elf", GOOD, cpio.REGULAR | 0o755, 1),
                   "the boot archive is broken: the archive is truncated: it ends without a trailer"),
    "bad number": (ARCHIVE[:54] + b"zzzzzzzz" + ARCHIVE[62:],
                   "the boot archive is broken: a header of the archive has a field that is not hexadecimal"),
    "endless name": (cpio.MAGIC + b"ffffffff" * 13 + bytes(100),
                     "the boot archive is broken: a name in the archive is empty or too long"),
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_archive(guest, tmp_path, name):
    members, sentence = ARCHIVES[name]
    archive = tmp_path / "payload.elf"
    archive.write_bytes(members if isinstance(members, bytes) else cpio.archive(members))
    ran = guest(archive, devices=["edu"], trace=TRACE).run()
    assert_refused(ran, re.escape(sentence))


def test_file_that_leaves_no_memory(guest, tmp_path):
    """It fits below the top of memory, but not twice."""
    program = tmp_path / "payload.elf"
    with open(program, "wb") as file:
        file.write(GOOD)
        file.truncate(100 << 20)
    ran = guest(program, devices=["edu"], memory="128M", trace=TRACE).run()
    assert_refused(ran, r"cannot keep the payload as a file: ENOMEM")


def test_file_larger_than_memory(guest, tmp_path):
    """QEMU's own loader refuses it: the kernel is never entered. (For UEFI: test_uefi.py.)"""
    program = tmp_path / "payload.elf"
    with open(program, "wb") as file:
        file.truncate(200 << 20)
    ran = guest(program, devices=["edu"], memory="128M").run()
    assert ran.process.returncode == 1 and ran.report is None
    assert "initrd is too large" in ran.log and "Bulkhead" not in ran.serial


def test_the_good_one_runs(guest, tmp_path):
    """So that the others are refused for what is wrong with them."""
    program = tmp_path / "payload.elf"
    program.write_bytes(GOOD)
    ran = guest(program, devices=["edu"], trace=TRACE).run()
    assert ran.status == 0, ran.log
