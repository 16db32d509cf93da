# SPDX-License-Identifier: BSD-2-Clause
"""./bulkhead run --gdb, with gdb itself: the payload's main and its variables, the kernel's functions, and the status."""

import re
import subprocess

import pytest

from test_run import RUN


def debug(program, words, *commands):
    """(what gdb said, the status of ./bulkhead run). The machine waits for as long as it takes."""
    with subprocess.Popen([*RUN, "--gdb", program, *words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True) as running:
        try:
            said = []
            for line in running.stderr:
                said.append(line)
                if "the machine waits for the debugger: " in line:
                    break
            else:
                raise AssertionError("".join(said))
            gdb = ["gdb", "-nx", "-batch", *line.split(": gdb ", 1)[1].split()]
            gdb += [word for command in commands for word in ("-ex", command)]
            told = subprocess.run(gdb, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                  timeout=300, check=False).stdout
            return told, running.wait(300)
        finally:
            running.kill()


@pytest.mark.parametrize("library", ["sdk", "pie"])
def test_main_variables_and_the_kernel_behind_a_call(payload, library):
    """Stops in main, also where it is only known when the program is loaded, and in the kernel's function; the payload goes on."""
    told, status = debug(payload("args", library), ["--", "37", "word"], "continue", "print argc", "print argv[1]", "print $cs & 3",
                         "hbreak sys_exit_group", "continue", "print $cs & 3", "backtrace 1", "print status", "delete", "continue")
    assert re.search(r"Temporary breakpoint 1, main \(argc=3, argv=0x7f\w+\) at .*args\.c:\d+", told), told
    values = re.findall(r"^\$\d+ = (.*)$", told, re.M)
    assert values[0] == "3" and values[1].endswith('"37"') and values[2] == "3", told
    assert values[3] == "0" and values[4] == "37" and "kernel/linux/" in told, told
    assert status == 37, told
