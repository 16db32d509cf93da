# SPDX-License-Identifier: BSD-2-Clause
"""Writes the digests of the loader's files into the loader (boot/efi/seal.h), so that a signature of
the loader covers them."""

import hashlib
import struct

MAGIC = b"BULKHEAD-SEAL-1\0"
# In the order of the table of files in boot/efi/main.c.
FILES = ("bulkhead.conf", "options", "kernel.elf", "payload.elf", "archive.cpio")


def record(folder):
    """The seal over the files of a folder; those that are missing have to stay so."""
    present, digests = 0, b""
    for number, name in enumerate(FILES):
        path = folder / name
        if path.exists():
            present |= 1 << number
            digests += hashlib.sha256(path.read_bytes()).digest()
        else:
            digests += bytes(32)
    return MAGIC + struct.pack("<II", 1, present) + digests


def apply(loader, folder):
    """Changes the loader file."""
    data, seal = loader.read_bytes(), record(folder)
    assert data.count(MAGIC) == 1
    at = data.index(MAGIC)
    loader.write_bytes(data[:at] + seal + data[at + len(seal):])
