# SPDX-License-Identifier: BSD-2-Clause
"""The stream: records that the kernel writes to the stream port while it runs (docs/report.md).
Nothing in them is trusted: a payload may have broken the kernel that wrote them."""

import os
import struct
import threading

from bulkhead.cli import Failure

HEADER = struct.Struct("<II")  # kind, and how many bytes follow
BYTES_MAX = 4096
OUTPUT = 64  # the kind of what the payload writes, with the kernel's setting output=stream
INPUT = 65  # the kind of where the kernel takes input from (bulkhead.line)


def read(file, takers):
    """Gives the bytes of each record to takers[kind] until the stream ends; kinds that nobody takes
    are passed over. False: it ended in the middle of a record."""
    while head := file.read(HEADER.size):
        if len(head) < HEADER.size:
            return False
        kind, length = HEADER.unpack(head)
        if length > BYTES_MAX:
            raise Failure(f"the stream is damaged: a record of kind {kind} has {length} bytes")
        found = file.read(length)
        if len(found) < length:
            return False
        if kind in takers:
            takers[kind](found)
    return True


class Live:
    """The stream of a machine while it runs: QEMU writes to `path`, and a thread gives the records to
    takers[kind] as they come. A taker that fails is not called again, and neither are the others: the
    rest is read and dropped, since QEMU waits until somebody reads."""

    def __init__(self, takers):
        self.takers, self.problem = takers, None
        self.process = None  # QEMU, once it was started
        self.source, self.end = os.pipe()
        self.path = f"/dev/fd/{self.end}"
        self.thread = threading.Thread(target=self._run, daemon=True)

    def begin(self):
        """When QEMU was started with the file descriptor `end`: from now on only QEMU holds that."""
        os.close(self.end)
        self.end = None
        self.thread.start()

    def _run(self):
        with open(self.source, "rb") as file:
            try:
                read(file, self.takers)
            except Exception as problem:  # whatever it was, join() raises it
                self.problem = problem
            while file.read(1 << 16):
                pass

    def join(self):
        """When QEMU has ended, or was never started: after this all that it wrote was taken. Raises what a taker raised."""
        if self.end is not None:
            os.close(self.end)
            os.close(self.source)
            self.end = None
            return
        self.thread.join()
        if self.problem:
            raise self.problem
