# SPDX-License-Identifier: BSD-2-Clause
"""Runs a folder of pytest tests over all processors and counts the cases from its JUnit report."""

import os
import subprocess
import xml.etree.ElementTree

from bulkhead import cli

# What pytest ends with when it came to its end.
ALL_PASSED, SOME_FAILED = 0, 1


def read_cases(report):
    """[(name, passed)], where passed is None for what was skipped."""
    for case in xml.etree.ElementTree.parse(report).iter("testcase"):
        name = f"{case.get('classname', '').replace('.', '/')}/{case.get('name')}"
        ran_well = case.find("failure") is None and case.find("error") is None
        yield name, ran_well if case.find("skipped") is None else None


def run(results, folder):
    report = cli.BUILD / f"{folder.replace('/', '-')}.xml"
    report.unlink(missing_ok=True)
    environment = dict(os.environ, PYTHONPATH=str(cli.TOP / "tools"), PYTHONDONTWRITEBYTECODE="1")
    done = subprocess.run(["/usr/bin/python3", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", str(cli.jobs()),
                           "--tb=short", "--show-capture=no", "-r", "N", f"--junitxml={report}", folder],
                          cwd=cli.TOP, env=environment, stdin=subprocess.DEVNULL, check=False)
    if done.returncode not in (ALL_PASSED, SOME_FAILED) or not report.exists():
        results.case(folder, False, f"pytest ended with status {done.returncode}")
    if report.exists():
        for name, passed in read_cases(report):
            if passed is None:
                results.skip(name)
            else:
                results.case(name, passed)  # pytest has told the details
