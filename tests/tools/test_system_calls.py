# SPDX-License-Identifier: BSD-2-Clause
"""The page on system calls, the kernel's table of them, and Debian's numbers say the same."""

import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tools"))

from bulkhead import calls  # noqa: E402

CALLS = TOP / "kernel/linux/calls"


def table():
    rows = re.findall(r"^    (?:CALL|RESULT)\((\d+), (\w+), ", (CALLS / "syscall_table.h").read_text(), re.M)
    return {name: int(number) for number, name in rows}


def documented():
    rows = re.findall(r"^\| (\w+) \| (\d+) \| (\w+) \| (.*) \|$", (TOP / "docs/system-calls.md").read_text(), re.M)
    return {name: (int(number), state, note) for name, number, state, note in rows}


def debian():
    text = pathlib.Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h").read_text()
    return {name: int(number) for name, number in re.findall(r"#define __NR_(\w+) (\d+)", text)}


def test_every_call_is_documented_and_no_other():
    assert {name: row[0] for name, row in documented().items()} == table()


def test_states():
    for name, (_, state, note) in documented().items():
        assert state in ("yes", "partly"), name
        assert state == "yes" or note.strip(), f"{name}: partly, but it does not say what"


def test_numbers_are_linux_numbers():
    numbers = debian()
    assert {name: numbers[name] for name in table()} == table()


def test_names_for_messages():
    last = max(calls.NAMES)  # Debian's headers may be of a Linux that has calls behind it
    for name, number in debian().items():
        assert number > last or calls.NAMES[number] == name
    count = re.search(r"^#define SYSCALL_COUNT (\d+)$", (CALLS / "syscall.h").read_text(), re.M)
    assert int(count[1]) == last + 1
