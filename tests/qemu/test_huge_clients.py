# SPDX-License-Identifier: BSD-2-Clause
"""Programs that keep their buffers in files of huge pages, in the manner of DPDK's and SPDK's."""

import struct

import pytest

THREADS, COMMANDS, WORDS = 4, 400, 1024  # of tests/qemu/payloads/polled_nvme.c


def written(queue):
    """What a queue's thread leaves on the disk."""
    words = [(queue << 28 | number << 12 | at) * 2654435761 & 0xffffffff for number in range(COMMANDS) for at in range(WORDS)]
    return struct.pack(f"<{len(words)}I", *words)


@pytest.mark.parametrize("family,library", [("group", "musl"), ("iommufd", "glibc")])
def test_one_polling_thread_for_each_queue(guest, payload, tmp_path, family, library):
    disk = tmp_path / "disk.img"
    disk.write_bytes(bytes(8 << 20))
    ran = guest(payload("polled_nvme", library), args=[family, "0000:00:10.0"], devices=[f"nvme,file={disk}"]).run()
    assert ran.output("polled: ") == [f"polled: {THREADS} queues, {2 * THREADS * COMMANDS} commands, 0 damaged"], ran.log
    assert ran.status == 0 and ran.report["memory"]["pins"] == ran.report["memory"]["orphans"] == 0, ran.log
    data = disk.read_bytes()
    assert data == b"".join(written(queue + 1) for queue in range(THREADS)).ljust(len(data), b"\0")


@pytest.mark.parametrize("library", ["sdk", "musl", "glibc"])
def test_a_file_for_each_buffer(guest, payload, library):
    ran = guest(payload("file_per_buffer", library), args=["0000:00:10.0"], devices=["edu"]).run()
    assert ran.output("buffers: ") == ["buffers: 3 rounds of 4, all huge pages are free again"], ran.log
    assert ran.status == 0 and ran.report["memory"]["pins"] == ran.report["memory"]["orphans"] == 0, ran.log
