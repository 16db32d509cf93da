# SPDX-License-Identifier: BSD-2-Clause
"""The rows of ./bulkhead bench: none costs more than 5 % above what is recorded for it."""

from bulkhead import bench


def test_no_row_has_become_slower():
    found = bench.measure([])
    assert set(found) == set(bench.ROWS)
    assert not bench.complaints(found)
