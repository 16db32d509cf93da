# SPDX-License-Identifier: BSD-2-Clause
"""--append: the kernel's command line as people type it (docs/configuration.md#syntax)."""

import re

from bulkhead.cli import Failure

QUOTED = r'"(?:[^"\\]|\\.)*"'
WORD = re.compile(rf'(?:[^\s"]|{QUOTED})+')


def value_of(text):
    """What the kernel would read: quotes are taken away, and inside them a backslash from before what follows."""
    return re.sub(QUOTED, lambda quoted: re.sub(r"\\(.)", r"\1", quoted[0][1:-1]), text)


def settings(text):
    """[(key, value)] of a command line, in order."""
    if re.search(r'\S', WORD.sub("", text)):
        raise Failure(f"--append '{text}': a quote is not closed")
    found = []
    for word in WORD.findall(text):
        key, equals, value = word.partition("=")
        if not equals:
            raise Failure(f"--append '{text}': '{word}' is not KEY=VALUE (docs/configuration.md lists the keys)")
        found.append((key, value_of(value)))
    return found
