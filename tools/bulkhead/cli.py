# SPDX-License-Identifier: BSD-2-Clause
"""What every command shares: where things are, how to fail, how to call make."""

import ctypes
import difflib
import os
import pathlib
import re
import signal
import subprocess

from bulkhead import lock

TOP = pathlib.Path(__file__).resolve().parents[2]
VERSION = "VERSION"  # the file that `make install` writes, and no source tree has
INSTALLED = (TOP / VERSION).exists()
BUILD = pathlib.Path((not INSTALLED and os.environ.get("BULKHEAD_BUILD")) or TOP / "build").absolute()
PR_SET_PDEATHSIG = 1
progress = None  # where make tells of what it does; None: on standard output

if INSTALLED:  # with all that was built, and no other
    os.environ.pop("BULKHEAD_BUILD", None)
if os.environ.get("BULKHEAD_BUILD"):  # for sdk/cc and for commands that tests call, from whatever folder
    os.environ["BULKHEAD_BUILD"] = str(BUILD)


class Failure(Exception):
    """One clear sentence for the user; ends the program with `status`."""

    def __init__(self, message, status=1):
        super().__init__(message)
        self.status = status


def need_source(command):
    """Fails where there is no source tree."""
    if INSTALLED:
        raise Failure(f"{command} needs Bulkhead's source: this is an installation ({TOP}); type it in a checkout")


def jobs():
    """How many things to do at once: the processors this process may use."""
    return len(os.sched_getaffinity(0))


def build_folder():
    """The build folder as make gets to know it: relative where it can be, since make takes no blanks."""
    if BUILD == TOP / "build":
        return "build"
    if re.search(r"[\s#$%:\\]", str(BUILD)):
        raise Failure(f"BULKHEAD_BUILD={BUILD}: make cannot build in a folder with a blank or one of #$%:\\ in its name")
    return str(BUILD)


def built(name):
    """The path of what make calls build/NAME."""
    return BUILD / pathlib.Path(name).relative_to("build")


def make_command(*targets):
    """The call of make that builds targets; those that are files are called build/NAME here, wherever that is."""
    folder = build_folder()
    return ["make", "--no-print-directory", f"BUILD={folder}",
            *(re.sub("^build/", lambda _: f"{folder}/", str(target)) for target in targets)]


# What targets of make that are no files stand for.
TARGET_FILES = {"kernel": "build/kernel.elf", "efi": "build/bulkhead.efi", "sdk": "build/sdk/libsdk.a"}


def make(*targets, keep_going=False):
    """Builds make targets with progress on the terminal; True if all were built."""
    if INSTALLED:
        for target in targets:
            if not built(TARGET_FILES.get(target, target)).exists():
                need_source(f"building {target}")
        return True
    command = [*make_command(*targets), "-s", f"-j{jobs()}", *(["-k"] if keep_going else [])]
    try:
        held = lock.building(BUILD)
    except OSError as problem:
        if is_built(*targets):
            return True
        raise Failure(f"cannot build in {BUILD} ({problem.strerror}), and not all that is needed has been built there: "
                      "build as a user who may write there, or elsewhere with BULKHEAD_BUILD=DIR") from None
    with held:
        return subprocess.run(command, cwd=TOP, stdin=subprocess.DEVNULL, stdout=progress, check=False).returncode == 0


def is_built(*targets):
    """Is there nothing to do for these targets?"""
    return subprocess.run([*make_command(*targets), "-q"], cwd=TOP, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, check=False).returncode == 0


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


def nearest(word, known):
    """A hint at the known word that was probably meant, for the end of a sentence, or nothing."""
    found = difflib.get_close_matches(word, known, 1)
    return f", the nearest is '{found[0]}'" if found else ""


def option_value(text):
    """A word inside an option of QEMU, where a comma ends the word unless there are two."""
    return str(text).replace(",", ",,")


def die_with_parent():
    """In the child: it must not outlive us, whatever ends us."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
