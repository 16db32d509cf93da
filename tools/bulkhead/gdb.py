# SPDX-License-Identifier: BSD-2-Clause
"""./bulkhead run --gdb: a machine that waits for the GNU debugger, and what the debugger has to be told."""

import pathlib
import subprocess
import sys

from bulkhead import cli, elffile

SCRIPT, SOCKET = "gdb-script", "gdb-socket"
TEXT = """# Written by ./bulkhead run --gdb, for this run.
set pagination off
set architecture i386:x86-64
exec-file "{program}"
symbol-file -o {offset:#x} "{program}"
add-symbol-file "{kernel}"
target remote {socket}
# The payload is not in memory yet, so the breakpoint is one of the CPU's; and what the machine does at its address
# before is not the payload's.
thbreak {start} if ($cs & 3) == 3
echo The machine is stopped at its start. `continue` goes to {start}.\\n
"""


def entry_of(program):
    """(where the payload starts, how much that is above what its file says)."""
    told = elffile.read(program)
    return told.entry + told.bias, told.bias


def has_main(program):
    found = subprocess.run(["nm", "--defined-only", "--format=posix", program], stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    return any(line.startswith(b"main T") for line in found.stdout.splitlines())


def prepare(folder, program):
    """Writes the script and tells what to type. Returns QEMU's words."""
    folder = pathlib.Path(folder)
    entry, offset = entry_of(program)
    text = TEXT.format(offset=offset, program=program, kernel=cli.BUILD / "kernel.elf", socket=folder / SOCKET,
                       start="main" if has_main(program) else f"*{entry:#x}")
    (folder / SCRIPT).write_text(text, encoding="utf-8", errors="surrogateescape")
    print(f"bulkhead: the machine waits for the debugger: gdb -x {folder / SCRIPT}", file=sys.stderr, flush=True)
    return ["-S", "-gdb", f"unix:{cli.option_value(folder / SOCKET)},server=on,wait=off"]
