# SPDX-License-Identifier: BSD-2-Clause
"""Conformance programs that also run on the build machine's Linux (suite `sdk`), in a guest."""

import pytest

PROGRAMS = [(name, library) for name in ("calls", "paths", "memory", "signals", "hugepages") for library in ("sdk", "musl", "glibc")]


@pytest.mark.parametrize("program,library", PROGRAMS)
def test_conformance(guest, payload, program, library):
    ran = guest(payload(program, library), args=["guest"], devices=["edu"]).run()
    assert ran.output("FAIL") == [], ran.log
    assert ran.status == 0, ran.log
