# SPDX-License-Identifier: BSD-2-Clause
"""The stream: records that the kernel writes to the stream port while it runs (docs/report.md).
Nothing in them is trusted: a payload may have broken the kernel that wrote them."""

import struct

from bulkhead.cli import Failure

HEADER = struct.Struct("<II")  # kind, and how many bytes follow
BYTES_MAX = 4096


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
