# SPDX-License-Identifier: BSD-2-Clause
"""./bulkhead run: boots a payload under QEMU and exits with the payload's exit status."""

import argparse
import contextlib
import os
import pathlib
import select
import shlex
import subprocess
import sys
import tempfile
import threading

from bulkhead import boot, check, cli, console, devices, examples, firmware, gdb, leavings, limit, machine, report, stream, terminal, trace, words

DESCRIPTION = """Boots PAYLOAD.elf (or the example called NAME; by default hello-dma) on a q35 machine with
an IOMMU, shows its console, and exits with its exit status. An option stands before PAYLOAD.elf or behind it."""

STATUSES = """exit status: the payload's own, 0 to 255; and
  124    --timeout ended the machine
  125    ./bulkhead failed, the kernel refused to start, or the payload did not end by itself
  128+N  signal N ended the payload (139: SIGSEGV), or this command (130: Ctrl-C), which ends QEMU first
What is typed or piped in goes to the payload; in a terminal, Ctrl-] ends the machine.
A line on standard error says which. docs/command-line.md tells more."""
LOG_LEVELS = ("error", "warn", "info", "debug")

MEMORY_MIN = 16 << 20
MOMENT = 0.05  # seconds
QEMU_REMARKS = (b"vtd_iova_to_slpte", b"vtd_iommu_translate", b"New fault is not recorded")


def memory_size(text):
    """A size as QEMU reads it. With less than SeaBIOS needs, a machine would hang without a word."""
    if (machine.bytes_of(text) or 0) < MEMORY_MIN:
        raise argparse.ArgumentTypeError(f"'{text}' is not a size of at least 16M, such as 512M or 4G")
    return text


def add_machine_options(made):
    """The options that say which machine it is to be."""
    made.add_argument("--device", action="append", metavar="SPEC",
                      help=f"a device to assign: {', '.join(devices.PRESETS)}, or any QEMU -device string; "
                           "--device help tells of each")
    made.add_argument("--firmware", choices=sorted(firmware.DOORS), help="the way in (default: pvh)")
    made.add_argument("--memory", metavar="SIZE", type=memory_size, help="of the machine (default: 512M)")
    made.add_argument("--accel", choices=("tcg", "kvm"), help="default: tcg, which works everywhere")
    made.add_argument("--config", metavar="FILE", help="a bulkhead.conf for the kernel")
    iommu = made.add_mutually_exclusive_group()
    iommu.add_argument("--iommu", metavar="OPTIONS", help="options of intel-iommu, as caching-mode=on,aw-bits=39")
    iommu.add_argument("--no-iommu", action="store_true", help="a machine without IOMMU")
    made.add_argument("--qemu-arg", action="append", metavar="ARG", help="one more word for QEMU")


class Parser(argparse.ArgumentParser):
    """What is wrong with the command line must not pass for a payload's status."""

    def error(self, message):
        self.print_usage(sys.stderr)
        self.exit(report.NOT_THE_PAYLOAD, f"{self.prog}: {message}\n")


def add_run_options(made):
    """The options that say how it is run and what is told of it."""
    made.add_argument("--log-level", choices=LOG_LEVELS, metavar="LEVEL",
                      help="the least important lines of the kernel's to show: error, warn, info (default), debug")
    made.add_argument("--append", action="append", metavar="WORDS",
                      help="more settings for the kernel, KEY=VALUE each, as its command line has them")
    made.add_argument("--quiet", action="store_true",
                      help="the payload's output alone on standard output, byte for byte; the kernel's log on standard error")
    made.add_argument("--timeout", metavar="SECONDS", type=limit.seconds,
                      help="end the machine after so long, with status 124 (the kernel's own key payload-timeout ends "
                           "the payload alone)")
    trace.add_options(made)
    made.add_argument("--gdb", action="store_true", help="wait for gdb, and print the line that starts it")
    made.add_argument("--keep", action="store_true", help="print QEMU's command line, and keep the temporary folder")


def parser():
    made = Parser(prog="./bulkhead run", description=DESCRIPTION, allow_abbrev=False, epilog=STATUSES,
                  formatter_class=argparse.RawDescriptionHelpFormatter,
                  usage="./bulkhead run [OPTIONS] [PAYLOAD.elf | NAME] [-- ARGS...]")
    add_machine_options(made)
    add_run_options(made)
    made.add_argument("--files", metavar="DIR", help="a folder whose files the payload will find at /")
    leavings.add_options(made)
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


def help_with_devices(options):
    """--device help"""
    if "help" in (options.device or []):
        print(devices.list_presets(), end="")
        sys.exit(0)


def parse(arguments):
    """Options and the payload's arguments. An example's own options fill in what was not said."""
    arguments, args = list(arguments), []
    if "--" in arguments:
        at = arguments.index("--")
        arguments, args = arguments[:at], arguments[at + 1:]
    options = parser().parse_args(join_qemu_args(arguments))
    help_with_devices(options)
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
    made.settings += [("log-level", options.log_level)] if options.log_level else []
    made.settings += trace.settings(options.trace)
    made.settings += [("output", "stream")] if options.quiet else []
    made.settings += [setting for text in options.append or [] for setting in words.settings(text)]
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


def print_error(data):
    sys.stderr.buffer.write(data)
    sys.stderr.flush()


def read_console(process, shown, show):
    """What QEMU says next. What was kept back is shown before if that takes a moment."""
    if shown.may_prompt and not select.select([process.stdout], [], [], MOMENT)[0]:
        show(shown.rest())
    return os.read(process.stdout.fileno(), 65536)


def show_console(process, door, show, raw):
    """Gives QEMU's output to show() until it ends, or until the UEFI loader has given up. Returns what
    was kept back: the sentence of a refusal."""
    loader, shown = firmware.Console() if door == "uefi" else None, console.Shown(raw)

    while data := read_console(process, shown, show):
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


def run_qemu(command, door, show=print_at_once, live=None, seconds=None, raw=lambda: False):
    """Runs QEMU, for so long at most, with its serial line on our output, or given to show(), with the stream `live`;
    returns its exit status and what show_console() kept back. raw(): is our output a terminal in raw mode now? QEMU itself
    does not get the terminal, whose modes it would change."""
    process = machine.start([*command, "-chardev", "stdio,id=console", "-serial", "chardev:console"],
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            pass_fds=(live.end,) if live else ())
    if live:
        live.process = process
        live.begin()
    complaints = threading.Thread(target=show_complaints, args=(process,))
    complaints.start()
    try:
        with limit.Limit(process, seconds) as allowed:
            kept = show_console(process, door, show, raw)
            status = process.wait()
    finally:
        machine.stop(process)
        complaints.join()
    allowed.check()
    return status, kept


@contextlib.contextmanager
def temporary_folder(keep):
    """Where the files of a run are. It is gone afterwards, unless it is to be kept."""
    if not keep:
        with tempfile.TemporaryDirectory(prefix="bulkhead.") as folder:
            yield folder
        return
    folder = tempfile.mkdtemp(prefix="bulkhead.")
    print(f"bulkhead: the files of this run stay in {folder}", file=sys.stderr)
    yield folder


def show_apart(live):
    """--quiet: the payload's output comes by the stream, and goes to our output byte for byte; what comes on the serial
    line is the log, and the function returned has it shown. Where nobody reads the output any more, the machine ends."""
    def take(data):
        try:
            print_at_once(data)
        except BrokenPipeError:
            live.process.terminate()
            raise

    live.takers[stream.OUTPUT] = take
    return print_error


def tell_command(command, stream_path, folder):
    """QEMU's line as it can be typed again: the pipe of the stream is gone then, and so is the memory, shared with us."""
    words_again = [word.replace(stream_path, cli.option_value(f"{folder}/{machine.STREAM}"))
                   .replace(devices.MEMORY, f"again.{devices.MEMORY}") for word in command]
    print(f"bulkhead: {shlex.join(words_again)} -serial stdio", file=sys.stderr)


def boot_payload(options, wanted):
    """From the options to the payload's exit status."""
    left = leavings.Leavings(options)
    wanted.settings += left.settings()
    with temporary_folder(options.keep) as folder:
        with terminal.of(wanted, options.quiet) as typed:
            tracing = trace.begin(options)
            live = stream.Live({**tracing.takers, **left.takers(), **typed.takers})
            show = show_apart(live) if options.quiet else print_at_once
            try:
                command, report_path = machine.prepare(wanted, folder, check.ask, stream=live.path)
                if options.gdb:
                    command += gdb.prepare(folder, wanted.payload)
                if options.keep:
                    tell_command(command, live.path, folder)
                sys.stdout.flush()
                status, kept = run_qemu(command, wanted.firmware, show, live=live, seconds=options.timeout, raw=typed.is_raw)
            finally:
                live.join()
                tracing.end()
        found = report.read(report_path)
        if not found or found.get("exit", {}).get("reason") != "refused":
            show(kept)
        if options.report and found is not None:
            pathlib.Path(options.report).write_bytes(report_path.read_bytes())
        left.tell(wanted.payload)
        return left.status(report.exit_status(found, status, options.payload, wanted.payload))


def run(arguments):
    options, args = parse(arguments)
    cli.progress = sys.stderr if options.quiet else None
    wanted = describe(options, args)
    if examples.is_name(options.payload):
        cli.build(f"build/examples/{options.payload}.elf")
    boot.check(wanted.payload, options.payload, wanted.files)
    if options.report:
        clear_report(options.report)
    cli.build(*firmware.DOORS[wanted.firmware][0], check.PROGRAM)
    return boot_payload(options, wanted)


def main(arguments):
    """Whatever goes wrong here has a status that no payload's is taken for."""
    try:
        return run(arguments)
    except cli.Failure as failure:
        if failure.status < report.TIMED_OUT:
            failure.status = report.NOT_THE_PAYLOAD
        raise
    except BrokenPipeError:
        raise
    except OSError as problem:
        raise cli.Failure(problem, report.NOT_THE_PAYLOAD) from None
