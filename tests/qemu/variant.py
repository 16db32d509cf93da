# SPDX-License-Identifier: BSD-2-Clause
"""Kernels with single calls taken out of their source, for tests that have to fail with them. A call
is named by file, function and callee; one that is not there is an error, so a list of removals
cannot outlive the source it speaks of."""

import re

from conftest import TOP, make


def body_of(text, function):
    """(start, end) of a function's body. Functions begin and end in the first column."""
    found = re.search(rf"^[a-z][^\n;{{}}]*\b{function}\((?:[^;{{}}]*?)\)\n\{{\n(.*?)^\}}", text, re.MULTILINE | re.DOTALL)
    assert found, f"no function {function}"
    return found.span(1)


def remove_call(text, function, callee):
    """The text with every statement `callee(...);` of the function made empty; `return callee(...);` says 0."""
    start, end = body_of(text, function)
    body, count = re.subn(rf"^(\s*)(return |){callee}\([^;]*\);", lambda found: f"{found[1]}{found[2]}{'0' if found[2] else ''};",
                          text[start:end], flags=re.MULTILINE)
    assert count, f"{function} does not call {callee}"
    return text[:start] + body + text[end:]


def sources_without(name, calls):
    """Puts sources without some calls, (file, function, callee) each, below build/variants/NAME."""
    folder = TOP / "build/variants" / name
    sources = {}
    for path, function, callee in calls:
        text = sources.get(path) or (TOP / path).read_text()
        sources[path] = remove_call(text, function, callee)
    for path, text in sources.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists() or target.read_text() != text:
            target.write_text(text)


def kernel_without(name, calls):
    """The path of a kernel without these calls."""
    sources_without(name, calls)
    return make(f"build/variants/{name}/kernel.elf")


def host_test_without(name, calls, program):
    """The path of tests/unit/test_PROGRAM.c, compiled with sources without these calls."""
    sources_without(name, calls)
    return make(f"build/variants/{name}/{program}")
