# SPDX-License-Identifier: BSD-2-Clause
"""--timeout: how long a machine may run."""

import argparse
import threading

from bulkhead import machine, report
from bulkhead.cli import Failure


def seconds(text):
    """A number of seconds that is more than none."""
    try:
        number = float(text)
    except ValueError:
        number = 0
    if not 0 < number <= threading.TIMEOUT_MAX:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of seconds such as 30 or 2.5")
    return number


class Limit:
    """Ends QEMU when its time is up: `with Limit(process, seconds) as limit: ...; limit.check()`. None: no limit."""

    def __init__(self, process, allowed):
        self.allowed, self.passed = allowed, False
        self.timer = threading.Timer(allowed or 0, self.end, (process,))
        self.timer.daemon = True

    def end(self, process):
        if process.poll() is None:
            self.passed = True
            machine.stop(process)

    def __enter__(self):
        if self.allowed:
            self.timer.start()
        return self

    def __exit__(self, *_problem):
        self.timer.cancel()

    def check(self):
        """Fails if it was the limit that ended the machine."""
        if self.passed:
            raise Failure(f"the machine still ran after {self.allowed:g} s and was ended (--timeout; the kernel's key "
                          "payload-timeout would end the payload alone)", report.TIMED_OUT)
