# SPDX-License-Identifier: BSD-2-Clause
"""The kernel's report of a run, as it arrives on the report port: one JSON object."""

import json

from bulkhead import crash
from bulkhead.cli import Failure

# What `run` exits with if the payload did not end by itself.
NOT_THE_PAYLOAD = 125
# What QEMU ends with when the kernel says that the payload ended by itself (kernel/machine/exit.h).
QEMU_STATUS = 33


def read(path):
    """The report, or None if the kernel did not get as far as writing one."""
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return None


def exit_status(report, qemu_status, name="the payload", program=None):
    """The payload's exit status; fails with a sentence if it did not end by itself."""
    if report is None:
        raise Failure(f"the kernel left no report (QEMU ended with status {qemu_status})", NOT_THE_PAYLOAD)
    end = report.get("exit", {})
    if end.get("reason") != "payload":
        raise Failure(crash.sentence(end, name, program), NOT_THE_PAYLOAD)
    if qemu_status != QEMU_STATUS:
        raise Failure(f"the report says that the payload ended, but QEMU ended with status {qemu_status}",
                      NOT_THE_PAYLOAD)
    return int(end["status"]) & 255
