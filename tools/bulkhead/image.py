# SPDX-License-Identifier: BSD-2-Clause
"""./bulkhead image: a disk image that boots on UEFI machines, or its files for an existing ESP."""

import argparse
import pathlib
import tempfile

from bulkhead import boot as booted
from bulkhead import cli, disk, esp, examples

DESCRIPTION = """Makes a raw disk image with an EFI system partition that boots PAYLOAD.elf (or the example
called NAME) on any UEFI machine with VT-d, and in QEMU as it is. With --dir, writes the same files below a
folder, for a partition that exists already."""

# Devices that go by a name here, as the kernel's `device` key wants them.
IDS = {"edu": "1234:11e8", "nvme": "1b36:0010", "e1000e": "8086:10d3"}


def parser():
    made = argparse.ArgumentParser(
        prog="./bulkhead image", description=DESCRIPTION, allow_abbrev=False,
        usage="./bulkhead image [OPTIONS] (-o FILE | --dir DIR) PAYLOAD.elf | NAME [-- ARGS...]")
    made.add_argument("--device", action="append", default=[], metavar="SPEC",
                      help="a device to assign: BB:DD.F, VVVV:DDDD, any other value of the key 'device', or "
                           + ", ".join(IDS))
    made.add_argument("--config", metavar="FILE", help="a bulkhead.conf for the kernel")
    made.add_argument("--files", metavar="DIR", help="a folder whose files the payload will find at /")
    made.add_argument("--seal", action="store_true",
                      help="let the loader take these very files only; sign it afterwards (docs/secure-boot.md)")
    target = made.add_mutually_exclusive_group(required=True)
    target.add_argument("-o", "--output", metavar="FILE", help="the image to write")
    target.add_argument("--dir", metavar="DIR", help="a folder to write the files to instead")
    made.add_argument("payload", metavar="PAYLOAD.elf | NAME", help="everything behind -- goes to the payload")
    return made


def parse(arguments):
    args = []
    if "--" in arguments:
        at = arguments.index("--")
        arguments, args = arguments[:at], arguments[at + 1:]
    return parser().parse_args(arguments), args


def describe(options, args):
    """What to boot. Settings go into the configuration file, where people can edit them."""
    payload, wished = pathlib.Path(options.payload), []
    if examples.is_name(options.payload):
        payload = examples.program(options.payload)
        wished = [value for option, value in examples.options(options.payload) if option == "device"]
        cli.build(str(payload.relative_to(cli.TOP)))
    files = pathlib.Path(options.files) if options.files else None
    booted.check(payload, options.payload, files)
    settings = [("device", IDS.get(device, device)) for device in options.device or wished]
    settings += [("arg", argument) for argument in args]
    config = cli.read_text(options.config) if options.config else ""
    if config and not config.endswith("\n"):
        config += "\n"
    return booted.Boot(payload, [], config + booted.config_lines(settings), files, None)


def write(boot, options):
    if options.dir:
        esp.write(boot, options.dir, esp.INSTALLED, options.seal)
        return
    with tempfile.TemporaryDirectory(prefix="bulkhead.") as folder:
        esp.write(boot, folder, sealed=options.seal)
        disk.write(options.output, folder)


def main(arguments):
    options, args = parse(arguments)
    boot = describe(options, args)
    cli.build("kernel", "efi")
    try:
        write(boot, options)
    except OSError as problem:
        raise cli.Failure(f"cannot write the image: {problem}") from None
    return 0
