# SPDX-License-Identifier: BSD-2-Clause
"""./bulkhead clean: removes what was built."""

import argparse
import shutil

from bulkhead import cli, lock

DESCRIPTION = """Removes the build folder (build/, or BULKHEAD_BUILD), waiting for a build that is going on. A folder that
Bulkhead has not built in is left alone."""


def parser():
    return argparse.ArgumentParser(prog="./bulkhead clean", description=DESCRIPTION, allow_abbrev=False)


def main(arguments):
    parser().parse_args(arguments)
    cli.need_source("clean")
    if not cli.BUILD.exists():
        return 0
    if any(cli.BUILD.iterdir()) and not (cli.BUILD / lock.NAME).exists():
        raise cli.Failure(f"{cli.BUILD} is left alone: Bulkhead has not built there ({lock.NAME} is missing)")
    with lock.building(cli.BUILD):
        shutil.rmtree(cli.BUILD)
    return 0
