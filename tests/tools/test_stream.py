# SPDX-License-Identifier: BSD-2-Clause
"""The stream as the host reads it, with no machine."""

import io
import os
import struct

import pytest

from bulkhead import cli, stream


def record(kind, data):
    return struct.pack("<II", kind, len(data)) + data


def test_records_reach_the_taker_of_their_kind():
    found = []
    data = record(1, b"one") + record(9, b"nobody's") + record(2, b"") + record(1, b"x" * 4096)
    assert stream.read(io.BytesIO(data), {1: lambda b: found.append((1, b)), 2: lambda b: found.append((2, b))})
    assert found == [(1, b"one"), (2, b""), (1, b"x" * 4096)]


@pytest.mark.parametrize("cut", range(1, 11))
def test_a_stream_that_ends_within_a_record_is_told(cut):
    found = []
    assert not stream.read(io.BytesIO((record(1, b"all") + record(1, b"one"))[:-cut]), {1: found.append})
    assert found == [b"all"]


def test_a_record_that_is_too_long_is_damage():
    with pytest.raises(cli.Failure, match="the stream is damaged: a record of kind 7 has 4097 bytes"):
        stream.read(io.BytesIO(struct.pack("<II", 7, 4097)), {})


def live_with(taker, data):
    """Writes the stream as QEMU would, by its path."""
    live = stream.Live({1: taker})
    writer = os.open(live.path, os.O_WRONLY)
    live.begin()
    with open(writer, "wb") as file:
        file.write(data)
    live.join()


def test_a_live_stream_is_taken_whole():
    found = []
    live_with(found.append, b"".join(record(1, struct.pack("<I", n) * 1000) for n in range(500)))
    assert [struct.unpack_from("<I", data)[0] for data in found] == list(range(500))


def test_what_a_taker_raises_comes_out_at_the_end_and_the_rest_is_drained():
    def fail(_):
        raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        live_with(fail, record(1, b"x" * 4096) * 500)


def test_a_machine_that_never_started_leaves_nothing_open():
    before = len(os.listdir("/proc/self/fd"))
    stream.Live({}).join()
    assert len(os.listdir("/proc/self/fd")) == before
