# SPDX-License-Identifier: BSD-2-Clause
"""./bulkhead python-path: where the Python package is."""

import argparse

from bulkhead import cli

DESCRIPTION = """Prints the folder in which `import bulkhead` finds the Python package:
PYTHONPATH=$(./bulkhead python-path) python3 mine.py"""


def parser():
    return argparse.ArgumentParser(prog="./bulkhead python-path", description=DESCRIPTION, allow_abbrev=False)


def main(arguments):
    parser().parse_args(arguments)
    print(cli.TOP / "tools")
    return 0
