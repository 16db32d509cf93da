# SPDX-License-Identifier: BSD-2-Clause
"""The doors into the kernel: how QEMU is told to boot through each of them."""

import re

from bulkhead import boot as booted
from bulkhead import cli, cpio, disk, esp

OVMF = "/usr/share/ovmf/OVMF.fd"
# What the loader's lines begin with, and its last line: in the kernel's favour or not.
LOADER, STARTING = b"bulkhead: ", b"bulkhead: starting the kernel"
CANNOT = b"bulkhead: cannot start: "
REFUSAL = re.compile(CANNOT + rb"(.*?)\r?\n")


def pvh(boot):
    """QEMU starts the kernel itself; the payload is the initial RAM disk, in an archive if need be."""
    words, config = booted.split_settings(boot)
    module = boot.payload
    if config or boot.files:
        module = boot.folder / "archive.cpio"
        module.write_bytes(cpio.archive(booted.members(boot, config)))
    return ["-kernel", str(cli.BUILD / "kernel.elf"), *(["-initrd", str(module)] if module else []), "-append", words]


class Console:
    """The serial line without what the firmware says before the loader: OVMF clears the screen and
    names its boot entries. Knows when the loader has given up, because the firmware would then show
    its menu for ever."""

    def __init__(self):
        self.handed_over, self.text, self.refusal = False, b"", None

    def feed(self, data):
        """Takes what was read and returns what is to be shown."""
        if self.handed_over:
            return data
        self.text += data
        # Behind its last line the loader may still say that the firmware does not let it go, and nothing else.
        before, starting, behind = self.text.partition(STARTING)
        behind = behind.lstrip(b"\r\n")
        refused = REFUSAL.match(behind) if starting else REFUSAL.search(before)
        if refused:
            self.refusal = refused[1].decode("ascii", "replace")
        if not behind or CANNOT.startswith(behind[:len(CANNOT)]):
            return b""
        self.handed_over = True
        return self.text[self.text.index(LOADER):]

    def rest(self):
        """What was kept back, if the machine ended before the loader came to its last line."""
        return b"" if self.handed_over else self.text


def uefi(boot):
    """OVMF starts the loader from a disk image made for this run."""
    esp.write(boot, boot.folder / "esp")
    disk.write(boot.folder / "disk.img", boot.folder / "esp")
    return ["-bios", OVMF, "-drive", f"if=none,id=boot,format=raw,cache=unsafe,file={cli.option_value(boot.folder)}/disk.img",
            "-device", "ide-hd,drive=boot,bootindex=0"]


# name -> (make targets, function from a Boot to QEMU's arguments)
DOORS = {
    "pvh": (("kernel",), pvh),
    "uefi": (("kernel", "efi"), uefi),
}
