# SPDX-License-Identifier: BSD-2-Clause
"""Kernels with single calls taken out of their source, for tests that have to fail with them, or with a
word of it replaced. A call is named by file, function and callee; one that is not there is an error, so
a list of removals cannot outlive the source it speaks of."""

import re

from bulkhead import cli
from conftest import TOP, make


def body_of(text, function):
    """(start, end) of a function's body. Functions begin and end in the first column."""
    found = re.search(rf"^[A-Za-z][^\n;{{}}]*\b{function}\((?:[^;{{}}]*?)\)\n\{{\n(.*?)^\}}", text, re.MULTILINE | re.DOTALL)
    assert found, f"no function {function}"
    return found.span(1)


def end_of_call(text, at):
    """Where the parenthesis that opens at `at` is closed."""
    depth = 0
    for at in range(at, len(text)):
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        if depth == 0:
            return at + 1
    raise ValueError("a parenthesis is not closed")


def remove_call(text, function, callee):
    """The text with every `callee(...)` of the function replaced by 0."""
    start, end = body_of(text, function)
    kept, at = text[:start], start
    for found in re.finditer(rf"\b{callee}\(", text[start:end]):
        kept += text[at:start + found.start()] + "0"
        at = end_of_call(text, start + found.end() - 1)
    assert at > start, f"{function} does not call {callee}"
    return kept + text[at:]


def replace_word(text, old, new):
    """The text with a word replaced by another wherever it stands."""
    changed, count = re.subn(rf"\b{old}\b", new, text)
    assert count, f"no {old}"
    return changed


def change_sources(name, change, changes):
    """Puts changed sources below build/variants/NAME: (file, ...) is change(text, ...) of its text."""
    folder = cli.BUILD / "variants" / name
    sources = {}
    for path, *what in changes:
        sources[path] = change(sources.get(path) or (TOP / path).read_text(), *what)
    for path, text in sources.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists() or target.read_text() != text:
            target.write_text(text)


def kernel_without(name, calls, image="kernel.elf"):
    """The path of a kernel (or "test-kernel.elf") without these calls, (file, function, callee) each."""
    change_sources(name, remove_call, calls)
    return make(f"build/variants/{name}/{image}")


def kernel_with(name, words):
    """The path of a kernel with words replaced, (file, old, new) each."""
    change_sources(name, replace_word, words)
    return make(f"build/variants/{name}/kernel.elf")


def host_test_without(name, calls, program):
    """The path of tests/unit/test_PROGRAM.c, compiled with sources without these calls."""
    change_sources(name, remove_call, calls)
    return make(f"build/variants/{name}/{program}")
