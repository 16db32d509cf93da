# SPDX-License-Identifier: BSD-2-Clause
"""How a payload that did not end by itself ended, in one sentence for a person: the kernel's report
knows the signal, its cause and an address; the program's file knows what is at that address."""

import os
import signal
import struct
import subprocess

from bulkhead import elffile


def signal_name(number):
    """11 -> "signal 11 (SIGSEGV)"."""
    try:
        return f"signal {number} ({signal.Signals(number).name})"
    except ValueError:
        return f"signal {number}"


def place(program, address):
    """" in main (hello.c:5)", as far as the program's symbols and debug information say; else ""."""
    try:
        linked = hex(int(address, 16) - elffile.read(program).bias)
        found = subprocess.run(["llvm-symbolizer", "--output-style=GNU", "--functions", f"--obj={program}", linked],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                               text=True, check=False).stdout.splitlines()
    except (OSError, struct.error):  # no such tool; the file has changed since
        return ""
    function, line = (found + ["", ""])[:2]
    if not function or function.startswith("??"):
        return ""
    where = os.path.basename(line.partition(" ")[0])
    return f" in {function}" + ("" if where.startswith("??") else f" ({where})")


def sentence(end, name, program):
    """`end` is the report's member exit; the program is called `name`."""
    reason, why = end.get("reason"), end.get("sentence")
    if reason == "refused":
        return f"the kernel refused to start: {why or 'no reason given'}"
    if reason == "killed":
        at = f", at {end['rip']}{place(program, end['rip'])}" if "rip" in end else ""
        return f"{name} was ended by {signal_name(end.get('signal'))}: {why}{at}"
    return f"{name} did not end by itself: " + ": ".join(filter(None, (reason or "no reason given", why)))
