# SPDX-License-Identifier: BSD-2-Clause
"""The pytest plugin: `pytest_plugins = ["bulkhead.pytest"]` in a conftest.py gives tests the fixture `guest`."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Generator, Iterator
from typing import Any

import pytest

from bulkhead import Guest

MADE = pytest.StashKey[list[Guest]]()


@pytest.fixture(scope="session")
def guest_type() -> type[Guest]:
    """What `guest` makes; a conftest.py may name a subclass instead."""
    return Guest


@pytest.fixture
def guest(request: pytest.FixtureRequest, tmp_path: pathlib.Path, guest_type: type[Guest]) -> Iterator[Callable[..., Guest]]:
    """guest(payload, ...) makes a bulkhead.Guest with these arguments, in a folder of the test's; start() or run() it.
    Whatever still runs at the end of the test is ended. What a failed test's guests have shown is told with it."""
    made: list[Guest] = request.node.stash.setdefault(MADE, [])

    def make_guest(payload: Any, **options: Any) -> Guest:
        folder = tmp_path / f"guest{len(made)}"
        folder.mkdir()
        made.append(guest_type(payload, folder, **options))
        return made[-1]

    yield make_guest
    for one in made:
        one.close()
        (one.folder / "memory.img").unlink(missing_ok=True)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, None]:
    """Adds to a failed test what its guests have shown."""
    outcome = yield
    told = outcome.get_result()
    if told.when == "call" and told.failed:
        for number, one in enumerate(item.stash.get(MADE, [])):
            told.sections.append((f"guest {number}", one.log))
