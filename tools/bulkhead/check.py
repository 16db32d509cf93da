# SPDX-License-Identifier: BSD-2-Clause
"""Asks the kernel's own parsers (tools/check), before anything boots, whether it would take what is given."""

import os
import pathlib
import subprocess
import tempfile

from bulkhead import boot as booted
from bulkhead import cli

PROGRAM = "build/check"
REFUSED = 1


def ask(boot):
    """Fails with the kernel's sentence if it would refuse the configuration or the payload of a boot.Boot."""
    words, config = booted.split_settings(boot)
    with tempfile.TemporaryDirectory(prefix="bulkhead.") as folder:
        folder = pathlib.Path(folder)
        (folder / "words").write_bytes(os.fsencode(words))
        (folder / "config").write_bytes(os.fsencode(config))
        payload = ["--payload", boot.payload] if boot.payload else []
        asked = subprocess.run([cli.built(PROGRAM), "--config", folder / "config", "--words", folder / "words",
                                *payload], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, errors="surrogateescape", check=False)
    if asked.returncode == REFUSED:
        raise cli.Failure(f"the machine would refuse this: {asked.stdout.strip()}")
    if asked.returncode:
        raise cli.Failure(f"the configuration and the payload cannot be checked: {asked.stdout.strip()}")
