# SPDX-License-Identifier: BSD-2-Clause
"""./bulkhead test itself: whatever goes wrong with a suite has to be counted as a failure."""

import pathlib
import sys
import types

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tools"))

from bulkhead import cli, skips, test  # noqa: E402
from bulkhead.suites import check, links, sdk, unit  # noqa: E402
from bulkhead.suites import pytest as pytest_suite  # noqa: E402


@pytest.fixture
def results():
    return test.Results()


@pytest.mark.parametrize("problem", [cli.Failure("no compiler"), FileNotFoundError("git")])
def test_a_suite_that_cannot_go_on_has_failed(monkeypatch, results, problem):
    def run(_results):
        raise problem

    monkeypatch.setitem(sys.modules, "bulkhead.suites.tools", types.SimpleNamespace(run=run))
    test.run_suite("tools", results)
    assert (results.passed, results.failures) == (0, ["tools"])


def test_a_suite_without_a_case_has_failed(monkeypatch, results):
    results.case("check/before", True)
    monkeypatch.setitem(sys.modules, "bulkhead.suites.tools", types.SimpleNamespace(run=lambda _results: None))
    test.run_suite("tools", results)
    assert (results.passed, results.failures) == (1, ["tools"])


def test_a_program_that_does_not_end(monkeypatch):
    monkeypatch.setattr(unit, "TIMEOUT", 0.1)
    monkeypatch.setenv("BULKHEAD_LONG", "")
    status, output = unit.run_program("sleep", "100")
    assert status is None and "no end after" in output


@pytest.mark.parametrize("script, passed, failures", [
    ("echo ok one; echo ok two", 2, []),
    ("echo ok one; echo FAIL two: why; exit 1", 1, ["sdk/x.sdk/two"]),
    ("echo ok one; exit 1", 1, ["sdk/x.sdk"]),
    ("true", 0, ["sdk/x.sdk"]),
])
def test_verdicts_of_conformance_programs(monkeypatch, tmp_path, results, script, passed, failures):
    program = tmp_path / "build/payloads/x.sdk.elf"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr(cli, "BUILD", tmp_path / "build")
    monkeypatch.setattr(cli, "make", lambda *targets, keep_going: True)
    monkeypatch.setattr(sdk, "PROGRAMS", [("x", "sdk")])
    monkeypatch.setenv("BULKHEAD_LONG", "")
    sdk.run(results)
    assert (results.passed, results.failures) == (passed, failures)


@pytest.mark.parametrize("tests, passed, failed", [
    ("", 0, 1),  # none at all
    ("def test_good(): pass\ndef test_bad(): assert False\n", 1, 1),
    ("import nowhere\n", 0, 1),
    ("import pytest\ndef test_left_out(): pytest.skip('why')\n", 0, 1),  # not in tests/skips.txt
])
def test_verdicts_of_pytest(monkeypatch, tmp_path, results, tests, passed, failed):
    (tmp_path / "test_them.py").write_text(tests)
    monkeypatch.setattr(cli, "BUILD", tmp_path)
    pytest_suite.run(results, str(tmp_path))
    assert (results.passed, len(results.failures)) == (passed, failed)


def test_nothing_is_checked_where_git_knows_no_files(monkeypatch, tmp_path):
    monkeypatch.setattr(cli, "TOP", tmp_path)
    with pytest.raises(cli.Failure, match="git"):
        check.repository_files()


@pytest.mark.parametrize("page, output", [
    ("`pitfall_01_one`, `test_two`; `test_three.py`. `ENOMEM`", ""),
    ("`pitfall_01_one`, `test_gone`, `of_no_test`", "there is no test of_no_test\nthere is no test test_gone"),
    ("`test_two`", "pitfall_01_one is left out"),
])
def test_tests_that_the_page_of_pitfalls_names(monkeypatch, tmp_path, page, output):
    for name, text in (("docs/pitfalls.md", page), ("tests/unit/test_one.c", "static void pitfall_01_one(void **state)\n{\n}\n"),
                       ("tests/qemu/test_three.py", "def test_two(guest):\n    pass\n\n\ndef of_no_test():\n    pass\n")):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(cli, "TOP", tmp_path)
    passed, told = check.check_named_tests(sorted(tmp_path.glob("tests/*/*")))
    assert (passed, told.replace("docs/pitfalls.md: ", "")) == (not output, output)


PAGES = {
    # what a page says -> what is wrong with it
    "[a](b.md), [c](../LICENSE), [d](b.md#a-heading-with-code), [e](https://x.example/#y)": "",
    "`docs/b.md`, `docs/NAME.md`, `docs/*.c`, `docs/b.md and more`, `/docs/x`": "",
    "[a](c.md)": "c.md: there is no such file",
    "[a](b.md#nothing)": "b.md#nothing: there is no such heading",
    "[a](#nothing)": "a.md#nothing: there is no such heading",
    "`docs/c.md`": "docs/c.md: there is no such file",
    "```\n[a](c.md)\n```\n": "",
}


@pytest.mark.parametrize("text", PAGES)
def test_links(tmp_path, text):
    files = {"README.md": "[a](docs/a.md) [b](docs/b.md)", "LICENSE": "", "docs/a.md": text,
             "docs/b.md": "## A heading (with `code`) \n```\n# nothing\n```\n",
             "kernel/x.c": "/* docs/b.md */"}
    write(tmp_path, files)
    well, what = links.check([tmp_path / name for name in files], tmp_path)
    assert (well, what) == (not PAGES[text], PAGES[text] and f"docs/a.md: {PAGES[text]}")


def test_links_of_sources_and_pages_nobody_finds(tmp_path):
    files = {"README.md": "", "docs/a.md": "", "kernel/x.c": "/* docs/b.md#c */"}
    write(tmp_path, files)
    assert links.check([tmp_path / name for name in files], tmp_path) == (
        False, "kernel/x.c: docs/b.md#c: there is no such file\ndocs/a.md: README.md does not lead there")


def write(folder, files):
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)


@pytest.mark.parametrize("question, answer, skipped, failures", [
    ("lacks", False, {"x/test_them/test_new": "too old"}, []),
    ("lacks", True, {}, ["x/test_them/test_new"]),  # the system has it: nothing to skip for
    (None, False, {}, ["x/test_them/test_new"]),  # no row at all
])
def test_only_listed_skips_are_none_that_failed(monkeypatch, tmp_path, results, question, answer, skipped, failures):
    table = tmp_path / "skips.txt"
    table.write_text("# a list\n" + (f"x/*new* | {question} it | too old\n" if question else ""))
    monkeypatch.setattr(skips, "TABLE", table)
    monkeypatch.setattr(skips, "QUESTIONS", {"lacks": lambda word: answer and word == "it"})
    for cached in (skips.rows, skips.has):
        cached.cache_clear()
    results.skip("x/test_them/test_new")
    for cached in (skips.rows, skips.has):
        cached.cache_clear()
    assert (results.skipped, results.failures) == (skipped, failures)


def test_every_question_of_the_list_can_be_asked():
    for pattern, question, reason in skips.rows():
        assert question.split()[0] in skips.QUESTIONS and reason, pattern


def test_the_last_line(results):
    results.case("one", True)
    assert results.total() == "1 passed, 0 failed"
    results.skipped["two"] = "why"
    assert results.total() == "1 passed, 0 failed, 1 skipped"


@pytest.mark.parametrize("text, lines", [
    ("#define A(n) ((n)*8)\n", [1]), ("#define A(n) ((n) * 8)\n#define B(p) ((p)->a)\n#define C ((int)-1)\n", []),
    ("\nint a = (uint16_t) ~b;\n", [2]), ("int a = sizeof(uint16_t) - 1, b = (uint16_t)~c;\n", []),
    ("#define A \\\n    { \\\n        1, 2 \\\n    }\n", [1]), ("#define A \\\n    do { \\\n    } while (0)\n", []),
    ("#define A(n) \\\n    { \\\n        .a = n \\\n    }\n} * b;\nint (*const c[])(int * d) = {e};\n", [1, 5, 6]),
    ("int a = _Generic(b, int : 1, default : 2);\nint c = b ? 1 : 2;\n", [1]),
    ("/* clang-format off */\n#define A(n) ((n)-1)\n/* clang-format on */\nint a = (uint8_t) -b;\n", [4]),
])
def test_what_versions_of_clang_format_differ_in(tmp_path, text, lines):
    source = tmp_path / "a.c"
    source.write_text(text)
    assert [int(line.split(":")[1]) for line in check.unsettled(source)] == lines


@pytest.mark.parametrize("bar, odd", [
    ("/* ---- in order ---- */", False),
    ("/* ---- In order ------------------------------------ */", True),
    ("/* ---- in order -----------------------------------\n */", True),
    ("/*** in order ***/", True),
    ("/* -1: none */", False),
])
def test_headings_have_one_form(tmp_path, bar, odd):
    source = tmp_path / "a.c"
    source.write_text(f"int a;\n\n{bar}\n")
    assert bool(check.odd_bars(source)) == odd


@pytest.mark.parametrize("name, line, accepted", [
    ("kernel/a.c", "/* {} */", True),
    ("kernel/a.c", "// {}", False),
    ("tools/a.py", "# {}", True),
    ("tools/a.py", "# no such line", False),
])
def test_licence_lines_have_one_form(name, line, accepted, tmp_path, monkeypatch):
    monkeypatch.setattr(check.cli, "TOP", tmp_path)
    source = tmp_path / name
    source.parent.mkdir()
    source.write_text(line.format(check.SPDX) + "\n")
    assert check.check_licences([source])[0] == accepted
