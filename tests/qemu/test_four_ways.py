# SPDX-License-Identifier: BSD-2-Clause
"""One source, four ways: every example and every conformance program is built with the SDK, musl and
glibc (both static), and for Linux; the first three say the same in a guest."""

import re

import pytest

from bulkhead import examples
from bulkhead.cli import TOP
from conftest import make
from test_afu import FAMILIES
from test_interfaces import PROGRAMS

LIBRARIES = ("sdk", "musl", "glibc")
CONFORMANCE = {**PROGRAMS,
               "vfio_device": {"devices": ["edu"], "args": ["0000:00:10.0"], "icount": 4},
               "sysfs": {"devices": ["nvme"], "args": ["0000:00:10.0"]},
               "families": {"devices": [FAMILIES, "edu"], "args": ["0000:00:10.0", "0000:00:11.0"]}}
# What differs from run to run: how many interrupts several completions share, and addresses of the program.
BY_CHANCE = (r"\d+( \+ \d+)? interrupts", r"\b0x[0-9a-f]{6,}\b")


def built(name, library):
    """An example is found by the SDK's program without a library in its name."""
    if name in examples.names():
        return make(f"build/examples/{name}{'' if library == 'sdk' else '.' + library}.elf")
    return make(f"build/payloads/{name}.{library}.elf")


def wanted(name):
    """The machine for a program."""
    if name in CONFORMANCE:
        return CONFORMANCE[name]
    options = examples.options(name)
    return {"devices": [value for option, value in options if option == "device"],
            "qemu_args": [value for option, value in options if option == "qemu-arg"]}


def said(ran):
    """The lines of the program, without what is left to chance."""
    lines = [line for line in ran.serial.splitlines() if not re.match(r"\[ *\d+\.\d{6}\]", line)]
    for pattern in BY_CHANCE:
        lines = [re.sub(pattern, "...", line) for line in lines]
    return lines


@pytest.mark.parametrize("name", [*examples.names(), *CONFORMANCE])
def test_equal_output(guest, name):
    ran = {library: guest(built(name, library), **wanted(name)).run() for library in LIBRARIES}
    for one in ran.values():
        assert one.status == 0, one.log
    assert len(said(ran["sdk"])) >= 2, ran["sdk"].log
    for library in LIBRARIES[1:]:
        assert said(ran[library]) == said(ran["sdk"]), ran[library].log


CLIENTS = [f"clients/{path.stem}" for path in sorted((TOP / "tests/qemu/payloads/clients").glob("*.c"))]


# Conformance programs that other tests run with three C libraries, or that need Linux to compare with.
OTHERS = ("library", "calls", "paths", "memory", "signals", "hugepages", "file_per_buffer", "threads")


@pytest.mark.parametrize("name", [*examples.names(), *CONFORMANCE, *OTHERS, *CLIENTS])
def test_for_linux(name):
    folder = "examples" if name in examples.names() else "payloads"
    make(f"build/{folder}/{name}.linux")
