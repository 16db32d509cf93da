# SPDX-License-Identifier: BSD-2-Clause
"""Functions of the kernel's headers that the kernel does not call: only tests would pay for them. And what the
headers themselves define, inline functions and macros, but nobody there mentions.

What the C interface's pages promise to a hypervisor core may have the test kernel as its only caller."""

import collections
import re

from bulkhead import cli
from bulkhead.suites import circles

HELD = ("kernel/", "drivers/", "boot/pvh/")
TESTS = "tests/kernel/"
PAGES = ("docs/ioas.md", "docs/iommu.md")
DEFINED = re.compile(r"^(?:(?:_Noreturn )?static\b[^;{}()=]*?\b|#define )(\w+)\(", re.MULTILINE)
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"", re.DOTALL)


def words(text):
    return re.findall(r"\b\w+\b", COMMENT.sub(" ", text))


def without_body(text, function):
    """A source without one function, whose head and body begin and end in the first column."""
    return re.sub(rf"^[a-z_][^\n;{{}}]*\b{function}\([^;{{}}]*\)\n\{{\n.*?^\}}", "", text, count=1, flags=re.MULTILINE | re.DOTALL)


def called_at_home(name, text):
    """Does the file that defines a function speak of it elsewhere?"""
    return name in words(without_body(text, name))


def unused(sources, headers, excused):
    """[(path, function that the headers declare and nobody calls)] from {path: (text, names that it defines, names
    that it needs)}, but for those that are excused."""
    declared = set(re.findall(r"\b(\w+)\(", COMMENT.sub(" ", headers))) - excused
    needed = {name for _, _, names in sources.values() for name in names}
    return sorted((path, name) for path, (text, defined, _) in sources.items()
                  for name in defined & declared - needed if not called_at_home(name, text))


def unmentioned(texts):
    """[(path, inline function or macro that a header defines and no text of {path: text} mentions again)]."""
    mentions = collections.Counter(word for text in texts.values() for word in words(text))
    return sorted((path, name) for path, text in texts.items() if path.endswith(".h")
                  for name in DEFINED.findall(COMMENT.sub(" ", text)) if mentions[name] == 1)


def check(files, top=cli.TOP, build=cli.BUILD):
    """(all is well, what is not). The objects must have been compiled."""
    names = {str(path.relative_to(top)): path for path in files}

    def chosen(folders, *suffixes):
        return [name for name in names if name.startswith(folders) and names[name].suffix in suffixes]

    found = circles.symbols({name: build / f"obj/{name}.o" for name in chosen((*HELD, TESTS), ".c", ".S")})
    sources = {name: (names[name].read_text(), *found[name]) for name in chosen(HELD, ".c", ".S")}
    headers = "\n".join(names[name].read_text() for name in chosen((*HELD, "include/bulkhead/"), ".h"))
    promised = set(words("\n".join((top / page).read_text() for page in PAGES)))
    tried = {word for name in chosen(TESTS, ".c") for word in found[name][1]}
    texts = {name: names[name].read_text() for name in chosen(("kernel/", "drivers/", "boot/", "include/bulkhead/", TESTS),
                                                              ".c", ".h", ".S")}
    bad = [f"{path}: nothing in the kernel calls {name}()" for path, name in unused(sources, headers, promised & tried)]
    bad += [f"{path}: nothing mentions {name}()" for path, name in unmentioned(texts)]
    return not bad, "\n".join(bad)
