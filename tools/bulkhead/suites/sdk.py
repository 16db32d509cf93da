# SPDX-License-Identifier: BSD-2-Clause
"""Payloads speak Linux's system calls, so they are tested on this machine first: programs built with
the SDK, musl and glibc have to say the same everywhere. tests/qemu runs them in a guest."""

import re

from bulkhead import cli
from bulkhead.suites import unit

PROGRAMS = [(name, library) for name in ("libc", "calls", "paths", "memory", "signals") for library in ("sdk", "musl", "glibc")]
PROGRAMS += [("threads", library) for library in ("musl", "glibc")]  # the SDK has no threads
CASE = re.compile(r"^(ok|FAIL) (\w+)(.*)$", re.M)


def run(results):
    programs = {f"{name}.{library}": f"build/payloads/{name}.{library}.elf" for name, library in PROGRAMS}
    cli.make(*programs.values(), keep_going=True)
    for library, program in programs.items():
        if not cli.built(program).exists():
            results.case(f"sdk/{library}", False, "not built")
            continue
        status, output = unit.run_program(cli.built(program), "host")
        cases = CASE.findall(output)
        for verdict, name, why in cases:
            results.case(f"sdk/{library}/{name}", verdict == "ok", why)
        if (status != 0 or not cases) and all(verdict == "ok" for verdict, _, _ in cases):
            results.case(f"sdk/{library}", False, f"exit status {status}\n{output}")
        results.note(f"{library}: {sum(verdict == 'ok' for verdict, _, _ in cases)} of {len(cases)}")
