# SPDX-License-Identifier: BSD-2-Clause
"""Whether an #include ever points up the list of layers in docs/architecture.md, or at what is another folder's own."""

import re

from bulkhead import cli

PAGE = "docs/architecture.md"
ROW = re.compile(r"^\| (\d+) \| ([^|]+) \|", re.MULTILINE)
INCLUDE = re.compile(r'^#include "([^"]+)"', re.MULTILINE)
HELD = ("boot", "kernel", "drivers")


def layers(page):
    """{path of a folder or file: its layer}, as the table of the page has them; 0 is the lowest."""
    return {path.rstrip("/"): int(number) for number, cell in ROW.findall(page)
            for path in re.findall(r"`([^`]+)`", cell)}


def layer_of(path, table):
    """The layer of a file: that of the nearest folder which the table names. None if it names none."""
    while path:
        if path in table:
            return table[path]
        path = path.rpartition("/")[0]
    return None


def complaints(name, text, table):
    """What is wrong with the includes of one file."""
    layer = layer_of(name, table)
    if layer is None:
        return [f"{name}: {PAGE} gives it no layer"]
    included = INCLUDE.findall(text)
    return [f"{name} (layer {layer}) includes {path} (layer {layer_of(path, table)}): that points up"
            for path in included if (layer_of(path, table) or 0) > layer] + [
            f"{name} includes {path}: that is another folder's own"
            for path in included if path.endswith("/internal.h") and path.rpartition("/")[0] != name.rpartition("/")[0]]


def check(files, top=cli.TOP):
    """(all is well, what is not)."""
    table = layers((top / PAGE).read_text())
    names = {str(path.relative_to(top)): path for path in files
             if path.suffix in (".c", ".h", ".S") and path.relative_to(top).parts[0] in HELD}
    bad = [line for name, path in names.items() for line in complaints(name, path.read_text(), table)]
    bad += [f"{PAGE}: there is no {path}" for path in table if not (top / path).exists()]
    return not bad, "\n".join(bad)
