# SPDX-License-Identifier: BSD-2-Clause
"""The C library program that also runs on the build machine's Linux (suite `sdk`), in a guest."""

import pytest


@pytest.mark.parametrize("library", ["sdk"])
def test_libc(guest, payload, library):
    ran = guest(payload("libc", library), args=["guest"], devices=["edu"]).run()
    assert ran.output("FAIL") == [], ran.log
    assert ran.status == 0, ran.log
