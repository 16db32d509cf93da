# SPDX-License-Identifier: BSD-2-Clause
"""./bulkhead bench, but for what it measures: its table, the page's, and when it fails."""

import pathlib
import re
import sys

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tools"))

from bulkhead import bench  # noqa: E402

ROW = re.compile(r"^\| `(\w+)` \|[^|]*\| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \|", re.M)
PAGE = {key: [int(number.replace(",", "")) for number in numbers] for key, *numbers in ROW.findall((TOP / "docs/bench.md").read_text())}


def test_the_page_has_the_rows_and_figures_of_the_command():
    assert {key: (measured, aim) for key, (measured, aim, _) in PAGE.items()} == {key: row[1:3] for key, row in bench.ROWS.items()}


def run(monkeypatch, found):
    monkeypatch.setattr(bench, "measure", lambda _keys: found)
    return bench.main([])


@pytest.mark.parametrize("percent", [100, 105])
def test_what_is_recorded_passes_and_five_percent_more(monkeypatch, capsys, percent):
    assert run(monkeypatch, {key: (row[1] * percent // 100, 1) for key, row in bench.ROWS.items()}) == 0
    assert "TOO MUCH" not in capsys.readouterr().out


@pytest.mark.parametrize("key", bench.ROWS)
def test_what_became_slower_fails(monkeypatch, capsys, key):
    """By more than five percent; the command says which row, how much it was and where that is recorded."""
    recorded = bench.ROWS[key][1]
    slower = recorded * 105 // 100 + 1
    assert run(monkeypatch, {key: (slower, 1000)}) == 1
    [complaint] = [line for line in capsys.readouterr().out.splitlines() if line.startswith("TOO MUCH: ")]
    for word in (key, f"{slower:,}", f"{recorded:,}", "tools/bulkhead/bench.py", "docs/bench.md"):
        assert word in complaint
