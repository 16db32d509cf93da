# SPDX-License-Identifier: BSD-2-Clause
"""Chooses the command. A command is a module of this package with main(arguments) -> status."""

import importlib
import os
import signal
import sys

from bulkhead import version
from bulkhead.cli import Failure, nearest

# name -> (module, one line of help)
COMMANDS = {
    "run": ("bulkhead.run", "boot a payload under QEMU; without a payload, the demo hello-dma"),
    "devices": ("bulkhead.topology", "show the PCI devices and isolation groups of a machine under QEMU"),
    "collect": ("bulkhead.collect", "write what this machine is, seen from Linux, into a file; or judge such a file"),
    "image": ("bulkhead.image", "make a bootable disk image, or the files for an EFI system partition"),
    "new": ("bulkhead.new", "make a project to start from"),
    "build": ("bulkhead.build", "compile a C program into a payload with the SDK"),
    "bench": ("bulkhead.bench", "count the instructions that mapping memory costs"),
    "prove": ("bulkhead.prove", "prove arithmetic and the DMAR parser with Frama-C"),
    "completion": ("bulkhead.completion", "print the completion for bash: . <(./bulkhead completion)"),
    "path": ("bulkhead.path", "print where the Python package, or all of Bulkhead, is"),
    "clean": ("bulkhead.clean", "remove what was built"),
    "doctor": ("bulkhead.doctor", "tell what is installed here and what works; installs nothing"),
    "test": ("bulkhead.test", "build and run the tests; the last line says N passed, N failed, N skipped"),
}


def print_help():
    print("usage: ./bulkhead COMMAND [OPTIONS]\n")
    for name, (_, text) in COMMANDS.items():
        print(f"  {name:12} {text}")
    print(f"  {'help':12} this text; ./bulkhead COMMAND --help tells a command's options")
    print(f"  {'--version':12} which Bulkhead this is, and which QEMU would run it")


def main(arguments):
    name = arguments[0] if arguments else "help"
    if name in ("help", "-h", "--help"):
        print_help()
        return 0
    if name == "--version":
        return version.main(arguments[1:])
    if name not in COMMANDS:
        raise Failure(f"no command '{name}'{nearest(name, COMMANDS)}; ./bulkhead help lists them", status=2)
    return importlib.import_module(COMMANDS[name][0]).main(arguments[1:])


def end_by_signal(number, _frame):
    """Leaves through every `finally`, so that no QEMU, make or temporary folder stays behind."""
    sys.exit(128 + number)


def run():
    """main() with one sentence for everything that can go wrong outside of this program."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # nohup wants it to be ignored
            signal.signal(number, end_by_signal)
    try:
        status = main(sys.argv[1:])
        sys.stdout.flush()
        return status
    except Failure as failure:
        print(f"bulkhead: {failure}", file=sys.stderr)
        return failure.status
    except BrokenPipeError:  # nobody reads on; without this Python would complain once more at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except OSError as problem:
        print(f"bulkhead: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


if __name__ == "__main__":
    sys.exit(run())
