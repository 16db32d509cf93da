# SPDX-License-Identifier: BSD-2-Clause
"""What is booted, whichever the door: a payload, settings for the kernel, files."""

import dataclasses
import os
import pathlib
import re

from bulkhead import cli, cpio

# A longer command line goes into bulkhead.conf: QEMU's own limit is near 4 KiB.
COMMAND_LINE_MAX = 2048
CONFIG_NAME, PAYLOAD_NAME = "bulkhead.conf", "payload.elf"


@dataclasses.dataclass
class Boot:
    """What is to be booted, whichever the door."""
    payload: pathlib.Path | None
    settings: list  # (key, value), as on the kernel's command line
    config: str  # text of bulkhead.conf, "" for none
    files: pathlib.Path | None  # a folder of files for the payload
    folder: pathlib.Path  # temporary, for what the door has to make


def check(payload, name, files):
    """Says what is wrong with the user's files before anything is built."""
    if not payload.exists():
        raise cli.Failure(f"no such payload: {name}")
    if not payload.is_file():
        raise cli.Failure(f"the payload {name} is not a file")
    if not payload.stat().st_size:
        raise cli.Failure(f"the payload {name} is empty")
    if files and not files.is_dir():
        raise cli.Failure(f"--files {files} is not a folder")
    for taken in (PAYLOAD_NAME, CONFIG_NAME):
        if files and os.path.lexists(files / taken):
            raise cli.Failure(f"--files {files} holds a {taken}, which is what the boot archive calls its own")


def says(config, key):
    """Has a bulkhead.conf a word about it?"""
    return re.search(rf"^[ \t]*{key}[ \t]*=", config, re.MULTILINE)


def name_setting(payload, config):
    """What the payload finds in its argv[0], unless a bulkhead.conf says so."""
    return [] if says(config, "payload-name") else [("payload-name", pathlib.Path(payload).name)]


def quote(value):
    """A value as both syntaxes of the configuration read it back."""
    if not value:
        raise cli.Failure("an empty value cannot be passed to the kernel")
    if any(ord(c) < 0x20 or ord(c) == 0x7f for c in value):
        raise cli.Failure(f"a control character in {value!r} cannot be passed to the kernel")
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def command_line(settings):
    return " ".join(f"{key}={quote(value)}" for key, value in settings)


def file_value(key, value):
    """As a file has it, where the words of a device are split before quotes are taken away."""
    if key != "device":
        return quote(value)
    return " ".join(word if re.fullmatch(r"[\w:./=-]+", word) else quote(word) for word in value.split()) or quote(value)


def config_lines(settings):
    return "".join(f"{key} = {file_value(key, value)}\n" for key, value in settings)


def members(boot, config):
    """The archive's members: the payload, its settings, its files."""
    found = [cpio.member(PAYLOAD_NAME, boot.payload.resolve())] if boot.payload else []
    if config:
        found.append((CONFIG_NAME, os.fsencode(config), cpio.REGULAR | 0o644))
    return found + (cpio.tree(boot.files) if boot.files else [])


def split_settings(boot):
    """The command line and the text of bulkhead.conf that together carry the settings."""
    words = command_line(boot.settings)
    if len(words) <= COMMAND_LINE_MAX:
        return words, boot.config
    return "", f"{boot.config}\n{config_lines(boot.settings)}"
