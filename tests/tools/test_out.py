# SPDX-License-Identifier: BSD-2-Clause
"""Files out against a stream that a hostile kernel made up: nothing outside of the folder is touched, whatever is sent."""

import io
import os
import stat
import struct

import pytest

from bulkhead import cli, out, stream

REGULAR, FOLDER, LINK, DEVICE = stat.S_IFREG | 0o644, stat.S_IFDIR | 0o755, stat.S_IFLNK | 0o777, stat.S_IFCHR | 0o666


def record(kind, data=b""):
    return struct.pack("<II", kind, len(data)) + data


def entry(name, size=0, mode=REGULAR):
    return record(out.ENTRY, struct.pack("<QI", size, mode) + name)


def data(at, content):
    return record(out.DATA, struct.pack("<Q", at) + content)


def file(name, content):
    return entry(name, len(content)) + data(0, content)


UP, END = record(out.UP), record(out.END)


@pytest.fixture
def folder(tmp_path):
    """A folder, with a secret beside it."""
    (tmp_path / "out").mkdir()
    (tmp_path / "secret").write_bytes(b"secret")
    yield tmp_path / "out"
    assert (tmp_path / "secret").read_bytes() == b"secret"
    assert set(os.listdir(tmp_path)) == {"out", "secret"}


def take(folder, *records, limit=1000):
    files = out.Files(folder, limit)
    try:
        stream.read(io.BytesIO(b"".join(records)), files.takers())
    finally:
        files.close()
    return files


@pytest.mark.parametrize("name", [b"", b".", b"..", b"/", b"/etc/x", b"../secret", b"a/b", b"a\0b", b"x" * 256])
@pytest.mark.parametrize("mode", [REGULAR, FOLDER])
def test_names_that_are_no_names(folder, name, mode):
    """Neither they nor what is in them; what comes behind does."""
    inside = file(b"secret", b"stolen") + UP if mode == FOLDER else data(0, b"abc")
    files = take(folder, entry(name, 3 if mode == REGULAR else 0, mode), inside, file(b"fine", b"fine"), END)
    assert os.listdir(folder) == ["fine"] and files.incomplete == 1 and len(files.sentences()) == 1


def test_links_and_devices_are_told_and_not_made(folder):
    files = take(folder, entry(b"link", 9, LINK), data(0, b"../secret"), entry(b"null", 0, DEVICE), entry(b"odd", 0, 0), END)
    assert os.listdir(folder) == [] and files.incomplete == 0
    assert files.sentences() == ["left out of /out: link is a symbolic link", "left out of /out: null is a device",
                                 "left out of /out: odd is no regular file"]


def test_a_link_in_the_way_is_not_followed(folder):
    """Neither one in place of a file nor one in place of a folder, nor a second name of a file."""
    (folder / "file").symlink_to("../secret")
    (folder / "way").symlink_to("..")
    os.link(folder.parent / "secret", folder / "second")
    files = take(folder, file(b"file", b"new"), entry(b"way", 0, FOLDER), file(b"secret", b"stolen"), UP,
                 file(b"second", b"other"), END)
    assert (folder / "file").read_bytes() == b"new" and not (folder / "file").is_symlink()
    assert (folder / "second").read_bytes() == b"other" and (folder / "way").is_symlink()
    assert files.sentences() == ["left out of /out: way/secret could not be written: something else of this name is in the way"]


def test_a_pipe_in_the_way_does_not_stop_it(folder):
    os.mkfifo(folder / "file")
    take(folder, file(b"file", b"new"), END)
    assert (folder / "file").read_bytes() == b"new"


def test_a_file_and_a_folder_of_one_name(folder):
    files = take(folder, file(b"both", b"file"), entry(b"both", 0, FOLDER), file(b"in", b"it"), UP,
                 entry(b"also", 0, FOLDER), file(b"in", b"it"), UP, file(b"also", b"file"), END)
    assert (folder / "both").read_bytes() == b"file" and (folder / "also/in").read_bytes() == b"it"
    assert files.incomplete == 2


def test_a_name_twice_is_the_second(folder):
    files = take(folder, file(b"one", b"long enough"), file(b"one", b"two"), END)
    assert (folder / "one").read_bytes() == b"two" and not files.sentences()


def test_the_limit_counts_sizes_not_bytes_that_come(folder):
    """A file without a byte may be as large as it says."""
    files = take(folder, entry(b"a", 600), entry(b"b", 1 << 62), data(5, b"x"), entry(b"c", 401), data(0, b"x"), entry(b"d", 400), END)
    assert {name: (folder / name).stat().st_size for name in os.listdir(folder)} == {"a": 600, "d": 400}
    assert files.incomplete == 2


@pytest.mark.parametrize("records,what", [
    ([record(out.ENTRY, b"short")], "no file"), ([file(b"a", b"b"), record(out.DATA, b"1234567")], "no place"),
    ([entry(b"a", 5), data(3, b"abc")], "behind its end"), ([entry(b"a", 5), data((1 << 64) - 1, b"a")], "behind its end"),
    ([UP], "not in"), ([entry(b"a", 0, FOLDER), UP, UP], "not in"), ([entry(b"a", 0, FOLDER), END], "within a folder")])
def test_damage(folder, records, what):
    with pytest.raises(cli.Failure, match=f"the stream is damaged: .*{what}"):
        take(folder, *records)


def test_endless_entries_are_damage(folder, monkeypatch):
    monkeypatch.setattr(out, "ENTRIES_MAX", 100)
    with pytest.raises(cli.Failure, match="the stream is damaged"):
        take(folder, *[entry(b"a")] * 101)


def test_what_a_terminal_would_obey_is_not_printed(folder):
    files = take(folder, entry(b"\x1b[2J\n\x9b\xff\xe2\x80\xae", 0, LINK), END)
    assert files.sentences()[0].isprintable()


def test_much_that_is_left_out_is_counted(folder):
    files = take(folder, *[entry(b"l%d" % number, 0, LINK) for number in range(500)], END)
    assert len(files.sentences()) == out.TOLD_MAX + 1 and files.sentences()[-1] == "left out of /out: 490 more"


def test_depth_is_bounded_and_files_are_closed(folder):
    before = len(os.listdir("/proc/self/fd"))
    deep = b"".join(entry(b"d", 0, FOLDER) + file(b"f", b"x") for _ in range(5000))
    files = take(folder, deep, UP * 5000, file(b"behind", b"y"), END, limit=10000)
    assert (folder / "behind").exists() and len(files.sentences()) == 1
    assert sum(len(names) for _, _, names in os.walk(folder)) == out.DEPTH_MAX + 1
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_stream_that_stops_is_told(folder):
    files = take(folder, file(b"a", b"b"))
    assert "did not come back" in files.sentences()[-1]


def test_a_disk_that_is_full_is_told(folder, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    files = take(folder, entry(b"a", 6), data(0, b"abc"), data(3, b"def"), END)
    assert files.sentences() == ["left out of /out: a could not be written: No space left on device"] and files.incomplete == 1
