# SPDX-License-Identifier: BSD-2-Clause
"""What this system lacks of what tests need: the rows of tests/skips.txt whose question it answers with no.
Tools are asked what they can do, not for their versions."""

import fnmatch
import functools
import pathlib
import subprocess
import tempfile

from bulkhead import cli

TABLE = cli.TOP / "tests/skips.txt"
QEMU = "qemu-system-x86_64"
PROBE = cli.TOP / "tests/qemu/probe/ring3.S"
REFUSED = (2 << 1) | 1  # what QEMU ends with when the probe writes 2


def iommu_has(option):
    """Does QEMU's intel-iommu have an option of this name?"""
    told = subprocess.run([QEMU, "-device", "intel-iommu,help"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return any(word.startswith(f"{option}=") for word in told.stdout.split())


def cpu_refuses(instruction):
    """Does QEMU's processor answer an instruction outside ring 0 with a general-protection fault?"""
    with tempfile.TemporaryDirectory(prefix="bulkhead.") as folder:
        unlinked, image = pathlib.Path(folder) / "ring3.o", pathlib.Path(folder) / "ring3.elf"
        subprocess.run(["clang", "--target=i386-elf", f"-DINSTRUCTION={instruction}", "-c", "-o", unlinked, PROBE], check=True)
        subprocess.run(["ld.lld", "-m", "elf_i386", "-Ttext=0x100000", "-o", image, unlinked], check=True)
        ended = subprocess.run([QEMU, "-cpu", "max", "-nodefaults", "-display", "none", "-no-reboot", "-device",
                                "isa-debug-exit,iobase=0xf4,iosize=1", "-kernel", image],
                               stdin=subprocess.DEVNULL, timeout=60, check=False)
    return ended.returncode == REFUSED


def apt_offers(package):
    """Can apt download the package?"""
    return subprocess.run(["apt-get", "download", "--print-uris", package], stdin=subprocess.DEVNULL, capture_output=True,
                          check=False).returncode == 0


QUESTIONS = {"iommu_has": iommu_has, "cpu_refuses": cpu_refuses, "apt_offers": apt_offers}


@functools.cache
def has(question):
    name, *arguments = question.split()
    return QUESTIONS[name](*arguments)


@functools.cache
def rows():
    """[(pattern of cases, question, reason)]"""
    lines = [line for line in TABLE.read_text().splitlines() if line and not line.startswith("#")]
    return [tuple(word.strip() for word in line.split("|")) for line in lines]


def reason_for(case):
    """Why a test case cannot run on this system; None if it can."""
    return next((reason for pattern, question, reason in rows()
                 if fnmatch.fnmatchcase(case, pattern) and not has(question)), None)
