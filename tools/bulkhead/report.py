# SPDX-License-Identifier: BSD-2-Clause
"""The kernel's report of a run, as it arrives on the report port: one JSON object."""

import json

from bulkhead import crash
from bulkhead.cli import Failure

# What `run` exits with if it was not the payload that ended the run, but --timeout did, or something went wrong.
TIMED_OUT, NOT_THE_PAYLOAD = 124, 125
# What QEMU ends with when the kernel says that the payload ended by itself (kernel/machine/exit.h).
QEMU_STATUS = 33


def read(path):
    """The report, or None if the kernel did not get as far as writing one."""
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return None


def failure_status(end):
    """Of a payload that a signal ended, what a shell would say; else that it was not the payload's doing."""
    number = end.get("signal")
    return 128 + number if end.get("reason") == "killed" and type(number) is int and 0 < number < 128 else NOT_THE_PAYLOAD


def exit_status(report, qemu_status, name="the payload", program=None):
    """The payload's exit status; fails with a sentence if it did not end by itself."""
    if report is None:
        raise Failure(f"the kernel left no report (QEMU ended with status {qemu_status})", NOT_THE_PAYLOAD)
    end = report.get("exit", {})
    if end.get("reason") != "payload":
        raise Failure(crash.sentence(end, name, program), failure_status(end))
    if qemu_status != QEMU_STATUS:
        raise Failure(f"the report says that the payload ended, but QEMU ended with status {qemu_status}",
                      NOT_THE_PAYLOAD)
    return int(end["status"]) & 255
