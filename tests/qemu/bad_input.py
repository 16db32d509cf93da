# SPDX-License-Identifier: BSD-2-Clause
"""What every refusal has in common: one clear sentence, an end that is no success, the device
stopped, no pin left."""

import re

COMMAND_WRITE = re.compile(r"pci_cfg_write (\S+) (\S+) @0x4 <- (0x[0-9a-f]+)")
BUS_MASTER = 4
TRACE = ("pci_cfg_write",)


def commands(trace):
    """What the command registers of QEMU's devices were given: {(name, address): [value]}, by whomever:
    firmware writes them, too, so a trace that tells of none has not been recorded."""
    written = {}
    for name, address, value in (found.groups() for found in map(COMMAND_WRITE.search, trace) if found):
        written.setdefault((name, address), []).append(int(value, 16))
    assert written, "no write to a command register was traced"
    return written


def assert_stopped(ran):
    """QEMU says that the bus mastering of each edu is off at the end, the report that nothing is pinned."""
    last = [values[-1] for (name, _), values in commands(ran.trace).items() if name == "edu"]
    assert len(last) == sum(word.split(",")[0] == "edu" for word in ran.command), ran.log
    assert not any(value & BUS_MASTER for value in last), ran.log
    assert ran.report["memory"]["pins"] == 0, ran.log
    assert ran.process.returncode not in (0, None), ran.log


def assert_refused(ran, sentence):
    """`sentence` is a regular expression for the whole sentence."""
    assert ran.report is not None, ran.log
    end = ran.report["exit"]
    assert end["reason"] == "refused", ran.log
    assert re.fullmatch(sentence, end["sentence"]), f"{end['sentence']}\n{ran.log}"
    shown = [line for line in ran.serial.splitlines() if "refused: " in line]
    assert len(shown) == 1 and shown[0].endswith(f"refused: {end['sentence']}"), ran.log
    assert_stopped(ran)
