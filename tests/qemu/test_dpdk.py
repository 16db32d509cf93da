# SPDX-License-Identifier: BSD-2-Clause
"""DPDK as Debian ships it: its libraries and its driver, on two e1000e that send to each other."""

import collections

import pytest

from test_examples import frames

PORTS, FRAMES = 2, 1000  # of tests/qemu/payloads/dpdk.c
MACS = [bytes.fromhex("525400123456"), bytes.fromhex("525400123457")]  # QEMU's
# how DPDK takes its memory -> its arguments; there are no sockets, which it has to be told
MODES = {
    "huge pages in files": ["--no-shconf", "--no-telemetry"],
    "huge pages in memory": ["--in-memory", "--no-telemetry"],
    "pages": ["--no-huge", "-m", "32", "--no-shconf", "--no-telemetry"],
}


def frame(port, number):
    """As tests/qemu/payloads/dpdk.c makes it."""
    data = bytes((number * 31 + at * 7 + port * 101 + (at >> 8)) & 0xff for at in range(60 + number * 769 % 1455))
    return MACS[not port] + MACS[port] + b"\x88\xb5" + data[14:]


def on_one_wire():
    """QEMU's words for two network cards that hear each other, and for each card."""
    words = [word for port in range(PORTS) for word in ("-netdev", f"hubport,id=wire{port},hubid=0")]
    return words, [f"e1000e,netdev=wire{port}" for port in range(PORTS)]


@pytest.mark.parametrize("mode", MODES)
def test_two_ports_send_to_each_other(guest, payload, tmp_path, mode):
    wire = tmp_path / "wire.pcap"
    hub, cards = on_one_wire()
    ran = guest(payload("dpdk", "dpdk"), args=MODES[mode], devices=cards,
                qemu_args=[*hub, "-object", f"filter-dump,id=dump,netdev=wire0,file={wire}"]).run()
    sent = [[frame(port, number) for number in range(FRAMES)] for port in range(PORTS)]
    for port in range(PORTS):
        received = sum(map(len, sent[not port]))
        assert ran.output(f"dpdk: port {port} ") == [
            f"dpdk: port {port} ({MACS[port].hex(':')}): sent {FRAMES}, received {FRAMES}, {received} bytes, 0 damaged"], ran.log
    assert collections.Counter(frames(wire)) == collections.Counter(sent[0] + sent[1])
    assert ran.status == 0 and ran.report["memory"]["pins"] == 0, ran.log
