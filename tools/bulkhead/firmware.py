# SPDX-License-Identifier: BSD-2-Clause
"""The doors into the kernel: how QEMU is told to boot through each of them."""

import dataclasses
import pathlib

from bulkhead import boot as booted
from bulkhead import cli, cpio, disk, esp

OVMF = "/usr/share/ovmf/OVMF.fd"
REFUSAL = "bulkhead: cannot start: "
SECOND_SERIAL_PORT = 0x2f8


def pvh(boot):
    """QEMU starts the kernel itself; the payload is the initial RAM disk, in an archive if need be."""
    words, config = booted.split_settings(boot)
    module = boot.payload
    if config or boot.files:
        module = boot.folder / "archive.cpio"
        module.write_bytes(cpio.archive(booted.members(boot, config)))
    return ["-kernel", str(cli.BUILD / "kernel.elf"), "-initrd", str(module), "-append", words]


def firmware_log(folder):
    """What OVMF and the loader print: the first serial port, which the kernel then leaves alone."""
    return pathlib.Path(folder) / "firmware.log"


def refusal(folder):
    """The loader's sentence, if it could not start the kernel and went back to the firmware."""
    try:
        lines = firmware_log(folder).read_bytes().decode("ascii", "replace").splitlines(keepends=True)
    except OSError:
        return None
    found = [line for line in lines if REFUSAL in line and line.endswith("\n")]
    return found[0][found[0].index(REFUSAL) + len(REFUSAL):].strip() if found else None


def uefi(boot):
    """OVMF starts the loader from a disk image made for this run."""
    settings = [("console", hex(SECOND_SERIAL_PORT)), *boot.settings]
    esp.write(dataclasses.replace(boot, settings=settings), boot.folder / "esp")
    disk.write(boot.folder / "disk.img", boot.folder / "esp")
    return ["-bios", OVMF, "-serial", f"file:{firmware_log(boot.folder)}",
            "-drive", f"if=none,id=boot,format=raw,cache=unsafe,file={boot.folder}/disk.img",
            "-device", "ide-hd,drive=boot,bootindex=0"]


# name -> (make targets, function from a Boot to QEMU's arguments)
DOORS = {
    "pvh": (("kernel",), pvh),
    "uefi": (("kernel", "efi"), uefi),
}
