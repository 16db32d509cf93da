# SPDX-License-Identifier: BSD-2-Clause
"""The doors into the kernel: how QEMU is told to boot through each of them."""

import dataclasses
import pathlib

from bulkhead import cli, cpio

# A longer command line goes into bulkhead.conf: QEMU's own limit is near 4 KiB.
COMMAND_LINE_MAX = 2048
CONFIG_NAME, PAYLOAD_NAME = "bulkhead.conf", "payload.elf"


@dataclasses.dataclass
class Boot:
    """What is to be booted, whichever the door."""
    payload: pathlib.Path
    settings: list  # (key, value), as on the kernel's command line
    config: str  # text of bulkhead.conf, "" for none
    files: pathlib.Path | None  # a folder of files for the payload
    folder: pathlib.Path  # temporary, for what the door has to make


def quote(value):
    """A value as both syntaxes of the configuration read it back."""
    if any(ord(c) < 0x20 or ord(c) == 0x7f for c in value):
        raise cli.Failure(f"a control character in {value!r} cannot be passed to the kernel")
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def command_line(settings):
    return " ".join(f"{key}={quote(value)}" for key, value in settings)


def config_lines(settings):
    return "".join(f"{key} = {quote(value)}\n" for key, value in settings)


def members(boot, config):
    """The archive's members: the payload, its settings, its files."""
    found = [cpio.member(PAYLOAD_NAME, boot.payload)]
    if config:
        found.append((CONFIG_NAME, config.encode(), cpio.REGULAR | 0o644))
    return found + (cpio.tree(boot.files) if boot.files else [])


def pvh(boot):
    """QEMU starts the kernel itself; the payload is the initial RAM disk, in an archive if need be."""
    words, config = command_line(boot.settings), boot.config
    if len(words) > COMMAND_LINE_MAX:
        words, config = "", f"{config}\n{config_lines(boot.settings)}"
    module = boot.payload
    if config or boot.files:
        module = boot.folder / "archive.cpio"
        module.write_bytes(cpio.archive(members(boot, config)))
    return ["-kernel", str(cli.BUILD / "kernel.elf"), "-initrd", str(module), "-append", words]


# name -> (make targets, function from a Boot to QEMU's arguments)
DOORS = {
    "pvh": (("kernel",), pvh),
}
