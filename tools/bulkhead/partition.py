# SPDX-License-Identifier: BSD-2-Clause
"""Puts the files on an EFI system partition that exists, in the place of those of an earlier time.

All is written beside first and takes its place by renaming, so a write that fails leaves the old files.
Of the folder `bulkhead` the names that the loader reads are ours; whatever else is there stays."""

import contextlib
import os
import pathlib
import shutil

from bulkhead import esp, seal

BESIDE, OLD = "bulkhead.new", "bulkhead.old"


def flush(tree):
    """What a rename makes valid has to be on the disk before."""
    for path in pathlib.Path(tree).rglob("*"):
        if path.is_file():
            with open(path, "rb") as file:
                os.fsync(file.fileno())


def retire(old, current):
    """Removes a former folder, but for files that are not ours: they move on."""
    if not old.exists():
        return
    if not current.exists():  # we were ended between two renames
        old.rename(current)
        return
    for path in list(old.iterdir()):
        if path.name not in seal.FILES and not (current / path.name).exists():
            path.rename(current / path.name)
    shutil.rmtree(old)


def swap(new, current, old):
    """`current` becomes `old`, and `new` current; or nothing changes."""
    if current.exists():
        current.rename(old)
    try:
        new.rename(current)
    except OSError:
        if old.exists():
            old.rename(current)
        raise


def write(boot, folder, sealed):
    """Everything of a boot.Boot onto the partition mounted at `folder`."""
    folder = pathlib.Path(folder)
    beside, current, old = folder / BESIDE, folder / esp.FOLDER, folder / OLD
    loader = folder / esp.INSTALLED
    retire(old, current)
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, beside, ignore_errors=True)
        shutil.rmtree(beside, ignore_errors=True)
        esp.write(boot, beside, esp.INSTALLED, sealed)
        flush(beside)
        loader.parent.mkdir(parents=True, exist_ok=True)
        swap(beside / esp.FOLDER, current, old)
        os.replace(beside / esp.INSTALLED, loader)
    retire(old, current)
