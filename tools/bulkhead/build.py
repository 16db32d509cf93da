# SPDX-License-Identifier: BSD-2-Clause
"""./bulkhead build: sees to it that the SDK is there, then compiles as sdk/cc would."""

import subprocess

from bulkhead import cli

HELP = """usage: ./bulkhead build [CC OPTIONS] -o PAYLOAD.elf FILE.c...

Builds the SDK if need be, then runs sdk/cc, which takes the options of clang and links with
newlib into a static program. Without arguments, only the SDK is built."""


def main(arguments):
    if "-h" in arguments or "--help" in arguments:
        print(HELP)
        return 0
    cli.build("sdk")
    return subprocess.run([cli.TOP / "sdk/cc", *arguments], check=False).returncode if arguments else 0
