# SPDX-License-Identifier: BSD-2-Clause
"""Files out: what a payload leaves under /out comes back to the host, however the payload ended."""

import os
import stat

import pytest

from bulkhead import out, stream
from test_run import run

PATTERN = bytes((7 * i >> 3) & 255 for i in range(100003))
SPARSE = {0: b"start", (1 << 20) + 100: b"by a mapping\0", (2 << 20) + 1: b"behind a hole"}
SPARSE_SIZE = (64 << 20) + 3
FEW = {"plain": b"left behind\n", "empty": b"", "folder/below/pattern": PATTERN, "behind": b"behind a folder\n",
       "program": b"", "moved": b"came from /tmp\n"}
HANGS = ["--append", "payload-timeout=2"]


def files_below(folder):
    return {os.path.relpath(os.path.join(at, name), folder) for at, _, names in os.walk(folder) for name in names}


def check_few(folder):
    """Byte by byte, and nothing else."""
    assert files_below(folder) == {*FEW, "sparse"}
    for name, content in FEW.items():
        assert (folder / name).read_bytes() == content, name
    found = (folder / "sparse").read_bytes()
    assert len(found) == SPARSE_SIZE
    for at, content in SPARSE.items():
        assert found[at:at + len(content)] == content
    assert sum(map(bool, found)) == sum(map(len, SPARSE.values())) - 1
    assert (folder / "sparse").stat().st_blocks * 512 < 1 << 20  # holes are holes again
    assert stat.S_IMODE((folder / "program").stat().st_mode) & 0o100
    assert not stat.S_IMODE((folder / "plain").stat().st_mode) & 0o111


@pytest.mark.parametrize("library,how,status", [("sdk", "0", 0), ("musl", "7", 7), ("glibc", "crash", 139), ("sdk", "hang", 125)])
def test_files_come_back(payload, tmp_path, library, how, status):
    folder = tmp_path / "new/out"
    ran = run("--out", folder, *(HANGS if how == "hang" else []), payload("leave", library), "--", "few", how)
    assert ran.returncode == status, ran.stdout + ran.stderr
    assert "left out" not in ran.stderr
    check_few(folder)


def test_odd_names_and_limits(payload, tmp_path):
    """What can be had as it is comes; of the rest each thing is named, and nothing that a terminal obeys is printed."""
    (tmp_path / "taken").mkdir()
    outside = tmp_path.parent / f"{tmp_path.name}.outside"
    outside.write_bytes(b"untouched")
    (tmp_path / "last").symlink_to(outside)
    (tmp_path / "-rf").write_bytes(b"of an earlier run")
    os.link(outside, tmp_path / "...")
    ran = run("--out", tmp_path, "--out-limit", "1M", payload("leave"), "--", "odd", "0")
    assert ran.returncode == 125, ran.stdout + ran.stderr  # files are missing
    names = {b"line\nfeed": b"1", b"\x1b[31mred\a": b"2", "\u00fcn\u00ef".encode(): b"3", b"no\xff\xfeunicode": b"4", b"-rf": b"5",
             b"..also": b"6", b"...": b"7", b"x" * 255: b"8", b"last": b"10", b"deep/" * 50 + b"at 50": b"deep"}
    for name, content in names.items():
        with open(os.path.join(os.fsencode(tmp_path), name), "rb") as file:
            assert file.read() == content, name
    assert len(files_below(os.fsencode(tmp_path))) == len(names)
    assert outside.read_bytes() == b"untouched"
    for said in ("link is a symbolic link", "up is a symbolic link", "taken could not be written: something else of this name",
                 "too much has 1048577 bytes, which is more than is left of --out-limit", "lies in more than 64 folders"):
        assert ran.stderr.count(said) == 1, ran.stderr
    assert "\x1b" not in ran.stderr


def test_as_many_files_as_there_can_be(guest, payload, tmp_path):
    """Read by hand, as it comes: each of them, and in the same machine no time limit is in the way."""
    ran = guest(payload("leave"), args=["many", "3"], settings=[("out-limit", "1M"), ("payload-timeout", "600")]).run()
    assert ran.status == 3, ran.log
    count = int(ran.output("leave: ")[0].split()[1])
    assert count > 60000
    files = out.Files(tmp_path / "many", 1 << 20)
    with open(ran.folder / "stream", "rb") as data:
        assert stream.read(data, files.takers())
    files.close()
    assert files.ended and not files.sentences()
    assert set(os.listdir(tmp_path / "many")) == set(map(str, range(count)))


def test_nothing_is_sent_unless_it_is_asked_for(guest, payload):
    """Neither files nor a crash."""
    ran = guest(payload("leave"), args=["few", "crash"]).run()
    assert ran.report["exit"]["reason"] == "killed", ran.log
    assert (ran.folder / "stream").read_bytes() == b""


def test_folders_that_cannot_be_written_are_told_before_the_run(payload, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    ran = run("--out", tmp_path / "file", payload("leave"), "--", "few", "0")
    assert ran.returncode == 125 and "cannot write to --out" in ran.stderr and "Bulkhead" not in ran.stdout
