# SPDX-License-Identifier: BSD-2-Clause
"""./bulkhead bench, but for what it measures: its table, the page's, and when it fails."""

import pathlib
import re
import sys

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tools"))

from bulkhead import bench  # noqa: E402

ROW = re.compile(r"^\| `(\w+)` \|[^|]*\| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \|", re.M)
PAGE = {key: [int(number.replace(",", "")) for number in numbers] for key, *numbers in ROW.findall((TOP / "docs/bench.md").read_text())}


def test_the_page_has_the_rows_of_the_command():
    assert {key: (at_most, aim) for key, (_, at_most, aim, _) in PAGE.items()} == {key: row[1:3] for key, row in bench.ROWS.items()}


def run(monkeypatch, found):
    monkeypatch.setattr(bench, "measure", lambda _keys: found)
    return bench.main([])


def test_a_healthy_checkout_passes(monkeypatch, capsys):
    """What the page says was measured."""
    assert run(monkeypatch, {key: (measured, limit) for key, (measured, _, _, limit) in PAGE.items()}) == 0
    assert "TOO MUCH" not in capsys.readouterr().out


@pytest.mark.parametrize("key", bench.ROWS)
def test_what_became_slower_fails(monkeypatch, capsys, key):
    assert run(monkeypatch, {key: (bench.ROWS[key][1] + 1, 1000)}) == 1
    assert "TOO MUCH" in capsys.readouterr().out
