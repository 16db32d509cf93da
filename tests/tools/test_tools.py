# SPDX-License-Identifier: BSD-2-Clause
"""The parts of ./bulkhead that make what others read: archives, selectors, settings, verdicts."""

import os
import pathlib
import subprocess
import sys

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tools"))

from bulkhead import boot, cli, console, cpio, crash, devices, examples, firmware, machine, report, run  # noqa: E402
from bulkhead.suites import unit  # noqa: E402


def test_archive_is_read_by_another_program(tmp_path):
    tree = tmp_path / "tree"
    (tree / "etc").mkdir(parents=True)
    (tree / "etc/odd name").write_bytes(b"12345")
    (tree / "link").symlink_to("etc/odd name")
    (tree / "empty").write_bytes(b"")
    archive = cpio.archive([("payload.elf", b"\x7fELF" * 3, cpio.REGULAR | 0o755), *cpio.tree(tree)])
    assert len(archive) % 4 == 0
    out = tmp_path / "out"
    out.mkdir()
    subprocess.run(["busybox", "cpio", "-i", "-d"], input=archive, cwd=out, check=True, capture_output=True)
    assert (out / "payload.elf").read_bytes() == b"\x7fELF" * 3
    assert os.access(out / "payload.elf", os.X_OK)
    assert (out / "etc/odd name").read_bytes() == b"12345"
    assert os.readlink(out / "link") == "etc/odd name"
    assert (out / "empty").read_bytes() == b""


def test_what_an_archive_cannot_hold(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(cli.Failure, match="neither a file"):
        cpio.tree(tmp_path)
    (tmp_path / "pipe").unlink()
    with open(tmp_path / "large", "wb") as file:
        file.truncate(1 << 32)
    with pytest.raises(cli.Failure, match="too large"):
        cpio.tree(tmp_path)


def test_archive_of_names_that_are_no_text(tmp_path):
    (tmp_path / os.fsdecode(b"odd\xff")).write_bytes(b"1")
    assert b"odd\xff\0" in cpio.archive(cpio.tree(tmp_path))


PORT = ["-device", "pcie-root-port,id=rp0,addr=0x1c"]
NESTED = [*PORT, "-device", "x3130-upstream,id=up,bus=rp0,addr=0x0", "-device", "xio3130-downstream,id=down,bus=up,addr=0x3"]
SELECTORS = [
    ("edu", 0, [], "edu,dma_mask=0xffffffffffffffff,addr=0x10", "0000:00:10.0"),
    ("edu", 2, [], "edu,dma_mask=0xffffffffffffffff,addr=0x12", "0000:00:12.0"),
    ("edu,addr=0x1f.7", 0, [], "edu,dma_mask=0xffffffffffffffff,addr=0x1f.7", "0000:00:1f.7"),
    ("virtio-rng-pci,bus=rp0", 0, PORT, "virtio-rng-pci,bus=rp0,addr=0x0", "0000:00:1c.0/00.0"),
    ("edu,bus=down", 0, NESTED, "edu,dma_mask=0xffffffffffffffff,bus=down,addr=0x0", "0000:00:1c.0/00.0/03.0/00.0"),
    ("nvme,drive=x,bus=rp", 0, ["-device", "pxb-pcie,id=pxb,bus_nr=0x40,addr=0x1c", "-device", "pcie-root-port,id=rp,bus=pxb,addr=1"],
     "nvme,drive=x,bus=rp,addr=0x0", "0000:40:01.0/00.0"),
    ("edu,bus=bridge", 0, ["-device", "pcie-pci-bridge,id=bridge,addr=0x1d"],
     "edu,dma_mask=0xffffffffffffffff,bus=bridge,addr=0x1", "0000:00:1d.0/01.0"),
]


@pytest.mark.parametrize("spec, number, arguments, device, selector", SELECTORS)
def test_selectors(tmp_path, spec, number, arguments, device, selector):
    assigned = devices.assign(spec, number, arguments, tmp_path)
    assert (assigned.argument, assigned.selector) == (device, selector)


def test_nvme_gets_a_drive(tmp_path):
    assigned = devices.assign("nvme", 1, [], tmp_path)
    assert (tmp_path / "assigned1.img").stat().st_size == devices.DRIVE_SIZE
    assert "drive=assigned1-drive" in assigned.argument and f"file={tmp_path}/assigned1.img" in assigned.extra[1]


def test_nvme_takes_a_disk_image(tmp_path):
    with pytest.raises(cli.Failure, match="no such disk image"):
        devices.assign(f"nvme,file={tmp_path}/disk.img", 0, [], tmp_path)
    (tmp_path / "disk.img").touch()
    assigned = devices.assign(f"nvme,addr=0x11,file={tmp_path}/disk.img", 0, [], tmp_path)
    assert assigned.argument == "nvme,serial=bulkhead,drive=assigned0-drive,addr=0x11"
    assert assigned.extra[1] == f"if=none,id=assigned0-drive,format=raw,file={tmp_path}/disk.img"
    with pytest.raises(cli.Failure, match="two disks"):
        devices.assign(f"nvme,drive=mine,file={tmp_path}/disk.img", 0, [], tmp_path)


def test_nvme_of_the_users_own(tmp_path):
    assigned = devices.assign("nvme,drive=mine,serial=x", 0, [], tmp_path)
    assert assigned.argument == "nvme,drive=mine,serial=x,addr=0x10" and not assigned.extra


@pytest.mark.parametrize("arguments", [[], ["-device", "pcie-root-port,id=port"]])
def test_unplaced_bridges_are_refused(tmp_path, arguments):
    with pytest.raises(cli.Failure):
        devices.assign("edu,bus=port", 0, arguments, tmp_path)


def test_who_speaks_for_a_conventional_card():
    bridges = devices.bridges_in(["-device", "pcie-root-port,id=rp0,addr=0x1c",
                                  "-device", "pcie-pci-bridge,id=express,bus=rp0,addr=0x0",
                                  "-device", "pci-bridge,id=outer,addr=0x8", "-device", "pci-bridge,id=inner,bus=outer,addr=0x1"])
    for bus, wanted in ((None, "card"), ("rp0", "card"), ("express", "card"), ("outer", "outer"), ("inner", "outer")):
        assert devices.speaker({"id": "card", **({"bus": bus} if bus else {})}, bridges) == wanted


@pytest.mark.parametrize("text, size", [("512M", 512 << 20), ("64", 64 << 20), ("2G", 2 << 30), ("20000k", 20000 << 10),
                                        ("16385k", 16392 << 10), ("", None), ("M", None), ("1.5G", None)])
def test_sizes_of_memory(text, size):
    assert machine.bytes_of(text) == size


def test_quoting():
    assert boot.quote('a "b" \\c') == '"a \\"b\\" \\\\c"'
    for value in ("a\nb", ""):
        with pytest.raises(cli.Failure):
            boot.quote(value)


def test_iommu_overrides():
    assert machine.iommu_arguments("aw-bits=39,caching-mode=on") == \
        ["-device", "intel-iommu,intremap=on,aw-bits=39,caching-mode=on"]
    assert machine.iommu_arguments(None) == []


CONSOLES = {
    # name -> (what the serial line says, what is shown of it, what the loader refuses)
    "kernel": (b"BdsDxe\r\nbulkhead: starting the kernel\r\n[0] info\r\n", b"bulkhead: starting the kernel\r\n[0] info\r\n", None),
    "payload's own words": (b"bulkhead: starting the kernel\r\n[0]\r\nbulkhead: cannot start: lie\r\n",
                            b"bulkhead: starting the kernel\r\n[0]\r\nbulkhead: cannot start: lie\r\n", None),
    "refusal": (b"BdsDxe\r\nbulkhead: cannot start: no kernel\r\nShell> ", None, "no kernel"),
    "late refusal": (b"bulkhead: starting the kernel\r\nbulkhead: cannot start: stuck\r\n", None, "stuck"),
    "silence": (b"BdsDxe\r\nnothing to boot", b"BdsDxe\r\nnothing to boot", None),
    "silent kernel": (b"bulkhead: starting the kernel\r\n", b"bulkhead: starting the kernel\r\n", None),
}


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("name", CONSOLES)
def test_console_of_the_uefi_door(name, size):
    text, shown, refusal = CONSOLES[name]
    console, got = firmware.Console(), b""
    for at in range(0, len(text), size):
        got += console.feed(text[at:at + size])
    assert console.refusal == refusal
    assert refusal or got + console.rest() == shown


SHOWN = {
    # what the serial line says -> what is shown at once, and what is kept back to the end
    b"[ 1.2] info  up\r\none\r\r\ntwo\rthree\r\n": (b"[ 1.2] info  up\none\r\ntwo\rthree\n", b""),
    b"[ 1.2] error refused: no\r\n": (b"", b"[ 1.2] error refused: no\n"),
    b"[ 1.2] error refused: a lie\r\nmore\r\n": (b"[ 1.2] error refused: a lie\nmore\n", b""),
    b"[ 1.2] error refused: no\r\n[ 1.3] info  halted\r\n": (b"", b"[ 1.2] error refused: no\n[ 1.3] info  halted\n"),
    b"[ 1.2] error refused: a lie\r\n[ 1.3] info  more\r\n": (b"[ 1.2] error refused: a lie\n[ 1.3] info  more\n", b""),
    b"x[ 1.2] error refused: \r\n[ 1.3] info  halted\r\n": (b"x[ 1.2] error refused: \n[ 1.3] info  halted\n", b""),
    b"password: ": (b"password: ", b""),
    b"x[ 1.2] error refused: \r\n": (b"x[ 1.2] error refused: \n", b""),
    b"[1]\r\n[ 50%]": (b"[1]\n[ 50%]", b""),
    # Calls get names where the kernel speaks of one that has a name.
    b"[ 1.000002] warn  system call 322 is not supported\r\n": (b"[ 1.000002] warn  system call execveat (322) is not supported\n", b""),
    b"[ 1.000002] warn  system call 9999 is not supported\r\n": (b"[ 1.000002] warn  system call 9999 is not supported\n", b""),
    b"a\r\n[ 1.000002] debug payload: thread 12: call 16(0x3, 0x4, 0x5): EIO\r\n":
        (b"a\n[ 1.000002] debug payload: thread 12: ioctl(0x3, 0x4, 0x5): EIO\n", b""),
    b"a [ 1.000002] warn  system call 322 is not supported\r\n": (b"a [ 1.000002] warn  system call 322 is not supported\n", b""),
    b"[ 1.000002] warn  system call 32": (b"", b"[ 1.000002] warn  system call 32"),
}


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
@pytest.mark.parametrize("text", SHOWN)
def test_what_is_shown_of_the_console(text, size):
    made, got = console.Shown(), b""
    for at in range(0, len(text), size):
        got += made.feed(text[at:at + size])
    assert (got, made.rest()) == SHOWN[text]


@pytest.mark.parametrize("start", [b"[ 1.2] error refused: ", b"[ 1.0] warn  system call "])
def test_a_line_without_an_end_is_not_held_back_for_ever(start):
    made, got = console.Shown(), b""
    for _ in range(100):
        got += made.feed(start + b"x" * 100 if not got else b"x" * 100)
    assert len(made.held) < 3000 and got


@pytest.mark.parametrize("end, said", [
    ({"reason": "killed", "signal": 6, "sentence": "sent by itself"}, "x was ended by signal 6 (SIGABRT): sent by itself"),
    ({"reason": "killed", "signal": 40, "sentence": "why", "rip": "0x10"}, "x was ended by signal 40: why, at 0x10"),
    ({"reason": "timeout", "sentence": "over"}, "x did not end by itself: timeout: over"),
    ({"reason": "refused", "sentence": "no"}, "the kernel refused to start: no"),
    ({"reason": "panic"}, "x did not end by itself: panic"), ({}, "x did not end by itself: no reason given")])
def test_how_it_ended(end, said):
    assert crash.sentence(end, "x", "/nowhere") == said


@pytest.mark.parametrize("text, status", [
    ('{"exit": {"status": 7, "reason": "payload"}}', 7),
    ('{"exit": {"status": 256, "reason": "payload"}}', 0),
    ('{"exit": {"status": 0, "reason": "killed"}}', None),
    ('{"exit": {"reason": "refused", "sentence": "no"}}', None),
    ("{}", None), ('{"exit": ', None), ("", None)])
def test_verdict(tmp_path, text, status):
    path = tmp_path / "report"
    path.write_text(text)
    if status is not None:
        assert report.exit_status(report.read(path), report.QEMU_STATUS) == status
        with pytest.raises(cli.Failure):
            report.exit_status(report.read(path), 0)
        return
    with pytest.raises(cli.Failure) as failure:
        report.exit_status(report.read(path), report.QEMU_STATUS)
    assert failure.value.status == 125


def test_no_report(tmp_path):
    with pytest.raises(cli.Failure):
        report.exit_status(report.read(tmp_path / "nowhere"), 0)


def test_example_options_give_way_to_the_command_line():
    options, args = run.parse(["hello-dma", "--", "-x"])
    assert options.device == ["edu"] and args == ["-x"]
    options, _ = run.parse(["--device", "nvme", "--qemu-arg", "-S", "hello-dma"])
    assert options.device == ["nvme"] and options.qemu_arg == ["-S"]


def test_every_example_says_how_to_run_it():
    assert examples.DEFAULT in examples.names()
    for name in examples.names():
        run.parse([name])


CMOCKA = """[==========] Running 3 test(s).
[ RUN      ] good
[       OK ] good
[ RUN      ] bad
[  FAILED  ] bad
[ RUN      ] skipped
[  SKIPPED ] skipped
[==========] 3 test(s) run.
[  FAILED  ] 1 test(s), listed below:
[  FAILED  ] bad
"""


def test_cmocka_reports():
    assert unit.read_cases(CMOCKA) == [("good", True), ("bad", False), ("skipped", False)]
    assert unit.read_cases(CMOCKA[:CMOCKA.index("[  FAILED")]) == [("good", True), ("bad", False)]
    assert unit.read_cases("") == []
