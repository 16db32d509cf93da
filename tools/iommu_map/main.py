# SPDX-License-Identifier: BSD-2-Clause
"""The command line of tools/iommu-map."""

import argparse
import os
import pathlib
import signal
import sys

from iommu_map import picture, reading

DESCRIPTION = """Draws the IOVA space of every domain in a report of the kernel as an SVG: coloured by leaf size,
faults marked, gaps compressed. A report is what `./bulkhead run --report REPORT` leaves."""


def parse(arguments):
    parser = argparse.ArgumentParser(prog="tools/iommu-map", description=DESCRIPTION, allow_abbrev=False)
    parser.add_argument("report", metavar="REPORT", help="the kernel's report of a run, JSON (docs/report.md)")
    parser.add_argument("-o", "--output", metavar="FILE", help="write the picture here (default: standard output)")
    return parser.parse_args(arguments)


def write(name, drawing):
    """UTF-8, whatever the terminal speaks: the picture says so of itself."""
    if name is None:
        sys.stdout.buffer.write(drawing.encode())
        sys.stdout.flush()
        return
    try:
        pathlib.Path(name).write_text(drawing, encoding="utf-8")
    except OSError as problem:
        raise reading.Problem(f"cannot write {name}: {problem.strerror}") from None


def run(arguments):
    options = parse(arguments)
    try:
        write(options.output, picture.draw(reading.read(options.report)))
    except reading.Problem as problem:
        print(f"iommu-map: {problem}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # nobody reads on; without this Python would complain once more at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    return 0
