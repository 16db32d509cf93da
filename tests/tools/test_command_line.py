# SPDX-License-Identifier: BSD-2-Clause
"""docs/command-line.md against the parsers: every command has its section, every option its row, and no more."""

import argparse
import importlib
import pathlib
import re
import sys

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tools"))

from bulkhead import report  # noqa: E402
from bulkhead.__main__ import COMMANDS  # noqa: E402

PAGE = (TOP / "docs/command-line.md").read_text()
SECTIONS = dict(re.findall(r"^## (\S+)\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S))


def options_of(name):
    """What the parser of a command takes; what it does not tell of in its help is no one's business."""
    module = importlib.import_module(COMMANDS[name][0])
    if not hasattr(module, "parser"):
        return set()
    return {option for action in module.parser()._actions for option in action.option_strings
            if action.help is not argparse.SUPPRESS} - {"-h", "--help"}


def documented(section):
    """The options in the first columns of a section's tables."""
    cells = re.findall(r"^\| (`.*?`) \|", section.partition("\n### ")[0], re.M)
    return {word for cell in cells for quoted in re.findall(r"`(.*?)`", cell) for word in re.findall(r"(?<!\S)--?[a-z][a-z-]*", quoted)}


def test_every_command_has_its_section():
    assert set(COMMANDS) <= SECTIONS.keys()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_has_its_row(name):
    assert documented(SECTIONS[name]) == options_of(name)


def test_the_statuses_of_a_run():
    statuses = re.findall(r"^\| (\d+) \|", SECTIONS["run"], re.M)
    assert statuses == [str(report.TIMED_OUT), str(report.NOT_THE_PAYLOAD)]
