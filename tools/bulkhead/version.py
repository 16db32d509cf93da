# SPDX-License-Identifier: BSD-2-Clause
"""./bulkhead --version: which Bulkhead this is, and which QEMU would run it."""

import re
import shutil
import subprocess

from bulkhead import cli, machine


def own():
    """As `git describe` names the source, which an installation has kept in a file."""
    kept = cli.TOP / cli.VERSION
    if kept.exists():
        return kept.read_text().strip()
    try:
        described = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=cli.TOP, stdin=subprocess.DEVNULL,
                                   capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        described = ""
    return described or "of unknown version (no git, or no repository)"


def qemu():
    """(version as numbers, path) of the QEMU in PATH; None without one that works."""
    path = shutil.which(machine.QEMU)
    if not path:
        return None
    said = subprocess.run([path, "--version"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False).stdout
    found = re.search(r"version (\d+)\.(\d+)\.(\d+)", said)
    return (tuple(map(int, found.groups())), path) if found else None


def main(_arguments):
    print(f"bulkhead {own()}")
    found = qemu()
    print(f"QEMU {'.'.join(map(str, found[0]))} ({found[1]})" if found else "no QEMU found")
    return 0
