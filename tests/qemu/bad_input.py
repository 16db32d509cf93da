# SPDX-License-Identifier: BSD-2-Clause
"""What every refusal has in common: one clear sentence, an end that is no success, the device
stopped, no pin left."""

import re

EDU_COMMAND_WRITE = re.compile(r"pci_cfg_write edu \S+ @0x4 <- (0x[0-9a-f]+)")
TRACE = ("pci_cfg_write",)


def assert_stopped(ran):
    """QEMU says that edu's bus mastering is off at the end, the report that nothing is pinned."""
    writes = [int(found[1], 16) for found in map(EDU_COMMAND_WRITE.search, ran.trace) if found]
    assert not writes or not writes[-1] & 4, ran.log
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
