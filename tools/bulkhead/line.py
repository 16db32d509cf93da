# SPDX-License-Identifier: BSD-2-Clause
"""What brings a payload its standard input: frames, put into a ring in the guest's memory, which the kernel tells the
place of and looks at (docs/terminal.md)."""

import collections
import mmap
import os
import select
import struct
import threading

HEADER = struct.Struct("<BH")  # kind, and how many bytes follow
DATA, END, SIZE, SIGNAL = 1, 2, 3, 4
DATA_MAX = 4096
TYPED_MAX = 64  # in a frame of what is typed, each byte of which may be shown again before the kernel does anything else
PLACE = struct.Struct("<QII")  # physical address of the ring's head, size of its bytes
PUT, TAKEN, ROOM = range(3)  # words of the head
HEAD = 64  # its bytes
RING_MAX = 1 << 20
PENDING_MAX = 65536  # of what is typed while the kernel takes nothing; the rest is dropped
NAP, NAP_MAX = 0.0005, 0.02  # seconds between two looks for room: it comes without a word


def frame(kind, body=b""):
    return HEADER.pack(kind, len(body)) + body


def file_offset(address, memory):
    """Where QEMU's q35 keeps guest RAM in the file behind it: all in order, but with a hole for devices below 4 GiB."""
    low = 0x80000000 if memory >= 0xb0000000 else 0xb0000000
    return address if address < low else address - (4 << 30) + low


class Ring:
    """The ring in the memory that the guest and this process share. Of what the kernel writes nothing is trusted."""

    def __init__(self, memory, place):
        address, self.size, _ = PLACE.unpack(place)
        length = os.fstat(memory).st_size
        start = file_offset(address, length)
        first = start & -mmap.PAGESIZE
        if not 0 < self.size <= RING_MAX or not 0 <= start <= length - HEAD - self.size:
            raise ValueError(f"the kernel names no ring for its input: {self.size} bytes at {address:#x}")
        self.map = mmap.mmap(memory, start - first + HEAD + self.size, offset=first)
        whole = memoryview(self.map)[start - first:]
        self.words, self.bytes = whole[:HEAD].cast("I"), whole[HEAD:]
        self.put = self.sent = 0

    def room(self):
        """How many bytes of data the payload has room for."""
        found = (self.words[ROOM] - self.sent) & 0xffffffff
        return found if found <= RING_MAX else 0

    def take(self, pending):
        """Puts in what there is place for, and takes it off the front of `pending`. False: nothing."""
        free = self.size - ((self.put - self.words[TAKEN]) & 0xffffffff)
        at = self.put % self.size
        count = min(len(pending), free, self.size - at)
        if count <= 0:
            return False
        self.bytes[at:at + count] = pending[:count]
        self.put = (self.put + count) & 0xffffffff
        self.words[PUT] = self.put  # when the bytes are there
        del pending[:count]
        return True

    def close(self):
        self.words.release()
        self.bytes.release()


class Line:
    """Gives the kernel what can be read from the descriptor `source` (None: nothing, for now): of a terminal as it is
    typed, else as fast as the payload reads. QEMU keeps the guest's memory in the file `memory_path`, and found() is
    given what the kernel says of its ring; then a thread does the rest until close(). `on_listening()` is called at
    its start, and `on_input(bytes)` tells what of them is to be sent."""

    def __init__(self, source=None, terminal=False, on_listening=lambda: None, on_input=lambda data: data):
        self.memory = os.memfd_create("bulkhead")
        self.memory_path = f"/proc/{os.getpid()}/fd/{self.memory}"
        self.woken, self.wake = os.pipe()
        self.source, self.terminal = source, terminal
        self.on_listening, self.on_input = on_listening, on_input
        self.posted, self.pending = collections.deque(), bytearray()
        self.ring, self.nap, self.stopping = None, NAP, False
        self.thread = threading.Thread(target=self.work, daemon=True)

    @property
    def listening(self):
        """Has the kernel come so far that it takes input?"""
        return self.ring is not None

    def found(self, place):
        """A taker of the stream's (bulkhead.stream)."""
        if self.ring is None:
            self.ring = Ring(self.memory, place)
            self.on_listening()
            self.thread.start()

    def post(self, *frames):
        """Sends whole frames as soon as the kernel listens; from any thread, and from the handler of a signal."""
        self.posted.extend(frames)
        os.write(self.wake, b".")

    def close(self):
        """When nothing calls found() any more."""
        self.stopping = True
        if self.thread.is_alive():
            os.write(self.wake, b".")
            self.thread.join()
        if self.ring:
            self.ring.close()
        for descriptor in (self.memory, self.woken, self.wake):
            os.close(descriptor)

    # In the thread

    def work(self):
        while not self.stopping:
            self.step()

    def step(self):
        """Waits for the next thing to do, and does it."""
        wants = self.source is not None and (self.terminal or not self.pending)
        room = wants and (self.terminal or self.ring.room() > 0)
        waits = self.pending or (wants and not room)
        ready, _, _ = select.select([self.woken, *([self.source] if room else [])], [], [], self.nap if waits else None)
        if self.woken in ready:
            os.read(self.woken, 4096)
        if self.source in ready:
            self.take_input()
        while self.posted:
            self.pending += self.posted.popleft()
        moved = self.ring.take(self.pending)
        self.nap = NAP if moved else min(2 * self.nap, NAP_MAX)

    def take_input(self):
        try:
            data = os.read(self.source, DATA_MAX if self.terminal else min(self.ring.room(), DATA_MAX))
        except OSError:  # a terminal that hung up, a folder
            data = b""
        if not data:
            self.source = None
            self.pending += frame(END)
            return
        data = self.on_input(data)
        self.ring.sent = (self.ring.sent + len(data)) & 0xffffffff
        if len(self.pending) < PENDING_MAX:
            size = TYPED_MAX if self.terminal else DATA_MAX
            for at in range(0, len(data), size):
                self.pending += frame(DATA, data[at:at + size])
