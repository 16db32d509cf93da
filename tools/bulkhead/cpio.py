# SPDX-License-Identifier: BSD-2-Clause
"""Writes cpio archives in the `newc` format, which carry the payload, its files and its settings."""

import os
import pathlib

from bulkhead.cli import Failure

MAGIC = b"070701"
TRAILER = "TRAILER!!!"
SIZE_MAX = 0xffffffff
NAME_MAX = 1024  # with its zero: CPIO_NAME_MAX of kernel/linux/program/cpio.h
REGULAR, DIRECTORY, LINK = 0o100000, 0o040000, 0o120000


def pad(data):
    """Records and contents start at multiples of four bytes."""
    return data + bytes(-len(data) % 4)


def record(name, content, mode, inode):
    encoded = os.fsencode(name) + b"\0"
    if len(encoded) > NAME_MAX:
        raise Failure(f"{name} is too long a name for an archive")
    fields = (inode, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(encoded), 0)
    header = MAGIC + b"".join(b"%08x" % field for field in fields)
    return pad(header + encoded) + pad(content)


def archive(members):
    """The bytes of an archive of (name, content, mode) members, in the order given."""
    parts = [record(name, content, mode, inode) for inode, (name, content, mode) in enumerate(members, 1)]
    return b"".join(parts) + record(TRAILER, b"", 0, 0)


def member(name, path):
    """One file, directory or symbolic link as a member called `name`."""
    path = pathlib.Path(path)
    mode = path.lstat().st_mode
    if path.is_symlink():
        return name, os.fsencode(path.readlink()), mode
    if path.is_dir():
        return name, b"", mode
    if not path.is_file():
        raise Failure(f"{path} is neither a file nor a folder nor a symbolic link")
    if path.stat().st_size > SIZE_MAX:
        raise Failure(f"{path} is too large for an archive")
    return name, path.read_bytes(), mode


def tree(folder):
    """Everything below a folder as members named relative to it; parents come before children."""
    folder = pathlib.Path(folder)
    return [member(str(path.relative_to(folder)), path) for path in sorted(folder.rglob("*"))]
