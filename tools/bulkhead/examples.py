# SPDX-License-Identifier: BSD-2-Clause
"""The payloads of examples/: built by name, each with the options it wants to be run with.

examples/NAME/example.conf holds lines `option = value`, where option is a long option of
./bulkhead run without its dashes; # starts a comment. What the command line says comes first."""

import os

from bulkhead import cli

DEFAULT = "hello-dma"


def is_name(word):
    """No slash and no dot: an example, not a file."""
    return "/" not in word and "." not in word


def names():
    return sorted(path.parent.name for path in (cli.TOP / "examples").glob("*/example.conf"))


def options(name):
    """The example's own options: [(option, value)]."""
    path = cli.TOP / "examples" / name / "example.conf"
    if not path.exists():
        file = f"; the file of that name is ./{name}" if os.path.exists(name) else ""
        raise cli.Failure(f"no example '{name}'{cli.nearest(name, names())}; there are: {', '.join(names())}{file}", 2)
    found = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        line = line.partition("#")[0].strip()
        if line:
            option, equals, value = (part.strip() for part in line.partition("="))
            if not equals:
                raise cli.Failure(f"{path.relative_to(cli.TOP)}:{number}: no '=' in '{line}'")
            found.append((option, value))
    return found


def program(name):
    """Where make puts the example."""
    return cli.BUILD / "examples" / f"{name}.elf"
