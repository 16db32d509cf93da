# SPDX-License-Identifier: BSD-2-Clause
"""Whole machines under QEMU: the pytest tests of tests/qemu, spread over the processors."""

import os
import subprocess
import xml.etree.ElementTree

from bulkhead import cli


def read_cases(report):
    """A JUnit report -> [(name, passed, detail)], leaving out what was skipped."""
    for case in xml.etree.ElementTree.parse(report).iter("testcase"):
        if case.find("skipped") is not None:
            continue
        problem = next((case.find(tag) for tag in ("failure", "error") if case.find(tag) is not None), None)
        name = f"{case.get('classname', '').replace('.', '/')}/{case.get('name')}"
        yield name, problem is None, "" if problem is None else (problem.text or "")


def run(results):
    cli.make("all", keep_going=True)
    report = cli.BUILD / "qemu-tests.xml"
    report.unlink(missing_ok=True)
    environment = dict(os.environ, PYTHONPATH=str(cli.TOP / "tools"))
    subprocess.run(["/usr/bin/python3", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", str(cli.jobs()),
                    "--tb=no", "-r", "N", f"--junitxml={report}", "tests/qemu"],
                   cwd=cli.TOP, env=environment, stdin=subprocess.DEVNULL, check=False)
    if not report.exists():
        results.case("qemu", False, "pytest left no report")
        return
    for name, passed, detail in read_cases(report):
        results.case(name, passed, detail)
