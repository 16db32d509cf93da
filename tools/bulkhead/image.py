# SPDX-License-Identifier: BSD-2-Clause
"""./bulkhead image: a disk image that boots on UEFI machines, or its files for an existing ESP."""

import argparse
import pathlib
import tempfile

from bulkhead import boot as booted
from bulkhead import check, cli, devices, disk, esp, examples, partition

DESCRIPTION = """Makes a raw disk image with an EFI system partition that boots PAYLOAD.elf (or the example
called NAME) on any UEFI machine with VT-d, and in QEMU as it is. With --dir, writes the same files below a
folder, for a partition that exists already."""

# Of an image for which nobody gave one: there is a file to edit.
EMPTY_CONFIG = "# Settings of Bulkhead's kernel, a line each: key = value\n"


def parser():
    made = argparse.ArgumentParser(
        prog="./bulkhead image", description=DESCRIPTION, allow_abbrev=False,
        usage="./bulkhead image [OPTIONS] (-o FILE | --dir DIR) PAYLOAD.elf | NAME [-- ARGS...]")
    made.add_argument("--device", action="append", default=[], metavar="SPEC",
                      help="a device to assign: BB:DD.F, VVVV:DDDD, class:CCSS, any other value of the key 'device', or "
                           + ", ".join(devices.IDS) + "; its options for the kernel as KEY=VALUE behind a blank, or as "
                           ",kernel.KEY=VALUE")
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
        cli.build(f"build/examples/{options.payload}.elf")
    files = pathlib.Path(options.files) if options.files else None
    booted.check(payload, options.payload, files)
    config = cli.read_text(options.config) if options.config else EMPTY_CONFIG
    if config and not config.endswith("\n"):
        config += "\n"
    settings = [("device", devices.selector_for_any_machine(device)) for device in options.device or wished]
    settings += booted.name_setting(options.payload, config) + [("arg", argument) for argument in args]
    return booted.Boot(payload, [], config + booted.config_lines(settings), files, None)


def write(boot, options):
    if options.dir:
        partition.write(boot, options.dir, options.seal)
        return
    with tempfile.TemporaryDirectory(prefix="bulkhead.") as folder:
        esp.write(boot, folder, sealed=options.seal)
        disk.write(options.output, folder)


def main(arguments):
    options, args = parse(arguments)
    boot = describe(options, args)
    cli.build("kernel", "efi", check.PROGRAM)
    check.ask(boot)
    try:
        write(boot, options)
    except OSError as problem:
        raise cli.Failure(f"cannot write the image: {problem}") from None
    return 0
