# SPDX-License-Identifier: BSD-2-Clause
"""Chooses the command. A command is a module of this package with main(arguments) -> status."""

import importlib
import sys

from bulkhead.cli import Failure

# name -> (module, one line of help)
COMMANDS = {
    "run": ("bulkhead.run", "boot a payload under QEMU; without a payload, the demo hello-dma"),
    "image": ("bulkhead.image", "make a bootable disk image, or the files for an EFI system partition"),
    "build": ("bulkhead.build", "compile a C program into a payload with the SDK"),
    "bench": ("bulkhead.bench", "count the instructions that mapping memory costs"),
    "test": ("bulkhead.test", "build and run the tests; the last line says N passed, N failed"),
}


def print_help():
    print("usage: ./bulkhead COMMAND [OPTIONS]\n")
    for name, (_, text) in COMMANDS.items():
        print(f"  {name:8} {text}")
    print(f"  {'help':8} this text; ./bulkhead COMMAND --help tells a command's options")


def main(arguments):
    name = arguments[0] if arguments else "help"
    if name in ("help", "-h", "--help"):
        print_help()
        return 0
    if name not in COMMANDS:
        raise Failure(f"no command '{name}'; ./bulkhead help lists them", status=2)
    return importlib.import_module(COMMANDS[name][0]).main(arguments[1:])


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Failure as failure:
        print(f"bulkhead: {failure}", file=sys.stderr)
        sys.exit(failure.status)
    except KeyboardInterrupt:
        sys.exit(130)
