# SPDX-License-Identifier: BSD-2-Clause
"""Writes a raw disk with a GPT and one EFI system partition, by mtools: no root, no loop device."""

import contextlib
import os
import pathlib
import struct
import subprocess
import uuid
import zlib

from bulkhead.cli import Failure

SECTOR = 512
ALIGNMENT = 1 << 20
ENTRIES, ENTRY_SIZE = 128, 128
TABLE_SECTORS = ENTRIES * ENTRY_SIZE // SECTOR
# A FAT32 file system needs 65,525 clusters; below that, firmware may see another FAT.
PARTITION_MIN = 64 << 20
EFI_SYSTEM = uuid.UUID("c12a7328-f81f-11d2-ba4b-00a0c93ec93b")
# Fixed, so that equal files give equal images. Nothing boots by these numbers.
DISK_ID = uuid.UUID("b01dbe4d-0000-4000-8000-000000000001")
PARTITION_ID = uuid.UUID("b01dbe4d-0000-4000-8000-000000000002")


def round_up(value, step):
    return -(-value // step) * step


def protective_mbr(sectors):
    """One partition of type 0xee over everything, so that old tools keep their hands off."""
    entry = struct.pack("<B3sB3sII", 0, b"\x00\x02\x00", 0xEE, b"\xff\xff\xff", 1, min(sectors - 1, 0xFFFFFFFF))
    return bytes(446) + entry + bytes(48) + b"\x55\xaa"


def partition_table(first, last):
    name = "EFI system partition".encode("utf-16-le").ljust(72, b"\0")
    entry = EFI_SYSTEM.bytes_le + PARTITION_ID.bytes_le + struct.pack("<QQQ", first, last, 0) + name
    return entry.ljust(ENTRIES * ENTRY_SIZE, b"\0")


def gpt_header(sectors, here, other, table_at, table):
    """UEFI specification, 5.3.2."""
    def pack(checksum):
        return struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, checksum, 0, here, other,
                           2 + TABLE_SECTORS, sectors - 2 - TABLE_SECTORS, DISK_ID.bytes_le, table_at,
                           ENTRIES, ENTRY_SIZE, zlib.crc32(table))
    return pack(zlib.crc32(pack(0))).ljust(SECTOR, b"\0")


def write_tables(file, sectors, first, last):
    table = partition_table(first, last)
    backup = sectors - 1
    for at, data in ((0, protective_mbr(sectors)),
                     (1, gpt_header(sectors, 1, backup, 2, table)), (2, table),
                     (backup - TABLE_SECTORS, table),
                     (backup, gpt_header(sectors, backup, 1, backup - TABLE_SECTORS, table))):
        file.seek(at * SECTOR)
        file.write(data)


def mtools(file, *command):
    """Runs one of the mtools on the partition of an open disk. The disk goes by its descriptor, since
    mtools would misread a name with a colon or two at-signs."""
    name, *words = command
    command = [name, "-i", f"/proc/self/fd/{file.fileno()}@@{ALIGNMENT}", *words]
    environment = dict(os.environ, MTOOLS_SKIP_CHECK="1", SOURCE_DATE_EPOCH="1577836800", TZ="UTC")
    result = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, pass_fds=[file.fileno()], check=False)
    if result.returncode:
        raise Failure(f"{name} failed: {result.stdout.strip()}")


def write(path, tree):
    """An image at `path` with everything below the folder `tree` in its EFI system partition. An older
    file of that name stays until all is written."""
    path = os.path.realpath(path)
    if os.path.exists(path) and not os.path.isfile(path):
        raise Failure(f"{path} is not a file: write the image to a file, then copy that (docs/image.md)")
    beside = f"{path}.new"
    try:
        write_file(beside, tree)
        os.replace(beside, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(beside)
        raise


def write_file(path, tree):
    """Makes the image."""
    files = [found for found in pathlib.Path(tree).rglob("*") if found.is_file()]
    content = sum(round_up(found.stat().st_size, 4096) for found in files)
    size = max(PARTITION_MIN, round_up(content + content // 16 + (8 << 20), ALIGNMENT))
    total = ALIGNMENT + size + ALIGNMENT
    with open(path, "w+b") as file:
        file.truncate(total)
        write_tables(file, total // SECTOR, ALIGNMENT // SECTOR, (ALIGNMENT + size) // SECTOR - 1)
        file.flush()
        fill(file, size, tree)


def fill(file, size, tree):
    """Makes the file system of the partition and copies the tree into it."""
    mtools(file, "mformat", "-F", "-v", "BULKHEAD", "-N", "b01dbe4d", "-T", str(size // SECTOR),
           "-h", "2", "-s", "32", "-H", str(ALIGNMENT // SECTOR), "::")
    for found in sorted(pathlib.Path(tree).rglob("*")):
        target = f"::{found.relative_to(tree)}"
        if found.is_dir():
            mtools(file, "mmd", target)
        else:
            mtools(file, "mcopy", str(found), target)
