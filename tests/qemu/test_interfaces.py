# SPDX-License-Identifier: BSD-2-Clause
"""The conformance programs of the device-file interfaces: one test per rule, as its program names it."""

import re

import pytest

from bulkhead import devices
from bulkhead.cli import TOP

BDF = "0000:00:10.0"
EDU = "edu"
# program -> the machine it wants, its arguments
PROGRAMS = {
    "type1": {"devices": [EDU], "args": [BDF], "settings": [("memlock", "512M")]},
    "iommufd": {"devices": [EDU], "args": [BDF], "settings": [("memlock", "512M")]},
    "uio": {"devices": [f"{EDU},kernel.uio=yes,kernel.dma-memory=yes"], "args": ["/dev/uio0"]},
    "dfl": {"devices": ["afu-model"], "args": ["/dev/dfl-port.0"]},
}


def cases(program):
    folder = TOP / "tests/qemu/payloads"
    sources = sorted(folder.glob(f"{program}/*.c")) or [folder / f"{program}.c"]
    return [case for source in sources for case in re.findall(r"\bCASE\((\w+)\),?", source.read_text())]


@pytest.fixture(scope="module")
def outcome(tmp_path_factory, payload):
    """Runs each program once; tells a case's line."""
    from guest import Guest
    ran = {}

    def line(program, case):
        if program not in ran:
            folder = tmp_path_factory.mktemp(program)
            ran[program] = Guest(payload(program), folder, **PROGRAMS[program]).run()
            (folder / devices.MEMORY).unlink(missing_ok=True)
        found = [said for verdict in (f"ok {case}", f"FAIL {case}:")
                 for said in ran[program].output(verdict) if said.split(":")[0].split()[1] == case]
        return (found or ["(nothing)"])[0], ran[program]
    return line


@pytest.mark.parametrize("program,case", [(program, case) for program in PROGRAMS for case in cases(program)])
def test_rule(outcome, program, case):
    line, ran = outcome(program, case)
    assert line == f"ok {case}", f"{line}\n{ran.log}"


@pytest.mark.parametrize("program", PROGRAMS)
def test_nothing_is_left(outcome, program):
    _, ran = outcome(program, cases(program)[-1])
    assert ran.status == 0, ran.log
    assert ran.output(f"{len(cases(program))} passed, 0 failed"), ran.log
    assert "as Linux" not in ran.serial, ran.log
    assert ran.report["memory"]["pins"] == 0
