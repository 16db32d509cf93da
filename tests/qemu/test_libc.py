# SPDX-License-Identifier: BSD-2-Clause
"""One program, three C libraries, two systems: what it says in a guest is what it says on Linux."""

import subprocess

import pytest


@pytest.mark.parametrize("library", ["sdk", "musl", "glibc"])
def test_libc(guest, payload, library):
    program = payload("libc", library)
    ran = guest(program, args=["guest"], devices=["edu"]).run()
    assert ran.status == 0, ran.log
    linux = subprocess.run([program, "host"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=False)
    said = [line for line in ran.serial.splitlines() if line.startswith(("ok ", "FAIL "))]
    assert said == [line for line in linux.stdout.splitlines() if line.startswith(("ok ", "FAIL "))]
    assert len(said) > 20
    # The SDK's log is the console; the others look for somebody to tell.
    assert ("]: 100% of it: No such file or directory\n" in ran.serial) == (library == "sdk") and "this is masked" not in ran.serial
