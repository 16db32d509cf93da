# SPDX-License-Identifier: BSD-2-Clause
"""How long the kernel keeps interrupts out, measured by tests/qemu/plugins/stretch.c."""

import bisect
import collections
import dataclasses
import functools
import subprocess

from bulkhead import machine

LIMIT = 2_000_000  # instructions: twice what a call may work without letting others in
PLUGIN_VERSIONS = (4, 3, 2, 1)  # of QEMU's plugin interface, the newest first


@functools.cache
def plugin(make):
    """The path of the plugin, built for a version of the interface that this QEMU takes."""
    for version in PLUGIN_VERSIONS:
        path = make(f"build/plugins/stretch.{version}.so")
        command = [machine.QEMU, "-machine", "none", "-display", "none", "-monitor", "stdio", "-plugin",
                   f"file={path},out=/dev/null"]
        done = subprocess.run(command, input=b"quit\n", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
                              check=False)
        if done.returncode == 0:
            return path
    raise AssertionError(f"QEMU takes no plugin: {done.stdout.decode()}")


class Symbols:
    """The functions of a program, by address."""

    def __init__(self, program):
        names = subprocess.run(["llvm-nm", "-n", "--defined-only", program], stdout=subprocess.PIPE, text=True,
                               check=True).stdout.splitlines()
        rows = [(int(address, 16), name) for address, kind, name in map(str.split, names) if kind in "tT"]
        self.addresses, self.names = zip(*rows)

    def name(self, address):
        at = bisect.bisect_right(self.addresses, address)
        return self.names[at - 1] if at else hex(address)


@dataclasses.dataclass
class Stretch:
    """Instructions of the kernel between two points that let interrupts in."""
    length: int
    first: list  # the functions it came through at its beginning
    where: list  # the functions it was in, every 50,000 instructions

    def __str__(self):
        often = ", ".join(f"{name} {count}" for name, count in collections.Counter(self.where).most_common(6))
        return f"{self.length:,} instructions: {often}; began in {' '.join(dict.fromkeys(self.first))}"


def read(path, program):
    """The stretches of a run since user mode ran first, the longest first."""
    symbols = Symbols(program)
    lines = path.read_text().splitlines()
    assert lines and lines[-1] == "end", "the plugin did not come to its end"
    found = []
    for line in lines[:-1]:
        phase, length, first, *where = line.split()
        if phase == "run":
            places = [[symbols.name(int(at, 16)) for at in part.split(",")] for part in (first, *where)]
            found.append(Stretch(int(length), places[0], places[1] if where else []))
    return sorted(found, key=lambda one: -one.length)


def too_long(stretches, limit=LIMIT):
    """The stretches over the limit, as text for a test that wants none."""
    return "\n".join(str(one) for one in stretches if one.length > limit)
