# SPDX-License-Identifier: BSD-2-Clause
"""Programs in the style of those that exist, each of which looks at other corners of Linux's interfaces first."""

import pytest

from test_examples import frames

BDF = "0000:00:10.0"
LIBRARIES = ("sdk", "musl", "glibc")
EDU_IDS = ["0x1234", "0x11e8"]
UIO = "edu,kernel.uio=yes,kernel.dma-memory=yes"


@pytest.mark.parametrize("library", LIBRARIES)
def test_sysfs_first(guest, payload, library):
    ran = guest(payload("clients/config_first", library), args=EDU_IDS, devices=["nvme", "edu"]).run()
    assert ran.output("config_first: ") == [
        "config_first: 0000:00:11.0, 256 bytes of config or more, MSI there", "config_first: driver vfio-pci", "config_first: class 0x00ff00",
        "config_first: BAR 0 has 1048576 bytes", "config_first: the two views of configuration space agree", "config_first: copy ok"], ran.log
    assert ran.status == 0, ran.log


@pytest.mark.parametrize("library", LIBRARIES)
def test_single_pages(guest, payload, library, tmp_path):
    """Every page reaches the wire, also where the program's memory goes the other way. The device waits for clocks."""
    wire = tmp_path / "wire.pcap"
    ran = guest(payload("clients/single_pages", library), args=[BDF], devices=["e1000e"], icount=4,
                qemu_args=["-object", f"filter-dump,id=dump,netdev=assigned0-net,file={wire}"]).run()
    assert ran.output("single_pages: ") == [
        "single_pages: 500 pages mapped one by one", "single_pages: pages 1 to 125 sent, woken by MSI",
        "single_pages: pages 126 to 250 sent, woken by MSI-X", "single_pages: pages 251 to 375 sent, woken by MSI",
        "single_pages: pages 376 to 499 sent, woken by MSI-X", "single_pages: ok"], ran.log
    assert ran.status == 0 and ran.report["memory"]["pins"] == 0, ran.log
    ours = [frame[14:].split(b"\0")[0].decode() for frame in frames(wire) if frame[12:14] == b"\x88\xb5"]
    assert ours == [f"frame of page {number}" for number in range(1, 500)]


@pytest.mark.parametrize("library", LIBRARIES)
def test_iommufd_first(guest, payload, library):
    """The second run in it finds no iommufd, the third one does again."""
    ran = guest(payload("clients/iommufd_first", library), args=[BDF, "/dev/iommu", "/dev/none", "/dev/iommu"], devices=["edu"]).run()
    newer, older = "iommufd_first: /dev/iommu by iommufd: copy ok", "iommufd_first: /dev/none by its group: copy ok"
    assert ran.output("iommufd_first: ") == [newer, older, newer] and ran.status == 0, ran.log


@pytest.mark.parametrize("library", LIBRARIES)
def test_uio_walk(guest, payload, library):
    ran = guest(payload("clients/uio_walk", library), args=EDU_IDS, devices=["e1000e,kernel.uio=yes", UIO]).run()
    lines = ran.output("uio_walk: ")
    assert sorted(lines[:2]) == ["uio_walk: uio0 is called 0000:00:10.0, another", "uio_walk: uio1 is called 0000:00:11.0, ours"], ran.log
    assert lines[2:] == ["uio_walk: uio1 map0: 1048576 bytes at an address, offset 0", "uio_walk: copy ok, event 2, read 2"], ran.log
    assert ran.status == 0, ran.log


JOB = [b"put 16 hel", b"lo\nget 16 5\nwhat\nput 4095 no", b"\nput 18 y\nget 4096 1\n", b"get 16 5"]
DONE = ["job: ready", "job: line 1: put 5 bytes", "job: line 2: got 5 bytes: hello", "job: line 3: what is 'what'?",
        "job: line 4: no place for 2 bytes", "job: line 5: put 1 bytes", "job: line 6: no 1 bytes there",
        "job: line 7: got 5 bytes: heylo", "job: end after 7 lines and 4 transfers"]


@pytest.mark.parametrize("library", LIBRARIES)
def test_job_from_input(guest, payload, library):
    """It comes in pieces, each while the client sleeps; the last line has no end but that of input."""
    ran = guest(payload("clients/job_from_input", library), devices=["edu"], stdin=True).start()
    for piece, answer in zip(JOB, (DONE[0], DONE[0], DONE[3], DONE[6])):
        ran.wait_for(answer)
        ran.send(piece)
    ran.end_input()
    ran.wait()
    assert ran.output("job: ") == DONE and ran.status == 4, ran.log
