# SPDX-License-Identifier: BSD-2-Clause
"""Host unit tests: cmocka programs, one per tests/unit/NAME.list; counts cmocka's own cases."""

import concurrent.futures
import os
import re
import subprocess

from bulkhead import cli

CASE = re.compile(r"^\[\s*(RUN|OK|FAILED|SKIPPED)\s*\] (\S+)$")
END = re.compile(r"^\[=+\] \d+ test\(s\) run")
TIMEOUT = 1800  # seconds for one program in the plain form: the longest takes 40 on an idle processor


def read_cases(output):
    """cmocka's report -> [(name, passed)]. A case that began and never ended has failed, and so has one
    that was skipped: on the build machine there is nothing to lack."""
    cases, running = [], None
    for line in output.splitlines():
        if END.match(line):
            running = None
            break
        match = CASE.match(line)
        if not match:
            continue
        word, name = match.groups()
        running = name if word == "RUN" else None
        if word != "RUN":
            cases.append((name, word == "OK"))
    if running:
        cases.append((running, False))
    return cases


def run_program(*command):
    """Runs one test program: (exit status, output); the status is None after a timeout."""
    limit = None if os.environ["BULKHEAD_LONG"] else TIMEOUT
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=limit, cwd=cli.TOP, check=False)
        return done.returncode, done.stdout.decode(errors="replace")
    except FileNotFoundError:
        return None, "not built"
    except subprocess.TimeoutExpired as expired:
        return None, (expired.stdout or b"").decode(errors="replace") + f"\nno end after {limit} s"


def tail(output, lines=40):
    return "\n".join(output.splitlines()[-lines:])


def run(results):
    names = sorted(path.stem for path in (cli.TOP / "tests/unit").glob("*.list"))
    cli.make("unit", keep_going=True)
    with concurrent.futures.ThreadPoolExecutor(cli.jobs()) as pool:
        programs = [cli.BUILD / "unit" / name for name in names]
        for name, (status, output) in zip(names, pool.map(run_program, programs)):
            cases = read_cases(output)
            failed = [case for case, passed in cases if not passed]
            for case, passed in cases:
                results.case(f"unit/{name}/{case}", passed, tail(output))
            if status != 0 and not failed:
                results.case(f"unit/{name}", False, tail(output))
            if status == 0 and not cases:
                results.case(f"unit/{name}", False, "reported no case")
            results.note(f"{name}: {len(cases) - len(failed)} of {len(cases)}")
