# SPDX-License-Identifier: BSD-2-Clause
"""The examples that drive real devices, judged from the host: by the disk image and by the frames on the wire."""

import random
import re
import struct
import zlib

import pytest

from conftest import make

MIB = 1 << 20
BLOCK = 512
AREA = 2 * MIB
FACTOR = 0x9e3779b97f4a7c15
EMPTY = bytes(AREA)
ROOT_PORT = ["-device", "pcie-root-port,id=rp,chassis=1,addr=0x1c"]
GATEWAY_MAC, GUEST_MAC = bytes.fromhex("52550a000202"), bytes.fromhex("525400123456")


@pytest.fixture(scope="module")
def example(kernel):
    return lambda name: make(f"build/examples/{name}.elf")


@pytest.fixture
def disk(tmp_path):
    """An image of 8 MiB, whose first area is filled by chance."""
    path = tmp_path / "disk.img"
    path.write_bytes(random.Random(1).randbytes(AREA) + 3 * EMPTY)
    return path


def areas(path):
    data = path.read_bytes()
    return [data[at:at + AREA] for at in range(0, len(data), AREA)]


def written(number):
    """What the examples write to an area."""
    words = []
    for block in range(number * AREA // BLOCK, (number + 1) * AREA // BLOCK):
        words += [((block << 16 | word) * FACTOR) & (1 << 64) - 1 for word in range(BLOCK // 8)]
    return struct.pack(f"<{len(words)}Q", *words)


def test_nvme(guest, example, disk):
    before = areas(disk)
    ran = guest(example("nvme"), devices=[f"nvme,file={disk}"]).run()
    lines = ran.output("nvme: ")
    checksum = f"CRC-32 {zlib.crc32(before[0]):08x}"
    assert lines[:-1] == [
        "nvme: 0000:00:10.0, QEMU NVMe Ctrl, serial number bulkhead: 16384 blocks of 512 bytes",
        f"nvme: 4096 blocks from 0 read before the reset: {checksum}",
        "nvme: 4096 blocks from 4096 written before the reset: read back as written",
        "nvme: reset while 8 commands were under way: no DMA afterwards, started again",
        f"nvme: 4096 blocks from 0 read after the reset: {checksum}",
        "nvme: 4096 blocks from 8192 written after the reset: read back as written"], ran.log
    assert re.fullmatch(r"nvme: ok, [1-9]\d* interrupts for commands", lines[-1]), ran.log
    assert ran.status == 0 and ran.report["memory"]["pins"] == 0, ran.log
    assert areas(disk) == [before[0], written(1), written(2), EMPTY]


def test_nvme_vf(guest, example, disk):
    """Through the virtual function's own queues, interrupt and DMA; the disk gives it back nothing but the namespace."""
    before = areas(disk)
    ran = guest(example("nvme-vf"), devices=[f"nvme-vfs,file={disk},bus=rp,kernel.vfs=2"],
                qemu_args=["-device", "pcie-root-port,id=rp,chassis=1,addr=0x1c"]).run()
    lines = ran.output("nvme-vf: ")
    assert lines[:-1] == [
        "nvme-vf: 0000:01:00.0, serial number bulkhead, and its virtual function 0000:01:00.1, controller 1",
        f"nvme-vf: area 0 read by the disk: CRC-32 {zlib.crc32(before[0]):08x}",
        "nvme-vf: area 0 read by the virtual function: ok",
        "nvme-vf: area 1 written by the virtual function, read by both: ok",
        "nvme-vf: area 2 written after a reset of the disk: ok",
        "nvme-vf: area 0 read by the disk, the virtual function in reset: ok",
        "nvme-vf: area 0 read after a reset of the virtual function: ok"], ran.log
    assert re.fullmatch(r"nvme-vf: ok, [1-9]\d* interrupts of the virtual function", lines[-1]), ran.log
    assert ran.status == 0 and ran.report["memory"]["pins"] == 0, ran.log
    assert ran.report["assigned"] == ["0000:01:00.0", "0000:01:00.1", "0000:01:00.2"]
    assert areas(disk) == [before[0], written(1), written(2), EMPTY]


def test_nvme_overwrites_nothing(guest, example, disk):
    with open(disk, "r+b") as image:
        image.seek(2 * AREA - 1)
        image.write(b"x")
    before = areas(disk)
    ran = guest(example("nvme"), devices=[f"nvme,file={disk}"]).run()
    assert ": 0000:00:10.0: blocks 4096 to 8191 hold something, and are not overwritten" in ran.serial, ran.log
    assert ran.status == 1 and areas(disk) == before, ran.log


def frames(path):
    """The frames in a file of -object filter-dump."""
    data, at = path.read_bytes(), 24
    while at < len(data):
        length = struct.unpack_from("<I", data, at + 8)[0]
        yield data[at + 16:at + 16 + length]
        at += 16 + length


def echoes(path, sender, kind):
    """The ICMP messages of a kind that a station sent: the bytes behind the checksum."""
    return [frame[38:] for frame in frames(path)
            if frame[6:12] == sender and frame[12:14] == b"\x08\x00" and frame[23] == 1 and frame[34] == kind]


MODES = {
    "intx": ["intx"],
    "intx behind a root port": ["intx"],
    "msi": ["msi"],
    "msix": ["msix"],
    "msix behind a root port": ["msix"],
}


@pytest.mark.parametrize("name", MODES)
def test_e1000e(guest, example, tmp_path, name):
    wire = tmp_path / "wire.pcap"
    behind = "port" in name
    ran = guest(example("e1000e"), args=MODES[name], devices=["e1000e,bus=rp" if behind else "e1000e"],
                qemu_args=["-object", f"filter-dump,id=dump,netdev=assigned0-net,file={wire}", *ROOT_PORT]).run()
    where, pings = "0000:01:00.0" if behind else "0000:00:10.0", "48 of 48 pings came back with every byte right"
    lines = ran.output("e1000e: ")
    assert lines[:-1] == [
        f"e1000e: {where}, MAC address 52:54:00:12:34:56, the link is there",
        f"e1000e: before the reset: 10.0.2.2 is at 52:55:0a:00:02:02, {pings}",
        "e1000e: reset by VFIO while 8 pings were under way, started again",
        f"e1000e: after the reset: 10.0.2.2 is at 52:55:0a:00:02:02, {pings}"], ran.log
    received, sent = re.fullmatch(r"e1000e: ok, (\d+) \+ (\d+) interrupts", lines[-1]).groups()
    assert int(received) > 0 and (int(sent) > 0) == ("msix" in name), ran.log
    assert ran.status == 0 and ran.report["memory"]["pins"] == 0, ran.log
    # The 8 that were under way at the reset may have left or not.
    asked, answered = echoes(wire, GUEST_MAC, 8), echoes(wire, GATEWAY_MAC, 0)
    assert 96 <= len(asked) <= 104 and len(set(asked)) == len(asked) and set(answered) <= set(asked), ran.log


SWITCH = ["-device", "pcie-root-port,id=rp,chassis=1,addr=0x1c", "-device", "x3130-upstream,id=up,bus=rp,addr=0",
          "-device", "xio3130-downstream,id=d0,bus=up,chassis=2,slot=0,addr=0",
          "-device", "xio3130-downstream,id=d1,bus=up,chassis=3,slot=1,addr=1"]
EXPANDER = ["-device", "pxb-pcie,id=pxb,bus_nr=0x40,bus=pcie.0,addr=0x1c", "-device", "pcie-root-port,id=rp,bus=pxb,chassis=1,addr=1",
            "-device", "pcie-pci-bridge,id=bridge,bus=pxb,addr=2"]
# name -> (QEMU's words, the bus of the disk, that of the network card, their addresses)
PLACES = {
    "on the root bus": ([], "", "", "0000:00:10.0 and 0000:00:11.0"),
    "in one group below a switch": (SWITCH, ",bus=d0", ",bus=d1", "0000:03:00.0 and 0000:04:00.0"),
    "on another root bus, below a port and a bridge": (EXPANDER, ",bus=rp", ",bus=bridge", "0000:41:00.0 and 0000:42:01.0"),
}


@pytest.mark.parametrize("name", PLACES)
def test_two_devices(guest, example, disk, name):
    before = areas(disk)
    qemu_args, of_disk, of_network, where = PLACES[name]
    ran = guest(example("two-devices"), devices=[f"nvme,file={disk}{of_disk}", f"e1000e{of_network}"], qemu_args=qemu_args).run()
    assert ran.output("two-devices: ") == [
        f"two-devices: {where} in one container",
        "two-devices: reading and pinging at the same time: 4 of 4 rounds ok",
        "two-devices: reading while the network is reset: 4 of 4 rounds ok",
        "two-devices: pinging while the disk is reset: 4 of 4 rounds ok",
        "two-devices: ok"], ran.log
    assert ran.status == 0 and ran.report["memory"]["pins"] == 0, ran.log
    assert areas(disk) == [before[0], written(1), EMPTY, EMPTY]
