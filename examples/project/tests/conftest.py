# SPDX-License-Identifier: BSD-2-Clause
"""Gives the tests the fixture `guest` of the package bulkhead."""

pytest_plugins = ["bulkhead.pytest"]
