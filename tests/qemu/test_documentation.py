# SPDX-License-Identifier: BSD-2-Clause
"""The pages that say how something is done, followed word by word in an empty folder."""

import pytest

import walkthrough
from conftest import TOP

PAGES = sorted(str(path.relative_to(TOP)) for path in (TOP / "README.md", *(TOP / "docs").glob("*.md"))
               if "```console" in path.read_text())


@pytest.mark.parametrize("page", PAGES)
def test_page_works_as_it_says(kernel, tmp_path, page):
    walkthrough.follow(TOP / page, tmp_path, TOP / "bulkhead")


@pytest.mark.parametrize(("shown", "printed", "same"), [
    (["one"], "one\n", True),
    (["one"], "one\ntwo\n", False),
    (["one", "..."], "one\ntwo\nthree\n", True),
    (["...", "three"], "one\nthree", True),
    (["... of ... pages"], "3 of 4 pages\n", True),
    (["a+b"], "aab\n", False),
    (["..."], "", True),
])
def test_shown_and_printed(shown, printed, same):
    assert walkthrough.fits(shown, printed) is same


def test_page_that_is_wrong_is_told(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("```text hello.txt\nhello\n```\n```console\n$ cat hello.txt\nhello\n$ false\n(status 1)\n$ echo 5\n6\n```\n")
    (tmp_path / "folder").mkdir()
    with pytest.raises(walkthrough.Difference, match=r"echo 5\n(.*\n)*.*\n5"):
        walkthrough.follow(page, tmp_path / "folder", "/bin/true")
