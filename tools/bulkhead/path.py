# SPDX-License-Identifier: BSD-2-Clause
"""./bulkhead path: where parts of Bulkhead are, for makefiles and scripts of other projects."""

import argparse

from bulkhead import cli

DESCRIPTION = """Prints a folder: `python`, in which `import bulkhead` finds the Python package (PYTHONPATH=$(./bulkhead path
python) python3 mine.py); `home`, with include/uapi, the headers of the interfaces, sdk/device and sdk/cc, examples and docs."""

FOLDERS = {"python": cli.TOP / "tools", "home": cli.TOP}


def parser():
    made = argparse.ArgumentParser(prog="./bulkhead path", description=DESCRIPTION, allow_abbrev=False)
    made.add_argument("what", choices=FOLDERS, help="which folder")
    return made


def main(arguments):
    print(FOLDERS[parser().parse_args(arguments).what])
    return 0
