# SPDX-License-Identifier: BSD-2-Clause
"""Whole machines under QEMU: the pytest tests of tests/qemu, spread over the processors."""

from bulkhead import cli
from bulkhead.suites import pytest


def run(results):
    cli.make("all", keep_going=True)
    pytest.run(results, "tests/qemu")
