# SPDX-License-Identifier: BSD-2-Clause
"""Payloads speak Linux's system calls, so the SDK is tested on this machine first: one program
built with the SDK, musl and glibc has to say the same everywhere. tests/qemu runs it in a guest."""

import re
import subprocess

from bulkhead import cli

LIBRARIES = ("sdk", "musl", "glibc")
CASE = re.compile(r"^(ok|FAIL) (\w+)(.*)$", re.M)


def run(results):
    programs = {library: f"build/payloads/libc.{library}.elf" for library in LIBRARIES}
    cli.make(*programs.values(), keep_going=True)
    for library, program in programs.items():
        if not (cli.TOP / program).exists():
            results.case(f"sdk/{library}", False, "not built")
            continue
        done = subprocess.run([cli.TOP / program, "host"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=60, check=False)
        output = done.stdout.decode(errors="replace")
        cases = CASE.findall(output)
        for verdict, name, why in cases:
            results.case(f"sdk/{library}/{name}", verdict == "ok", why)
        if done.returncode != 0 and all(verdict == "ok" for verdict, _, _ in cases):
            results.case(f"sdk/{library}", False, f"exit status {done.returncode}\n{output}")
        results.note(f"{library}: {sum(verdict == 'ok' for verdict, _, _ in cases)} of {len(cases)}")
