# SPDX-License-Identifier: BSD-2-Clause
"""Whether files of one folder use each other's functions in a circle, read from the compiled objects.

A function passed as a pointer is no arrow from the file that calls it, only from the one that names it."""

import subprocess

from bulkhead import cli

FOLDERS = ("kernel/iommu", "kernel/ioas", "kernel/irq", "kernel/table")


def symbols(compiled):
    """(names that an object file defines for others, names that it needs)."""
    lines = subprocess.run(["llvm-nm", "--format=posix", "--extern-only", str(compiled)], stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, check=True).stdout.decode().splitlines()
    words = [line.split() for line in lines]
    return {name for name, kind, *_ in words if kind != "U"}, {name for name, kind, *_ in words if kind == "U"}


def uses(objects):
    """{file: {other file: names of it that the file uses}} from {file: its object}."""
    found = {name: symbols(compiled) for name, compiled in objects.items()}
    owner = {symbol: name for name, (defined, _) in found.items() for symbol in defined}
    arrows = {name: {} for name in found}
    for name, (_, needed) in found.items():
        for symbol in sorted(needed & owner.keys()):
            arrows[name].setdefault(owner[symbol], []).append(symbol)
    return arrows


def reached(arrows, start):
    """Every file that can be reached from one by one arrow or more."""
    seen, ahead = set(), list(arrows[start])
    while ahead:
        name = ahead.pop()
        if name not in seen:
            seen.add(name)
            ahead += arrows[name]
    return seen


def circles(arrows):
    """Each circle as a sorted list of files."""
    beyond = {name: reached(arrows, name) for name in arrows}
    return sorted({tuple(sorted(other for other in beyond[name] if name in beyond[other]))
                   for name in arrows if name in beyond[name]})


def told(circle, arrows):
    """One circle as text: each arrow in it, with the names it stands for."""
    lines = [f"  {name} -> {other}: {', '.join(arrows[name][other])}"
             for name in circle for other in arrows[name] if other in circle]
    return "\n".join([f"{len(circle)} files use each other in a circle:", *lines])


def check(folders=FOLDERS, top=cli.TOP, build=cli.BUILD):
    """(all is well, what is not). The objects must have been compiled."""
    bad = []
    for folder in folders:
        arrows = uses({f"{folder}/{path.name}": build / f"obj/{folder}/{path.name}.o"
                       for path in sorted((top / folder).glob("*.c"))})
        bad += [told(circle, arrows) for circle in circles(arrows)]
    return not bad, "\n".join(bad)
