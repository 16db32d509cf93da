# SPDX-License-Identifier: BSD-2-Clause
"""The parts of ./bulkhead itself: the pytest tests of tests/tools."""

from bulkhead.suites import pytest


def run(results):
    pytest.run(results, "tests/tools")
