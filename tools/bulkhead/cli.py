# SPDX-License-Identifier: BSD-2-Clause
"""What every command shares: where things are, how to fail, how to call make."""

import ctypes
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


def make(*targets, keep_going=False):
    """Builds make targets with progress on the terminal; True if all were built."""
    command = ["make", "-s", "--no-print-directory", f"-j{jobs()}", *(["-k"] if keep_going else []), *targets]
    return subprocess.run(command, cwd=TOP, stdin=subprocess.DEVNULL, check=False).returncode == 0


def build(*targets):
    """Builds make targets or fails."""
    if not make(*targets):
        raise Failure(f"the build of {' '.join(map(str, targets))} failed")


def die_with_parent():
    """In the child: it must not outlive us, whatever ends us."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
