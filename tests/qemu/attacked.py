# SPDX-License-Identifier: BSD-2-Clause
"""The side outside of the machine that tests/qemu/payloads/hostile attacks: tells the program where in memory
what lies that it aims at, and watches what the hardware is programmed with, which a program cannot see."""

import mmap
import re
import struct
import subprocess

from bulkhead.guest import PAGE
from bulkhead.line import file_offset
from vtd_walker import ADDRESS, RTADDR, Walker

UNIT, ECAM, BAIT = 0xfed90000, 0xb0000000, 0x8000000
QUEUE_ADDRESS, TABLE_ADDRESS, STATUS = 0x90, 0xb8, 0x1c
REMAPPING, TRANSLATING, OLD_FORMAT = 1 << 25, 1 << 31, 1 << 23
IOVA = 0x40000000
# enum question of hostile.h, in its order.
QUESTIONS = ("nothing", "kernel_text", "kernel_data", "root_table", "context_table", "page_table", "leaf_table", "queue",
             "remapping_table", "bait", "own_memory", "edu_bar", "other_bar", "card_bar", "card_table", "disk_bar",
             "stranger_bar", "card_entry", "hardware")
MAGIC = struct.pack("<QQ", 0x6465626172656461, ~0x6465626172656461 & (1 << 64) - 1)
MARK = struct.pack("<QQ", ~0x6d61726b2d6f6e65 & (1 << 64) - 1, ~0x6d61726b2d74776f & (1 << 64) - 1)

# What a payload may change in the hardware, and what the hardware changes by itself: (offset, bytes, mask of bits).
HEADER_FREE = ((4, 2, 0x0547), (6, 2, 0xf908), (0x0c, 2, 0xffff), (0x3c, 1, 0xff))
# By capability: offsets behind its head.
FREE = {
    0x01: ((4, 4, 0x8003),),  # power state, PME status
    0x05: ((2, 18, -1),),  # messages are judged by themselves
    0x10: ((8, 2, 0x7810), (10, 2, 0xffff), (0x12, 2, 0xffff), (0x1a, 2, 0xffff), (0x20, 4, -1)),
    0x11: ((2, 2, 0xc000),),
}
EXTENDED_FREE = {0x01: ((4, 4, -1), (0x10, 4, -1), (0x18, 0x30, -1))}  # error status
MSI, ADDRESS_LOW, REMAPPABLE = 5, 4, 1 << 4
SUBHANDLE, EXACT, COMPARES = 1 << 3, 1 << 18, 3 << 18
BUS_MASTER, ERRORS, BRIDGE = 1 << 2, 1 << 0, 1  # command register, its second byte, header


def number(address):
    """0000:bb:dd.f as a requester id."""
    bus, device, function = (int(word, 16) for word in re.fullmatch(r"0000:(..):(..)\.(.)", address).groups())
    return bus << 8 | device << 3 | function


def kernel_segments(path):
    """Where the kernel's text and its data are in memory: the first loaded segments that are code and can be written."""
    listed = subprocess.run(["readelf", "-lW", str(path)], capture_output=True, text=True, check=True).stdout
    found = re.findall(r"LOAD +\S+ \S+ (\S+) \S+ \S+ ([RWE ]{3}) ", listed)
    return tuple(next(int(place, 16) for place, flags in found if flag in flags) for flag in "EW")


class Hardware:
    """Configuration space of all functions, as it really is."""

    def __init__(self, qmp, functions):
        self.qmp, self.functions = qmp, functions
        self.at_start = {function: self.read(function) for function in functions}

    def read(self, function):
        return self.qmp.read_physical(ECAM + (number(function) << 12), PAGE)

    def word(self, function, offset):
        return struct.unpack_from("<I", self.at_start[function], offset)[0]

    def bar(self, function, index=0):
        return self.word(function, 0x10 + 4 * index) & ~0xf

    @staticmethod
    def capabilities(space):
        """(kind, offset), of both lists."""
        at = space[0x34] & 0xfc
        while at:
            yield "plain", space[at], at
            at = space[at + 1] & 0xfc
        at = 0x100
        while at and space[at:at + 4] not in (bytes(4), b"\xff" * 4):  # nothing, or a conventional device
            header = struct.unpack_from("<I", space, at)[0]
            yield "extended", header & 0xffff, at
            at = header >> 20

    def fixed(self, space):
        """The bytes with all that may change taken out."""
        kept = bytearray(space)
        free = list(HEADER_FREE)
        for kind, name, at in self.capabilities(space):
            table = FREE if kind == "plain" else EXTENDED_FREE
            free += [(at + offset, count, mask) for offset, count, mask in table.get(name, ())]
        for offset, count, mask in free:
            left = int.from_bytes(kept[offset:offset + count], "little") & ~(mask & (1 << 8 * count) - 1)
            kept[offset:offset + count] = left.to_bytes(count, "little")
        return bytes(kept)

    def errors_are_caught(self, function):
        """The root port above makes no system error of its errors (root control)."""
        for port in self.functions:
            space = self.read(port)
            if space[0x0e] & BRIDGE and space[0x19] == number(function) >> 8:
                return all(not space[at + 0x1c] & 7 for kind, name, at in self.capabilities(space) if (kind, name) == ("plain", 0x10))
        return False

    def differences(self):
        """What is not as it was, and messages that no entry judges."""
        for function in self.functions:
            space = self.read(function)
            then, now = self.fixed(self.at_start[function]), self.fixed(space)
            yield from (f"{function}: byte {at:#x} is {now[at]:#x}, was {then[at]:#x}" for at in range(PAGE) if now[at] != then[at])
            if space[4] & BUS_MASTER and space[5] & ERRORS and not space[0x0e] & BRIDGE and not self.errors_are_caught(function):
                yield f"{function}: its errors are the machine's"
            for kind, name, at in self.capabilities(space):
                message = struct.unpack_from("<I", space, at + ADDRESS_LOW)[0]
                if (kind, name) == ("plain", MSI) and space[at + 2] & 1 and \
                   (message & 0xfff00000 != 0xfee00000 or not message & REMAPPABLE):
                    yield f"{function}: sends messages to {message:#x}"


class Outside:
    """Answers the questions of one running program."""

    def __init__(self, ran, names, kernel):
        self.ran, self.names, self.kernel = ran, names, kernel
        with open(ran.folder / "memory.img", "r+b") as image:
            self.view = mmap.mmap(image.fileno(), 0)
        self.control, self.hardware, self.wrong = None, None, []

    def word(self, address):
        return struct.unpack_from("<Q", self.view, file_offset(address, self.ran.memory_size))[0]

    def read(self, address, length):
        at = file_offset(address, self.ran.memory_size)
        return self.view[at:at + length]

    def register(self, offset):
        return int.from_bytes(self.ran.qmp.read_physical(UNIT + offset, 8), "little")

    def find_control(self):
        self.control = self.view.find(MAGIC)
        return self.control >= 0

    def asked(self):
        return struct.unpack_from("<Q", self.view, self.control + 16)[0]

    def serve(self):
        """Until the program has ended."""
        self.ran.wait_for("hostile: ")
        self.ran.wait_until(self.find_control, "the program's questions")
        while self.ran.process.poll() is None:
            self.ran.wait_until(lambda: self.asked() or self.ended(), "a question")
            if self.ended():
                break
            answer = getattr(self, "tell_" + QUESTIONS[self.asked()])()
            struct.pack_into("<Q", self.view, self.control + 24, int(answer))
            struct.pack_into("<Q", self.view, self.control + 16, 0)

    def ended(self):
        return self.ran.report is not None or self.ran.process.poll() is not None

    # Answers

    def tell_kernel_text(self):
        return kernel_segments(self.kernel)[0]

    def tell_kernel_data(self):
        return kernel_segments(self.kernel)[1]

    def tell_root_table(self):
        return self.register(RTADDR) & ADDRESS

    def tell_context_table(self):
        return self.word(self.tell_root_table() + 16 * (number(self.names[0]) >> 8)) & ADDRESS

    def context(self):
        walker = Walker(self.read, self.tell_root_table())
        return walker, next(context for context in walker.contexts() if context.rid == number(self.names[0]))

    def tell_page_table(self):
        return self.context()[1].table

    def tell_leaf_table(self):
        table, level = self.tell_page_table(), self.context()[1].levels
        for level in range(level - 1, 0, -1):
            table = self.word(table + (IOVA >> 12 + 9 * level & 511) * 8) & ADDRESS
        return table

    def tell_own_memory(self):
        walker, context = self.context()
        return next(leaf.physical for leaf in walker.leaves(context) if leaf.iova == IOVA)

    def tell_queue(self):
        return self.register(QUEUE_ADDRESS) & ADDRESS

    def tell_remapping_table(self):
        return self.register(TABLE_ADDRESS) & ADDRESS

    def tell_bait(self):
        return BAIT

    def tell_edu_bar(self):
        return self.hardware.bar(self.names[0])

    def tell_other_bar(self):
        return self.hardware.bar(self.names[1])

    def tell_card_bar(self):
        return self.hardware.bar(self.names[2])

    def tell_card_table(self):
        return self.hardware.bar(self.names[2], 3)

    def tell_disk_bar(self):
        return self.hardware.bar(self.names[4])

    def tell_stranger_bar(self):
        return self.hardware.bar(self.names[5])

    def tell_card_entry(self):
        """The interrupt-remapping entry (specification 9.10) is present and compares all bits with the requester id."""
        low, _, data, _ = struct.unpack("<4I", self.ran.qmp.read_physical(self.tell_card_table(), 16))
        index = (low >> 5 & 0x7fff) + (data & 0xffff if low & SUBHANDLE else 0)
        first, second = struct.unpack("<2Q", self.read(self.tell_remapping_table() + 16 * index, 16))
        return bool(first & 1 and low & REMAPPABLE) and second & 0xfffff == EXACT | number(self.names[2])

    def anybody_s(self):
        """Interrupt-remapping entries in use, those of lines among them, that do not look at who sends."""
        told = self.register(TABLE_ADDRESS)
        entries = struct.iter_unpack("<2Q", self.read(told & ADDRESS, 16 << (told & 15) + 1))
        return [f"entry {number} is for anybody" for number, (low, high) in enumerate(entries) if low & 1 and not high & COMPARES]

    def tell_hardware(self):
        """All functions are as they were when first asked, and the unit stops what it has to stop."""
        if not self.hardware:
            self.hardware = Hardware(self.ran.qmp, self.names)
        found = [*self.hardware.differences(), *self.anybody_s()]
        status = self.register(STATUS) & 0xffffffff
        if not status & REMAPPING or not status & TRANSLATING or status & OLD_FORMAT:
            found.append(f"the unit's status is {status:#x}")
        self.wrong += found
        return not found

    # Behind all

    def marks(self):
        """The numbers of attacks whose mark is anywhere in memory, with the places."""
        at, found = self.view.find(MARK), []
        while at >= 0:
            found.append((struct.unpack_from("<Q", self.view, at + 16)[0], hex(at)))
            at = self.view.find(MARK, at + 1)
        return found
