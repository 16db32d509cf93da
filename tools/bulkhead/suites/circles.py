# SPDX-License-Identifier: BSD-2-Clause
"""Whether files of one folder use each other's functions in a circle, read from the compiled objects.

A function passed as a pointer is no arrow from the file that calls it, only from the one that names it."""

import subprocess

from bulkhead import cli

FOLDERS = ("kernel/iommu", "kernel/ioas", "kernel/irq", "kernel/table")


def symbols(objects):
    """{file: (names that it defines for others, names that it needs)} from {file: its object}."""
    found = {str(compiled): (set(), set()) for compiled in objects.values()}
    lines = subprocess.run(["llvm-nm", "-A", "--format=posix", "--extern-only", *found], stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, check=True).stdout.decode().splitlines() if found else []
    for compiled, _, words in (line.partition(": ") for line in lines):
        name, kind = words.split()[:2]
        found[compiled][kind == "U"].add(name)
    return {name: found[str(compiled)] for name, compiled in objects.items()}


def uses(objects):
    """{file: {other file: names of it that the file uses}} from {file: its object}."""
    found = symbols(objects)
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
