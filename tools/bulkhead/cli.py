# SPDX-License-Identifier: BSD-2-Clause
"""What every command shares: where things are, how to fail, how to call make."""

import contextlib
import ctypes
import fcntl
import os
import pathlib
import signal
import subprocess

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = TOP / "build"
PR_SET_PDEATHSIG = 1


class Failure(Exception):
    """One clear sentence for the user; ends the program with `status`."""

    def __init__(self, message, status=1):
        super().__init__(message)
        self.status = status


def jobs():
    """How many things to do at once: the processors this process may use."""
    return len(os.sched_getaffinity(0))


@contextlib.contextmanager
def building():
    """One build at a time in the build folder, whoever asks: two would write the same files."""
    BUILD.mkdir(exist_ok=True)
    with open(BUILD / "make.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def make(*targets, keep_going=False):
    """Builds make targets with progress on the terminal; True if all were built."""
    command = ["make", "-s", "--no-print-directory", f"-j{jobs()}", *(["-k"] if keep_going else []), *targets]
    with building():
        return subprocess.run(command, cwd=TOP, stdin=subprocess.DEVNULL, check=False).returncode == 0


def build(*targets):
    """Builds make targets or fails."""
    if not make(*targets):
        raise Failure(f"the build of {' '.join(map(str, targets))} failed")


def read_text(name):
    """A text file of the user's. Bytes that are no UTF-8 go to the kernel as they are."""
    try:
        return pathlib.Path(name).read_text(encoding="utf-8", errors="surrogateescape")
    except (OSError, ValueError) as problem:
        raise Failure(f"cannot read {name}: {problem}") from None


def option_value(text):
    """A word inside an option of QEMU, where a comma ends the word unless there are two."""
    return str(text).replace(",", ",,")


def die_with_parent():
    """In the child: it must not outlive us, whatever ends us."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
