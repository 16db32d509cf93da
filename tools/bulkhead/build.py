# SPDX-License-Identifier: BSD-2-Clause
"""./bulkhead build: sees to it that the SDK is there, then compiles as sdk/cc would."""

import pathlib
import subprocess

from bulkhead import cli, compile_commands

OPTION = "--compile-commands"
HELP = f"""usage: ./bulkhead build [{OPTION} FILE] [CC OPTIONS] -o PAYLOAD.elf FILE.c...

Builds the SDK if need be, then runs sdk/cc, which takes the options of clang and links with
newlib into a static program. Without arguments, only the SDK is built.

{OPTION} FILE   write into FILE, for clangd and editors, how each FILE.c is
                          compiled; what it says of other files stays"""


def take_option(arguments):
    """(FILE or None, the arguments without it)"""
    for at, word in enumerate(arguments):
        name, equals, value = word.partition("=")
        if name != OPTION:
            continue
        if not equals and at + 1 == len(arguments):
            raise cli.Failure(f"{OPTION} needs the name of a file")
        return (value, arguments[:at] + arguments[at + 1:]) if equals else (arguments[at + 1], arguments[:at] + arguments[at + 2:])
    return None, arguments


def main(arguments):
    if "-h" in arguments or "--help" in arguments:
        print(HELP)
        return 0
    database, arguments = take_option(arguments)
    cli.build("sdk")
    if database:
        compile_commands.update(pathlib.Path(database), pathlib.Path.cwd(), compile_commands.of_program(arguments))
    return subprocess.run([cli.TOP / "sdk/cc", *arguments], check=False).returncode if arguments else 0
