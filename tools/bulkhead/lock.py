# SPDX-License-Identifier: BSD-2-Clause
"""One build at a time in a build folder, whoever asks: two would write the same files."""

import fcntl
import os
import pathlib
import sys
import time

NAME = "make.lock"
PATIENCE = 1  # seconds to wait before saying so


def try_to_lock(file):
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def holder(file):
    """Who has the lock, for people."""
    file.seek(0)
    pid = file.read().strip()
    try:
        words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        return f"process {pid} ({os.fsdecode(b' '.join(words)).strip()})"
    except (OSError, ValueError):  # it has just begun or ended, or lives in another container
        return "another build"


def building(folder):
    """Returns once nobody else builds in the folder; to be closed when the build is done. Fails as
    open() does where the folder cannot be written."""
    folder.mkdir(parents=True, exist_ok=True)
    file = open(folder / NAME, "a+", encoding="ascii")  # not emptied: the name of who has it is in there
    started, told = time.monotonic(), False
    while not try_to_lock(file):
        if not told and time.monotonic() - started > PATIENCE:
            print(f"bulkhead: waiting for {holder(file)} to finish building in {folder}", file=sys.stderr, flush=True)
            told = True
        time.sleep(0.1)
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file
