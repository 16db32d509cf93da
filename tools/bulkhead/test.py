# SPDX-License-Identifier: BSD-2-Clause
"""./bulkhead test: runs the suites and counts every test case of each."""

import argparse
import importlib
import os
import time

from bulkhead import cli, skips

# name -> what it does; each is bulkhead.suites.NAME with run(results)
SUITES = {
    "check": "format, clang-tidy, cppcheck, licences, interface numbers against linux-libc-dev",
    "tools": "the parts of ./bulkhead itself",
    "unit": "the kernel's logic on this machine, with ASan and UBSan",
    "sdk": "the SDK's C library on this machine, beside musl and glibc",
    "fuzz": "a short run of every libFuzzer target",
    "qemu": "whole machines under QEMU",
}

# What tests read to know how far to go: the plain form, then --long.
AMOUNTS = {
    "BULKHEAD_STEPS": ("100000", "10000000"),
    "BULKHEAD_ROUNDS": ("500", "10000"),
    "BULKHEAD_LIVES": ("25", "1000"),
    "BULKHEAD_FUZZ_SECONDS": ("10", "600"),
    "BULKHEAD_LONG": ("", "1"),
}


class Results:
    """Counts cases and keeps the names of those that failed or were skipped."""

    def __init__(self):
        self.passed = 0
        self.failures = []
        self.skipped = {}  # name -> reason

    def case(self, name, passed, detail=""):
        """Notes one case; a failed one is shown at once with its detail."""
        if passed:
            self.passed += 1
            return
        self.failures.append(name)
        print(f"  FAILED\t{name}", flush=True)
        for line in detail.splitlines():
            print(f"    {line}")

    def skip(self, name):
        """Notes one case that did not run; it has failed unless tests/skips.txt says that this system lacks what it needs."""
        reason = skips.reason_for(name)
        if reason:
            self.skipped[name] = reason
        else:
            self.case(name, False, "skipped, which tests/skips.txt does not allow here")

    def total(self):
        """The line that a run ends with."""
        counts = [(self.passed, "passed"), (len(self.failures), "failed")]
        counts += [(len(self.skipped), "skipped")] if self.skipped else []
        return ", ".join(f"{count} {word}" for count, word in counts)

    def note(self, text):
        print(f"  {text}", flush=True)


def parser():
    suites = "".join(f"  {name:8} {text}\n" for name, text in SUITES.items())
    made = argparse.ArgumentParser(
        prog="./bulkhead test", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Builds and runs the tests.", epilog=f"suites (default: all):\n{suites}")
    made.add_argument("--long", action="store_true", help="run the large totals; takes hours")
    made.add_argument("suites", nargs="*", metavar="SUITE", help="see below")
    return made


def parse(arguments):
    made = parser()
    options = made.parse_args(arguments)
    for name in options.suites:
        if name not in SUITES:
            made.error(f"no suite '{name}'{cli.nearest(name, SUITES)}; there are: {', '.join(SUITES)}")
    return options


def run_suite(name, results):
    """Runs one suite; one that cannot go on, or has no case, counts as a failed case, and the next has its turn."""
    print(f"{name}: {SUITES[name]}", flush=True)
    before, failures, start = results.passed, len(results.failures), time.monotonic()
    try:
        importlib.import_module(f"bulkhead.suites.{name}").run(results)
    except (cli.Failure, OSError) as problem:
        results.case(name, False, str(problem))
    if (results.passed, len(results.failures)) == (before, failures):
        results.case(name, False, "no case ran")
    print(f"{name}: {results.passed - before} passed in {time.monotonic() - start:.0f} s", flush=True)


def main(arguments):
    options = parse(arguments)
    cli.need_source("test")
    for name, values in AMOUNTS.items():
        os.environ.setdefault(name, values[options.long])
    results = Results()
    for name in options.suites or SUITES:
        run_suite(name, results)
    for name in results.failures:
        print(f"failed: {name}")
    for name, reason in results.skipped.items():
        print(f"skipped: {name}: {reason}")
    print(results.total())
    return 1 if results.failures else 0
