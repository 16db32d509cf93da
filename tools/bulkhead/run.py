# SPDX-License-Identifier: BSD-2-Clause
"""./bulkhead run: boots a payload under QEMU and exits with the payload's exit status."""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import threading

from bulkhead import boot, check, cli, console, examples, firmware, machine, report, stream

DESCRIPTION = """Boots PAYLOAD.elf (or the example called NAME; by default hello-dma) on a q35 machine with
an IOMMU, shows its console, and exits with its exit status. 125: the payload did not end by itself."""

MEMORY_MIN = 16 << 20
QEMU_REMARKS = (b"vtd_iova_to_slpte", b"vtd_iommu_translate", b"New fault is not recorded")


def memory_size(text):
    """A size as QEMU reads it. With less than SeaBIOS needs, a machine would hang without a word."""
    if (machine.bytes_of(text) or 0) < MEMORY_MIN:
        raise argparse.ArgumentTypeError(f"'{text}' is not a size of at least 16M, such as 512M or 4G")
    return text


def add_machine_options(made):
    """The options that say which machine it is to be."""
    made.add_argument("--device", action="append", metavar="SPEC",
                      help="a device to assign: edu, nvme (with a disk image of yours: nvme,file=disk.img), nvme-vfs "
                           "(with virtual functions, below a port as in examples/nvme-vf), e1000e, afu-model, or any "
                           "QEMU -device string; "
                           "words kernel.KEY=VALUE in it, and words KEY=VALUE behind a blank, are the device's options "
                           "for the kernel")
    made.add_argument("--firmware", choices=sorted(firmware.DOORS), help="the way in (default: pvh)")
    made.add_argument("--memory", metavar="SIZE", type=memory_size, help="of the machine (default: 512M)")
    made.add_argument("--accel", choices=("tcg", "kvm"), help="default: tcg, which works everywhere")
    made.add_argument("--config", metavar="FILE", help="a bulkhead.conf for the kernel")
    iommu = made.add_mutually_exclusive_group()
    iommu.add_argument("--iommu", metavar="OPTIONS", help="options of intel-iommu, as caching-mode=on,aw-bits=39")
    iommu.add_argument("--no-iommu", action="store_true", help="a machine without IOMMU")
    made.add_argument("--qemu-arg", action="append", metavar="ARG", help="one more word for QEMU")


def parser():
    made = argparse.ArgumentParser(prog="./bulkhead run", description=DESCRIPTION, allow_abbrev=False,
                                   usage="./bulkhead run [OPTIONS] [PAYLOAD.elf | NAME] [-- ARGS...]")
    add_machine_options(made)
    made.add_argument("--files", metavar="DIR", help="a folder whose files the payload will find at /")
    made.add_argument("--report", metavar="FILE", help="write the kernel's report (JSON) here")
    made.add_argument("payload", nargs="?", default=examples.DEFAULT, metavar="PAYLOAD.elf | NAME",
                      help="everything behind -- goes to the payload")
    return made


def join_qemu_args(arguments):
    """argparse takes no value that looks like an option unless it is joined with '='."""
    arguments = list(arguments)
    while "--qemu-arg" in arguments[:-1]:
        at = arguments.index("--qemu-arg")
        arguments[at:at + 2] = [f"--qemu-arg={arguments[at + 1]}"]
    return arguments


def parse(arguments):
    """Options and the payload's arguments. An example's own options fill in what was not said."""
    arguments, args = list(arguments), []
    if "--" in arguments:
        at = arguments.index("--")
        arguments, args = arguments[:at], arguments[at + 1:]
    options = parser().parse_args(join_qemu_args(arguments))
    if examples.is_name(options.payload):
        words = [f"--{option}={value}" for option, value in examples.options(options.payload)]
        for name, value in vars(parser().parse_args(words)).items():
            if not getattr(options, name):
                setattr(options, name, value)
    return options, args


def machine_of(options, payload, settings, **more):
    """The machine that the options ask for, and what is not the machine's."""
    given = {name: getattr(options, name) for name in ("firmware", "memory", "accel") if getattr(options, name)}
    return machine.Machine(
        payload=payload, devices=options.device or [], qemu_args=options.qemu_arg or [],
        iommu=None if options.no_iommu else options.iommu or "",
        config=cli.read_text(options.config) if options.config else "", settings=settings, **given, **more)


def describe(options, args):
    """The machine that the options ask for, and what is to run on it."""
    payload = pathlib.Path(options.payload)
    if examples.is_name(options.payload):
        payload = examples.program(options.payload)
    made = machine_of(options, payload.absolute(), [], args=args, files=pathlib.Path(options.files) if options.files else None)
    made.settings = boot.name_setting(options.payload, made.config)
    return made


def clear_report(name):
    """What an earlier run left must not pass for this one's report, and a name that cannot be
    written is told before the run."""
    try:
        pathlib.Path(name).write_bytes(b"")
    except OSError as problem:
        raise cli.Failure(f"cannot write the report: {problem}") from None


def print_at_once(data):
    sys.stdout.buffer.write(data)
    sys.stdout.flush()


def show_console(process, door, show):
    """Gives QEMU's output to show() until it ends, or until the UEFI loader has given up. Returns what
    was kept back: the sentence of a refusal."""
    loader, shown = firmware.Console() if door == "uefi" else None, console.Shown()

    while data := os.read(process.stdout.fileno(), 65536):
        show(shown.feed(loader.feed(data) if loader else data))
        if loader and loader.refusal:
            raise cli.Failure(f"the loader cannot start the kernel: {loader.refusal}", report.NOT_THE_PAYLOAD)
    show(shown.feed(loader.rest() if loader else b""))
    return shown.rest()


def show_complaints(process):
    """Shows QEMU's own messages, but for its remarks on refused DMA: the kernel tells of that."""
    for line in process.stderr:
        if not any(remark in line for remark in QEMU_REMARKS):
            sys.stderr.buffer.write(line)
            sys.stderr.flush()


def run_qemu(command, door, show=print_at_once, live=None):
    """Runs QEMU with its serial line on our output, or given to show(), and with the stream `live`; returns its exit
    status and what show_console() kept back. The console takes no input, so QEMU does not get the terminal, whose modes
    it would change."""
    process = machine.start([*command, "-chardev", "stdio,id=console", "-serial", "chardev:console"],
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            pass_fds=(live.end,) if live else ())
    if live:
        live.begin()
    complaints = threading.Thread(target=show_complaints, args=(process,))
    complaints.start()
    try:
        kept = show_console(process, door, show)
        return process.wait(), kept
    finally:
        machine.stop(process)
        complaints.join()


def main(arguments):
    options, args = parse(arguments)
    wanted = describe(options, args)
    if examples.is_name(options.payload):
        cli.build(f"build/examples/{options.payload}.elf")
    boot.check(wanted.payload, options.payload, wanted.files)
    if options.report:
        clear_report(options.report)
    cli.build(*firmware.DOORS[wanted.firmware][0], check.PROGRAM)
    with tempfile.TemporaryDirectory(prefix="bulkhead.") as folder:
        live = stream.Live({})
        try:
            command, report_path = machine.prepare(wanted, folder, check.ask, stream=live.path)
            sys.stdout.flush()
            status, kept = run_qemu(command, wanted.firmware, live=live)
        finally:
            live.join()
        found = report.read(report_path)
        if not found or found.get("exit", {}).get("reason") != "refused":
            print_at_once(kept)
        if options.report and found is not None:
            pathlib.Path(options.report).write_bytes(report_path.read_bytes())
        return report.exit_status(found, status, options.payload, wanted.payload)
