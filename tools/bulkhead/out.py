# SPDX-License-Identifier: BSD-2-Clause
"""The files that a payload leaves under /out, as they arrive on the stream (docs/report.md), are put into a folder.

Nothing in the stream is trusted. A name is one component, taken as it is or not at all; every step goes from the open
folder above it and follows no link; a file is made anew where none is, after what was there has been taken away. So
nothing outside of the folder is written, whatever is sent, and whatever was in the folder before."""

import errno
import os
import stat
import struct

from bulkhead.cli import Failure
from bulkhead.progress import Progress

ENTRY, DATA, UP, END = 1, 2, 3, 4  # kinds of records
HEAD, AT = struct.Struct("<QI"), struct.Struct("<Q")
LIMIT = 256 << 20
NAME_MAX = 255
DEPTH_MAX = 64  # folders in each other: as many are open at a time
ENTRIES_MAX = 1 << 20  # sixteen times what a kernel that is not broken has
TOLD_MAX = 10
KINDS = {stat.S_IFLNK: "a symbolic link", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device", stat.S_IFIFO: "a pipe",
         stat.S_IFSOCK: "a socket"}
IN_THE_WAY = (errno.ENOTDIR, errno.ELOOP, errno.EISDIR, errno.EEXIST, errno.ENOTEMPTY)


def damaged(what):
    return Failure(f"the stream is damaged: {what}")


def wrong_name(name):
    """What is wrong with a name that was sent; None: nothing."""
    if name in (b"", b".", b".."):
        return "is no name"
    if b"/" in name or b"\0" in name:
        return "has a slash or a zero in its name"
    return "has a name that is too long" if len(name) > NAME_MAX else None


def printable(path):
    """A path for a message: what a terminal would obey is escaped."""
    text = os.fsdecode(path)
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


class Folder:
    """One that is being told of; opened, and made, when the first file in it comes."""

    def __init__(self, name, above):
        self.name, self.above, self.file = name, above, None
        self.depth = above.depth + 1 if above else 0
        self.lost = above.lost if above else False  # it was said why nothing in it comes

    def open(self):
        if self.file is None:
            above = self.above.open()
            try:
                os.mkdir(self.name, dir_fd=above)
            except FileExistsError:
                pass
            self.file = os.open(self.name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=above)
        return self.file

    def close(self):
        if self.file is not None:
            os.close(self.file)


class Files:
    """Writes what comes into `folder`, at most `limit` bytes of each life of the payload."""

    def __init__(self, folder, limit=LIMIT):
        self.limit, self.told, self.left_out, self.incomplete = limit, [], 0, 0
        self.top = self.folder = Folder(b"", None)
        self.file, self.size = None, 0
        self.entries = self.bytes = 0  # of this life
        self.ended = False
        self.progress = Progress("files from /out")
        os.makedirs(folder, exist_ok=True)
        self.top.file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def takers(self):
        return {ENTRY: self.entry, DATA: self.data, UP: self.up, END: self.end}

    # Records

    def entry(self, record):
        self.close_file()
        self.entries += 1
        if len(record) < HEAD.size or self.entries > ENTRIES_MAX:
            raise damaged("what it tells of a file is no file")
        size, mode = HEAD.unpack_from(record)
        name = record[HEAD.size:]
        if stat.S_ISDIR(mode):
            self.enter(name)
        elif stat.S_ISREG(mode):
            self.regular(name, size, mode)
        else:
            self.leave_out(name, f"is {KINDS.get(stat.S_IFMT(mode), 'no regular file')}", lost=False)

    def data(self, record):
        if len(record) < AT.size:
            raise damaged("bytes of a file have no place in it")
        at, = AT.unpack_from(record)
        data = memoryview(record)[AT.size:]
        self.progress.add(len(data))
        if self.file is None:  # one that was left out
            return
        if at + len(data) > self.size:
            raise damaged("bytes of a file lie behind its end")
        try:
            while data:
                done = os.pwrite(self.file, data, at)
                data, at = data[done:], at + done
        except OSError as problem:
            self.close_file()
            self.leave_out(self.name, f"could not be written: {problem.strerror}")

    def up(self, record):
        self.close_file()
        if record or self.folder is self.top:
            raise damaged("it leaves a folder that it was not in")
        self.folder.close()
        self.folder = self.folder.above

    def end(self, record):
        self.close_file()
        self.progress.end()
        if record or self.folder is not self.top:
            raise damaged("the files from /out end within a folder")
        self.entries = self.bytes = 0
        self.ended = True

    # Steps

    def leave_out(self, name, why, lost=True):
        """Notes what does not come; `lost`: a regular file, or a folder that may hold some."""
        if self.folder.lost:
            return
        parts, folder = [name], self.folder
        while folder.above:
            parts.insert(0, folder.name)
            folder = folder.above
        path = printable(b"/".join(parts))
        self.left_out += 1
        if len(self.told) < TOLD_MAX:
            self.told.append(f"left out of /out: {path if len(path) <= 200 else '...' + path[-200:]} {why}")
        self.incomplete += lost

    def enter(self, name):
        wrong = wrong_name(name)
        if not wrong and self.folder.depth >= DEPTH_MAX:
            wrong = f"lies in more than {DEPTH_MAX} folders"
        if wrong:
            self.leave_out(name, wrong)
        self.folder = Folder(name, self.folder)
        self.folder.lost = self.folder.lost or bool(wrong)

    def regular(self, name, size, mode):
        if size > self.limit - self.bytes:
            self.leave_out(name, f"has {size} bytes, which is more than is left of --out-limit")
            return
        self.bytes += size
        wrong = wrong_name(name)
        if wrong:
            self.leave_out(name, wrong)
        elif not self.folder.lost:
            self.create(name, size, mode)

    def create(self, name, size, mode):
        try:
            above = self.folder.open()
            try:
                os.unlink(name, dir_fd=above)
            except FileNotFoundError:
                pass
            self.file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC,
                                mode & 0o777 | 0o600, dir_fd=above)
            self.name, self.size = name, size
            os.ftruncate(self.file, size)
        except OSError as problem:
            self.close_file()
            why = "something else of this name is in the way" if problem.errno in IN_THE_WAY else problem.strerror
            self.leave_out(name, f"could not be written: {why}")

    def close_file(self):
        if self.file is not None:
            os.close(self.file)
            self.file = None

    def close(self):
        """When nothing comes any more."""
        self.close_file()
        self.progress.end()
        while self.folder.above:
            self.folder.close()
            self.folder = self.folder.above
        self.top.close()

    def sentences(self):
        """What is to be said of what did not come."""
        told = list(self.told)
        if self.left_out > len(told):
            told.append(f"left out of /out: {self.left_out - len(told)} more")
        if not self.ended:
            told.append("the files under /out did not come back: the kernel did not get as far as sending them all")
        return told
