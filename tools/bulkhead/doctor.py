# SPDX-License-Identifier: BSD-2-Clause
"""./bulkhead doctor: what is installed here and what works."""

import argparse
import fcntl
import os
import pathlib
import shutil
import subprocess
import sys

from bulkhead import cli, firmware, machine, version

DESCRIPTION = """Tells, one line each, what Bulkhead needs and finds on this machine: packages by command, compilers, QEMU and
what its intel-iommu can do, KVM, OVMF, gdb. Installs and builds nothing. Exit status 1: something is missing without
which `./bulkhead run` does not work."""

# Groups of tools/packages -> what needs them; the first ones are needed for `run`.
GROUPS = {"python": "every command", "build": "building", "run": "run", "uefi": "--firmware uefi and image", "test": "test",
          "prove": "prove"}
# Options of intel-iommu that the kernel can make use of, or that tests do.
IOMMU_OPTIONS = ("intremap", "caching-mode", "aw-bits", "device-iotlb", "snoop-control", "dma-translation", "x-scalable-mode",
                 "x-flts", "x-pasid-mode", "stale-tm")
# Program -> the Debian package with it; those of the first set are needed where Bulkhead is built.
BUILDERS = {"clang": "clang", "ld.lld": "lld"}
OTHERS = {"musl-gcc": "musl-tools", "gcc": "gcc", "gdb": "gdb"}
QEMU_MIN = (7, 2, 0)
KVM_GET_API_VERSION, KVM_API_VERSION = 0xae00, 12
OK, MISSING, NOTE = "ok", "MISSING", "-"


def packages(group):
    lines = [line.split() for line in (cli.TOP / "tools/packages").read_text().splitlines()]
    return [package for line in lines if line[:1] == [group] for package in line[1:]]


def installed():
    """Names of installed Debian packages; None where there is no dpkg."""
    if not shutil.which("dpkg-query"):
        return None
    said = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n"], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=False).stdout
    return {line.split()[0] for line in said.splitlines() if line.endswith(" installed")}


def check_packages():
    there = installed()
    needed = ("python", "run") if cli.INSTALLED else ("python", "build", "run")
    for group, what in GROUPS.items():
        if cli.INSTALLED and group in ("test", "prove"):
            continue
        missing = [name for name in packages(group) if there is not None and name not in there]
        if there is None:
            yield NOTE, f"packages for {what}", "this is no Debian: see tools/packages for what is needed"
        elif missing:
            yield MISSING if group in needed else NOTE, f"packages for {what}", f"not installed: {' '.join(missing)}"
        else:
            yield OK, f"packages for {what}", "all installed"


def check_programs():
    for what, package in (BUILDERS | OTHERS).items():
        path = shutil.which(what)
        if not path:
            needed = what in BUILDERS and not cli.INSTALLED
            yield MISSING if needed else NOTE, what, f"not found (in Debian's package {package})"
            continue
        said = subprocess.run([path, "--version"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False).stdout
        yield OK, what, f"{said.splitlines()[0] if said else 'does not tell its version'} ({path})"


def iommu_options():
    """The options that this QEMU's intel-iommu has."""
    said = subprocess.run([machine.QEMU, "-device", "intel-iommu,help"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          check=False).stdout
    return [option for option in IOMMU_OPTIONS if f" {option}=" in said]


def check_qemu():
    found = version.qemu()
    if not found:
        yield MISSING, "QEMU", f"{machine.QEMU} is not found"
        return
    numbers, path = found
    text = f"{'.'.join(map(str, numbers))} ({path})"
    yield (OK, "QEMU", text) if numbers >= QEMU_MIN else (NOTE, "QEMU", f"{text}: Bulkhead was never tried with one before 7.2")
    options = iommu_options()
    yield (OK, "intel-iommu", f"has {', '.join(options)}") if "intremap" in options else (MISSING, "intel-iommu", "this QEMU has none")


def check_kvm():
    try:
        with open("/dev/kvm", "rb+", buffering=0) as device:
            works = fcntl.ioctl(device, KVM_GET_API_VERSION) == KVM_API_VERSION
        yield (OK, "KVM", "works: --accel kvm") if works else (NOTE, "KVM", "another interface than QEMU's; --accel tcg works without")
    except OSError as problem:
        yield NOTE, "KVM", f"cannot be used (/dev/kvm: {problem.strerror}); --accel tcg, the default, works without"


def check_firmware():
    path = pathlib.Path(firmware.OVMF)
    yield (OK, "OVMF", str(path)) if path.exists() else (NOTE, "OVMF", f"no {path}, which --firmware uefi takes")


def check_build():
    if cli.INSTALLED:
        yield OK, "Bulkhead", f"{version.own()}, installed in {cli.TOP}"
        return
    built = (cli.BUILD / "kernel.elf").exists()
    parent = next(folder for folder in (cli.BUILD, *cli.BUILD.parents) if folder.exists())
    may_write = os.access(parent, os.W_OK)
    text = f"{version.own()}, {'built' if built else 'to be built'} in {cli.BUILD}"
    yield (OK, "Bulkhead", text) if built or may_write else (MISSING, "Bulkhead", f"{text}, which you may not write: set BULKHEAD_BUILD")


CHECKS = (check_build, check_packages, check_programs, check_qemu, check_kvm, check_firmware)


def parser():
    return argparse.ArgumentParser(prog="./bulkhead doctor", description=DESCRIPTION, allow_abbrev=False)


def main(arguments):
    parser().parse_args(arguments)
    status = 0
    for check in CHECKS:
        for verdict, what, text in check():
            print(f"{verdict:8} {what}: {text}")
            status |= verdict == MISSING
    if status:
        sys.stdout.flush()
        print("bulkhead: what is MISSING is needed for `./bulkhead run`, which offers to install packages", file=sys.stderr)
    return int(status)
