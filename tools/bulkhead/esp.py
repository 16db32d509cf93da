# SPDX-License-Identifier: BSD-2-Clause
"""What lies on the EFI system partition: the loader, the kernel, the settings and the payload."""

import os
import pathlib
import shutil

from bulkhead import boot as booted
from bulkhead import cli, cpio, seal

# Where firmware looks on a volume that no boot entry names (UEFI specification, 3.5.1.1).
REMOVABLE = "EFI/BOOT/BOOTX64.EFI"
INSTALLED = "EFI/bulkhead/bulkhead.efi"
FOLDER = "bulkhead"


def put(folder, name, content):
    """Writes bytes, or copies the file that a path names."""
    target = pathlib.Path(folder) / name
    target.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, bytes):
        target.write_bytes(content)
    else:
        shutil.copyfile(content, target)


def write(boot, folder, loader_name=REMOVABLE, sealed=False):
    """Everything of a boot.Boot into a folder; its settings become the command line."""
    put(folder, loader_name, cli.BUILD / "bulkhead.efi")
    put(folder, f"{FOLDER}/kernel.elf", cli.BUILD / "kernel.elf")
    words, config = booted.split_settings(boot)
    if config:
        put(folder, f"{FOLDER}/bulkhead.conf", os.fsencode(config))
    if words:
        put(folder, f"{FOLDER}/options", os.fsencode(words))
    if boot.files or not boot.payload:
        put(folder, f"{FOLDER}/archive.cpio", cpio.archive(booted.members(boot, "")))
    else:
        put(folder, f"{FOLDER}/payload.elf", boot.payload)
    if sealed:
        seal.apply(pathlib.Path(folder) / loader_name, pathlib.Path(folder) / FOLDER)
