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

# key -> (what is measured, the instructions that it cost when that was last recorded, what is aimed at, the same
# on Linux 6.1). A row that costs more than is recorded, and ALLOWED_PERCENT on top, has become slower: the command
# fails, and so does a test. Above the aim, work is left.
ROWS = {
    "syscall_empty": ("empty system call", 62, 80, 337),
    "pair_4k": ("map and unmap one 4 KiB page, same IOVA", 1300, 600, 7776),
    "pair_4k_fresh": ("the same, a fresh IOVA each time", 1300, 800, None),
    "pair_1g_scattered_per_page": ("1 GiB of scattered 4 KiB pages, per page", 56, 60, 3366),
    "pair_1g_on_2m": ("1 GiB on scattered 2 MiB blocks", 31_756, 30_000, 108_100_000),
    "pair_1g_on_1g": ("1 GiB on one 1 GiB block", 1555, 1500, 101_300_000),
    "map_60000_extra": ("one map among 60,000 areas, more than among 60", 121, 150, None),
}
ALLOWED_PERCENT = 5
PATIENCE = 540  # seconds


def parser():
    made = argparse.ArgumentParser(prog="./bulkhead bench", description=__doc__.split("\n\n")[1])
    made.add_argument("--json", metavar="FILE", help='write {"rows": {KEY: {"bulkhead": n, "limit": n}}}')
    made.add_argument("keys", nargs="*", metavar="KEY", help=f"rows to measure: {', '.join(ROWS)}")
    return made


def parse(arguments):
    made = parser()
    options = made.parse_args(arguments)
    for key in options.keys:
        if key not in ROWS:
            made.error(f"no row '{key}'{cli.nearest(key, ROWS)}; there are: {', '.join(ROWS)}")
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


def most(key):
    """What a row may cost."""
    return ROWS[key][1] * (100 + ALLOWED_PERCENT) // 100


def complaints(found):
    """A sentence for each row that has become slower."""
    return [f"{key} costs {count:,} instructions; {ROWS[key][1]:,} are recorded, so {most(key):,} are the most. If it has to "
            "cost that much, record it: in ROWS of tools/bulkhead/bench.py and in the table of docs/bench.md"
            for key, (count, _) in found.items() if count > most(key)]


def main(arguments):
    options = parse(arguments)
    cli.need_source("bench")
    print("counting instructions; all rows take about half a minute", flush=True)
    found = measure(options.keys)
    print(f"{'key':28} {'bulkhead':>12} {'recorded':>12} {'at most':>12} {'aim':>12} {'limit':>12} {'Linux':>12}  what")
    for key, (count, limit) in found.items():
        text, recorded, aim, linux = ROWS[key]
        print(f"{key:28} {count:12,} {recorded:12,} {most(key):12,} {aim:12,} {limit:12,} {linux or '-':>12}  {text}")
    if options.json:
        rows = {key: {"bulkhead": count, "limit": limit} for key, (count, limit) in found.items()}
        pathlib.Path(options.json).write_text(json.dumps({"rows": rows}, indent=2) + "\n")
    slower = complaints(found)
    for complaint in slower:
        print(f"TOO MUCH: {complaint}")
    return int(bool(slower))
