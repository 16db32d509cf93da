# SPDX-License-Identifier: BSD-2-Clause
"""./bulkhead bench: counts the instructions that mapping memory for a device costs.

Under `-icount shift=0,sleep=off` one instruction is one tick of the guest's time-stamp counter, so
the counts are exact and do not depend on how fast this machine is."""

import argparse
import json
import pathlib
import subprocess
import tempfile

from bulkhead import cli, machine, report

# key -> (what is measured, the most instructions it may cost, what is aimed at, the same on Linux 6.1).
# Above the most, something has become slower, and the command fails; above the aim, work is left.
ROWS = {
    "syscall_empty": ("empty system call", 80, 80, 337),
    "pair_4k": ("map and unmap one 4 KiB page, same IOVA", 1500, 600, 7776),
    "pair_4k_fresh": ("the same, a fresh IOVA each time", 1500, 800, None),
    "pair_1g_scattered_per_page": ("1 GiB of scattered 4 KiB pages, per page", 60, 60, 3366),
    "pair_1g_on_2m": ("1 GiB on scattered 2 MiB blocks", 36_000, 30_000, 108_100_000),
    "pair_1g_on_1g": ("1 GiB on one 1 GiB block", 1800, 1500, 101_300_000),
    "map_60000_extra": ("one map among 60,000 areas, more than among 60", 150, 150, None),
}
SCATTERED_TIMES_LIMIT = 4
PATIENCE = 540  # seconds


def parse(arguments):
    parser = argparse.ArgumentParser(prog="./bulkhead bench", description=__doc__.split("\n\n")[1])
    parser.add_argument("--json", metavar="FILE", help='write {"rows": {KEY: {"bulkhead": n, "limit": n}}}')
    parser.add_argument("keys", nargs="*", metavar="KEY", help=f"rows to measure: {', '.join(ROWS)}")
    options = parser.parse_args(arguments)
    for key in options.keys:
        if key not in ROWS:
            parser.error(f"no row '{key}'{cli.nearest(key, ROWS)}; there are: {', '.join(ROWS)}")
    return options


def measure(keys):
    """Boots the benchmark: {key: (instructions, limit)}."""
    cli.build("kernel", "build/bench.elf")
    wanted = machine.Machine(
        payload=cli.BUILD / "bench.elf", devices=["edu"], args=["0000:00:10.0", *keys], memory="5G",
        settings=[("memlock", "4G"), ("log-level", "warn")], qemu_args=["-icount", "shift=0,sleep=off"])
    with tempfile.TemporaryDirectory(prefix="bulkhead.") as folder:
        command, report_path = machine.prepare(wanted, folder)
        console = pathlib.Path(folder) / "console"
        process = machine.start([*command, "-serial", f"file:{console}"], stdin=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise cli.Failure(f"the benchmark did not end within {PATIENCE} s") from None
        finally:
            machine.stop(process)
        text = console.read_text(errors="replace")
        status = report.exit_status(report.read(report_path), process.returncode)
    if status:
        raise cli.Failure(f"the benchmark failed:\n{text}")
    lines = [line.split() for line in text.splitlines() if line.startswith("bench: ")]
    return {words[1]: (int(words[2]), int(words[3])) for words in lines if words[1] in ROWS}


def most(key, limit):
    """What a row may cost: its own bound and, for scattered memory, a multiple of the limit."""
    bound = ROWS[key][1]
    return min(bound, SCATTERED_TIMES_LIMIT * limit) if key == "pair_1g_scattered_per_page" else bound


def main(arguments):
    options = parse(arguments)
    print("counting instructions; the scattered gibibyte takes a minute or two", flush=True)
    found = measure(options.keys)
    print(f"{'key':28} {'bulkhead':>12} {'at most':>12} {'aim':>12} {'limit':>12} {'Linux':>12}  what")
    for key, (count, limit) in found.items():
        text, _, aim, linux = ROWS[key]
        mark = "" if count <= most(key, limit) else "  TOO MUCH"
        print(f"{key:28} {count:12,} {most(key, limit):12,} {aim:12,} {limit:12,} {linux or '-':>12}  {text}{mark}")
    if options.json:
        rows = {key: {"bulkhead": count, "limit": limit} for key, (count, limit) in found.items()}
        pathlib.Path(options.json).write_text(json.dumps({"rows": rows}, indent=2) + "\n")
    return int(any(count > most(key, limit) for key, (count, limit) in found.items()))
