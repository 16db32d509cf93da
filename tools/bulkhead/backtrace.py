# SPDX-License-Identifier: BSD-2-Clause
"""Where the threads of a crashed payload stood, for a person: gdb's backtraces where gdb is installed, else the
function that each thread was in, as far as the program's symbols tell; and what those did in the kernel that were there."""

import re
import subprocess

from bulkhead import calls, cli, core, crash

FRAMES_MAX, THREADS_MAX = 24, 16  # that are shown
PATIENCE = 60  # seconds that gdb gets
HEADING = re.compile(r"Thread \d+ \(.*?LWP (\d+)\)")
WITHOUT_GDB = "with gdb installed, the callers would be here, too"
# What gdb must not do with a file that it gets: run what is in it, or ask the network about it.
SAFELY = ("set auto-load no", "set debuginfod enabled off", "set pagination off", "set width 0", "set print elements 32")
# In the kernel: a thread that waits to be told of was on its way to or from the program, not in a call.
HELD = "task_exit"
# What every thread is in that sleeps in a call.
EVERY = {"switch_to", "schedule", "thread_sleep_hearing", "thread_sleep", "thread_yield", "syscall_dispatch", "syscall_entry"}


def clean(line):
    """A line without what a terminal would obey."""
    return "".join(c if c.isprintable() else "?" for c in line)


def parse(output):
    """{thread id: its lines} of what gdb prints."""
    found, lines = {}, None
    for line in output.splitlines():
        heading = HEADING.match(line)
        if heading:
            lines = found.setdefault(int(heading[1]), [])
        elif lines is not None and line.strip():
            lines.append(clean(line))
    return found


def ask_gdb(program, file):
    """{thread id: lines} of the core file, or None: there is no gdb, or it has nothing to say."""
    settings = [word for setting in SAFELY for word in ("-iex", setting)]
    command = ["gdb", "-nx", "-q", "-batch", *settings, "-ex", f"thread apply all bt {FRAMES_MAX}", str(program), str(file)]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                              errors="replace", timeout=PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return parse(done.stdout)


def kernel_names(addresses):
    """{return address: the functions of the kernel that it lies in, the innermost first}."""
    asked = sorted(set(addresses))
    command = ["llvm-symbolizer", "--functions", f"--obj={cli.BUILD / 'kernel.elf'}", *(hex(at - 1) for at in asked)]
    try:
        output = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                text=True, check=False).stdout if asked else ""
    except OSError:
        output = ""
    found = [block.splitlines()[::2] for block in output.strip("\n").split("\n\n")]
    named = len(found) == len(asked)
    return {at: [clean(name) for name in found[i] if name != "??"] if named else [] for i, at in enumerate(asked)}


def in_kernel(thread, names):
    """ "futex_wait < wait_for_word" of a thread that is in a call; "" of one that is not."""
    chain = [name for at in thread.calls for name in names[at] or [hex(at)]]
    return "" if HELD in chain else " < ".join(name for name in chain if name not in EVERY)


def heading(thread, dump, chain):
    """The line above a thread's backtrace."""
    name = f"thread {thread.id} ({clean(thread.name)})"
    if thread.id == dump.thread:
        return f"{name}, which took {crash.signal_name(dump.signal)}:"
    if thread.call is not None and chain:
        return f"{name}, in the system call {calls.NAMES.get(thread.call, thread.call)} (in the kernel: {chain}):"
    return f"{name}:"


def lines(dump, program, file):
    """What is to be printed of the crash. `file`: its core file."""
    told = ask_gdb(program, file)
    names = kernel_names(address for thread in dump.threads for address in thread.calls)
    found = []
    for thread in core.culprit_first(dump)[:THREADS_MAX]:
        found.append(heading(thread, dump, in_kernel(thread, names)))
        frames = (told or {}).get(thread.id) or [f"#0  {thread.rip:#x}{crash.place(program, hex(thread.rip))}"]
        found += [f"  {line}" for line in frames]
    if len(dump.threads) > THREADS_MAX:
        found.append(f"and {len(dump.threads) - THREADS_MAX} threads more")
    return found + ([] if told else [WITHOUT_GDB])
