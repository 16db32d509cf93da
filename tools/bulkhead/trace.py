# SPDX-License-Identifier: BSD-2-Clause
"""--trace: what the payload does, told as strace tells it. The kernel sends numbers and bytes (docs/report.md); the names
are in trace_tables.py and in include/uapi. Nothing in the records is trusted."""

import argparse
import errno
import fnmatch
import os
import signal
import struct
import sys

from bulkhead import calls, cli, trace_tables, uapi

CLASSES = ("calls", "ioctls", "maps", "faults", "irqs")
# What the kernel has to tell for a class: 1 calls, 2 maps, 4 faults, 8 interrupts.
NEEDS = {"calls": (1,), "ioctls": (1,), "maps": (2,), "faults": (4,), "irqs": (8, 1)}
KINDS = ("call", "result", "signal", "thread_exit", "map", "unmap", "iova_map", "iova_unmap", "dma_fault", "page_fault",
         "exception", "interrupt")
FIRST_KIND = 32
HEAD = struct.Struct("<QII")  # time in ns, whose it is, a number
PIECE = struct.Struct("<II")  # argument, length
ARGUMENTS = 6
VECTOR = 16  # pieces from here on are what the vectors of a call point to
SHOWN = 32  # bytes of contents that are shown
AT_FDCWD = -100
CONTAINERS = ("/dev/vfio/vfio", "/dev/iommu")  # on which some numbers mean other commands than on devices
ESCAPES = {9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r", 34: '\\"', 92: "\\\\"}
# Calls that have fewer arguments for some operations.
SHORTER = {"fcntl": lambda arguments: 2 if arguments[1] in (1, 3, 1032, 1034) else 3,
           "mremap": lambda arguments: 5 if arguments[3] & 2 else 4,
           "futex": lambda arguments: {0: 4, 1: 3}.get(arguments[1] & 0x7f, 6)}
# Calls that make a descriptor -> what it is called, by its arguments.
FILES = {"eventfd": "anon_inode:[eventfd]", "eventfd2": "anon_inode:[eventfd]", "epoll_create": "anon_inode:[eventpoll]",
         "epoll_create1": "anon_inode:[eventpoll]", "timerfd_create": "anon_inode:[timerfd]"}


def parse_classes(text):
    """ "calls,irqs" -> {"calls", "irqs"}; all: every one."""
    words = set(text.split(","))
    if "all" in words:
        return set(CLASSES)
    for word in sorted(words - set(CLASSES)):
        raise argparse.ArgumentTypeError(f"no class '{word}' of events; there are {', '.join(CLASSES)} and all")
    return words


def settings(classes):
    """The settings that the kernel needs for it."""
    total = sum({number for one in classes for number in NEEDS[one]})
    return [("trace", str(total))] if total else []


def add_options(made):
    """Those of ./bulkhead run."""
    made.add_argument("--trace", metavar="CLASSES", type=parse_classes, default=set(),
                      help=f"tell what the payload does: {', '.join(CLASSES)} (several with commas between), or all")
    made.add_argument("--trace-file", metavar="FILE", help="where to, if not to standard error")


def begin(options):
    """The taker of a run's records."""
    if options.trace_file and not options.trace:
        raise cli.Failure("--trace-file needs --trace, which says what is to be told")
    try:
        out = open(options.trace_file, "w", encoding="utf-8") if options.trace_file else sys.stderr
    except OSError as problem:
        raise cli.Failure(f"cannot write the trace: {problem}") from None
    return Trace(out, options.trace)


def signed(value, bits=64):
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def quoted(data, whole):
    """Bytes as strace writes them; dots behind if it is not the whole."""
    cut = data[:SHOWN] if not whole else data
    text = ""
    for at, byte in enumerate(cut):
        digit_follows = cut[at + 1:at + 2].isdigit()
        plain = chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}" if digit_follows else f"\\{byte:o}"
        text += ESCAPES.get(byte, plain)
    return f'"{text}"'


def bits(value, names, nothing):
    """The names of the bits in a value; of names with several bits the largest first."""
    found = []
    for bit in sorted(names, key=lambda bit: (-bit.bit_count(), bit)):
        if bit and value & bit == bit:
            found.append((bit, names[bit]))
            value &= ~bit
    words = [name for _, name in sorted(found)] + ([hex(value)] if value else [])
    return "|".join(words) or nothing


def show_result_error(value):
    number = -signed(value)
    return f"-1 {errno.errorcode.get(number, number)} ({os.strerror(number)})"


def function_name(subject):
    """A function's segment and requester id as its address."""
    return f"{subject >> 16:04x}:{subject >> 8 & 0xff:02x}:{subject >> 3 & 0x1f:02x}.{subject & 7}"


def time_text(pair):
    return "{tv_sec=%d, tv_nsec=%d}" % pair


class Call:
    """One call: its arguments, and the memory that came with it, by argument: before, and after."""

    def __init__(self, number, arguments, pieces):
        self.name = calls.NAMES.get(number, f"syscall_{number:#x}")
        self.arguments, self.before, self.after, self.result = arguments, pieces, {}, None
        words = trace_tables.CALLS.get(self.name, ["x"] * ARGUMENTS)
        at = words.index("->") if "->" in words else len(words)
        self.words, self.returns = words[:at], (words[at + 1:] or ["l"])[0]
        del self.words[SHORTER.get(self.name, lambda _: ARGUMENTS)(arguments):]
        if "mode" in self.words and not arguments[self.words.index("mode") - 1] & 0o20000100:
            self.words.remove("mode")

    def data(self, at):
        return self.before.get(at) if self.result is None else self.after.get(at, self.before.get(at))


class Files:
    """What descriptors stand for, by the calls that made them; and which interrupts signal which."""

    def __init__(self):
        self.forget()

    def forget(self):
        """As it is when a payload starts."""
        self.names = {0: "/dev/console", 1: "/dev/console", 2: "/dev/console"}
        self.directory = "/"
        self.devices = {}  # descriptor -> address of a VFIO device
        self.eventfds = {}  # (address, index, vector) -> descriptor

    def show(self, fd):
        return f"{fd}<{self.names[fd]}>" if fd in self.names else str(fd)

    def path(self, call, at):
        text = (call.before.get(at) or b"").decode(errors="replace")
        return os.path.normpath(os.path.join(self.directory, text))

    def copy(self, old, new):
        self.close(new)
        for table in (self.names, self.devices):
            if old in table:
                table[new] = table[old]

    def close(self, fd):
        self.names.pop(fd, None)
        self.devices.pop(fd, None)

    def note(self, call):
        """A call that succeeded."""
        arguments, result, name = call.arguments, signed(call.result), call.name
        if name in ("open", "creat", "openat"):
            self.close(result)
            self.names[result] = self.path(call, name == "openat")
        elif name in FILES:
            self.names[result] = FILES[name]
        elif name == "memfd_create":
            self.names[result] = "/memfd:" + (call.before.get(0) or b"").decode(errors="replace")
        elif name == "close":
            self.close(signed(arguments[0], 32))
        elif name == "close_range":
            for fd in [fd for fd in self.names if arguments[0] <= fd <= arguments[1]]:
                self.close(fd)
        elif name in ("dup", "dup2", "dup3") or name == "fcntl" and arguments[1] in (0, 1030):
            self.copy(arguments[0], result)
        elif name in ("pipe", "pipe2") and len(call.after.get(0, b"")) == 8:
            for fd in struct.unpack("<2i", call.after[0]):
                self.names[fd] = "pipe"
        elif name == "chdir":
            self.directory = self.path(call, 0)
        elif name == "ioctl":
            self.note_ioctl(call, result)

    def note_ioctl(self, call, result):
        command, fd, data = command_name(call, self), signed(call.arguments[0], 32), call.before.get(2, b"")
        if command == "VFIO_GROUP_GET_DEVICE_FD":
            address = data.split(b"\0")[0].decode(errors="replace")
            self.names[result], self.devices[result] = f"anon_inode:[vfio-device {address}]", address
        if command != "VFIO_DEVICE_SET_IRQS" or len(data) < 20:
            return
        _, flags, index, start, count = struct.unpack_from("<5I", data)
        device = self.devices.get(fd, self.names.get(fd))
        for at in range(min(count, (len(data) - 20) // 4) if flags & 4 and flags & 32 else 0):
            self.eventfds[device, index, start + at] = struct.unpack_from("<i", data, 20 + 4 * at)[0]


def command_name(call, files):
    """The name of an ioctl command on this file, or None."""
    command = call.arguments[1] & 0xffffffff
    names = [name for name in trace_tables.COMMANDS if uapi.read()[0][name] == command]
    on_container = files.names.get(signed(call.arguments[0], 32)) in CONTAINERS
    fitting = [name for name in names if len(names) == 1 or name.startswith("VFIO_IOMMU_") == on_container]
    return fitting[0] if fitting else trace_tables.OTHER_COMMANDS.get(command)


def numbers_named(pattern):
    names, _ = uapi.read()
    return {number: name for name, number in names.items() if fnmatch.fnmatchcase(name, pattern)}


def flags_named(prefixes):
    names, _ = uapi.read()
    prefixes = (prefixes,) if isinstance(prefixes, str) else prefixes
    return {number: name for name, number in names.items()
            if name.startswith(prefixes) and not name.endswith("_MASK") and number.bit_count() == 1}


def show_member(struct_name, member, data, files):
    """One value of a structure, or None if it is beyond what is there."""
    if member.offset + member.size > len(data):
        return None
    if member.inner:
        return show_members(member.inner, data[member.offset:member.offset + member.size], files)
    value = int.from_bytes(data[member.offset:member.offset + member.size], "little")
    if member.name == "flags" and struct_name in trace_tables.FLAGS:
        return bits(value, flags_named(trace_tables.FLAGS[struct_name]), "0")
    if (struct_name, member.name) in trace_tables.NAMED:
        return numbers_named(trace_tables.NAMED[struct_name, member.name]).get(value, str(value))
    if member.signed:
        value = signed(value, 32)
        return files.show(value) if "fd" in member.name else str(value)
    return hex(value) if member.size == 8 or member.name == "flags" else str(value)


def members_of(struct_name, data, files):
    """[(name, text)] of what is there; an array at the end as far as its structure says that it is there."""
    shown = []
    for member in uapi.read()[1][struct_name].members:
        if member.count == 0:
            shown += tail_of(struct_name, member, data, files)
            continue
        text = show_member(struct_name, member, data, files)
        if text is not None and "reserved" not in member.name and member.name not in ("pad", "padding"):
            shown.append((member.name, text))
    return shown


def tail_of(struct_name, member, data, files):
    """What follows a structure. Of interrupts it is descriptors, or bytes."""
    if len(data) < member.offset:
        return []
    rest = data[member.offset:int.from_bytes(data[:4], "little")]
    if struct_name == "vfio_irq_set":
        flags, count = struct.unpack_from("<II", data[4:8] + data[16:20])
        if flags & 4:
            fds = struct.unpack_from(f"<{min(count, len(rest) // 4)}i", rest)
            return [("data", "[" + ", ".join(files.show(fd) for fd in fds) + "]")]
        return [("data", str(list(rest[:count])))] if flags & 2 else []
    if not rest or struct_name == "dfl_fpga_irq_set":
        return []
    if member.inner or member.signed:
        one = member.size
        count = min(int.from_bytes(data[8:12], "little"), len(rest) // one)
        parts = [rest[at * one:(at + 1) * one] for at in range(count)]
        return [(member.name, "[" + ", ".join(show_members(member.inner, part, files) if member.inner
                                              else files.show(signed(int.from_bytes(part, "little"), 32)) for part in parts) + "]")]
    return [(member.name, quoted(rest[:SHOWN], True) + ("..." if len(rest) > SHOWN else ""))]


def show_members(struct_name, data, files):
    return in_braces(members_of(struct_name, data, files))


def parts_of(struct_name, data, files):
    """members_of() what the structure itself says that it has."""
    wanted = uapi.read()[1][struct_name]
    says = wanted.members[0].name in ("argsz", "size")
    return members_of(struct_name, data[:max(8, int.from_bytes(data[:4], "little")) if says else wanted.size], files)


def in_braces(members):
    return "{" + ", ".join(f"{name}={text}" for name, text in members) + "}"


class Shower:
    """How arguments are shown, by the words of trace_tables.CALLS. Each method gets the call and which argument it is."""

    def __init__(self, files):
        self.files = files

    def show(self, word, call, at):
        word = word.removeprefix(">")
        value = call.arguments[at]
        if word in trace_tables.SETS:
            return bits(value & 0xffffffff, *trace_tables.SETS[word])
        if word in trace_tables.CHOICES:
            return trace_tables.CHOICES[word].get(signed(value, 32), str(signed(value, 32)))
        return getattr(self, f"show_{word}")(call, at)

    @staticmethod
    def show_mapflags(call, at):
        value = call.arguments[at]
        huge = value >> 26 & 0x3f
        return bits(value & 0x3ffffff, *trace_tables.SETS["map"]) + (f"|{huge}<<MAP_HUGE_SHIFT" if huge else "")

    @staticmethod
    def show_x(call, at):
        return hex(call.arguments[at]) if call.arguments[at] else "NULL"

    @staticmethod
    def show_h(call, at):
        return hex(call.arguments[at]) if call.arguments[at] else "0"

    @staticmethod
    def show_d(call, at):
        return str(signed(call.arguments[at], 32))

    @staticmethod
    def show_l(call, at):
        return str(signed(call.arguments[at]))

    @staticmethod
    def show_u(call, at):
        return str(call.arguments[at])

    @staticmethod
    def show_o(call, at):
        return f"{call.arguments[at] & 0xffffffff:#o}".replace("0o", "0")

    show_mode = show_o

    @staticmethod
    def show_signal(call, at):
        return signal_name(call.arguments[at])

    def show_fd(self, call, at):
        return self.files.show(signed(call.arguments[at], 32))

    def show_dirfd(self, call, at):
        fd = signed(call.arguments[at], 32)
        return "AT_FDCWD" if fd == AT_FDCWD else self.files.show(fd)

    @staticmethod
    def show_path(call, at):
        data = call.before.get(at)
        if data is None:
            return hex(call.arguments[at]) if call.arguments[at] else "NULL"
        return quoted(data, True) + ("..." if len(data) >= 256 else "")

    show_string = show_path

    @staticmethod
    def show_open(call, at):
        value = call.arguments[at] & 0xffffffff
        return "|".join(filter(None, (trace_tables.ACCESS_MODES[value & 3], bits(value & ~3, trace_tables.OPEN, ""))))

    def show_buffer(self, call, at):
        data = call.data(at)
        length = call.arguments[2 if call.name not in ("getcwd", "readlinkat") else 1 if call.name == "getcwd" else 3]
        if call.result is not None and call.words[at].startswith(">"):
            length = signed(call.result)
        if data is None:
            return '""' if length == 0 else hex(call.arguments[at])
        if call.name == "getcwd":
            return quoted(data.split(b"\0")[0], True)
        return quoted(data, False) + ("..." if length > SHOWN else "")

    def show_vectors(self, call, at):
        if call.data(at) is None:
            return hex(call.arguments[at])
        pieces = call.after if call.result is not None and call.after else call.before
        left = signed(call.result) if call.words[at].startswith(">") and call.result is not None else None
        shown = []
        for number, (base, length) in enumerate(struct.iter_unpack("<QQ", call.data(at)[:len(call.data(at)) // 16 * 16])):
            have = length if left is None else min(length, left)
            left = None if left is None else left - have
            data = pieces.get(VECTOR + number)
            text = quoted(data[:have], False) + ("..." if have > SHOWN else "") if data is not None else '""' if not have else hex(base)
            shown.append(f"{{iov_base={text}, iov_len={length}}}")
        return "[" + ", ".join(shown) + "]"

    def show_fds(self, call, at):
        data = call.after.get(at, b"")
        if len(data) != 8:
            return hex(call.arguments[at])
        return "[" + ", ".join(self.files.show(fd) for fd in struct.unpack("<2i", data)) + "]"

    def show_stat(self, call, at):
        data = call.after.get(at, b"")
        if len(data) != 144:
            return hex(call.arguments[at])
        mode, = struct.unpack_from("<I", data, 24)
        kinds = {0o10: "S_IFIFO", 0o20: "S_IFCHR", 0o40: "S_IFDIR", 0o60: "S_IFBLK", 0o100: "S_IFREG", 0o120: "S_IFLNK",
                 0o140: "S_IFSOCK"}
        kind = kinds.get(mode >> 9 & 0o170, f"0{mode & 0o170000:o}")
        if mode & 0o170000 in (0o20000, 0o60000):
            device, = struct.unpack_from("<Q", data, 40)
            last = f"st_rdev=makedev({os.major(device):#x}, {os.minor(device):#x})"
        else:
            last = f"st_size={struct.unpack_from('<q', data, 48)[0]}"
        return f"{{st_mode={kind}|0{mode & 0o7777:o}, {last}, ...}}"

    def show_time(self, call, at):
        data = call.data(at)
        if data is None or len(data) != 16:
            return hex(call.arguments[at]) if call.arguments[at] else "NULL"
        return time_text(struct.unpack("<qq", data))

    def show_pollfds(self, call, at):
        data = call.before.get(at)
        if data is None:
            return hex(call.arguments[at]) if call.arguments[at] else "NULL"
        rows = struct.iter_unpack("<ihh", data[:len(data) // 8 * 8])
        named = trace_tables.SETS["poll"]
        return "[" + ", ".join(f"{{fd={self.files.show(fd)}, events={bits(events & 0xffff, *named)}}}" if fd >= 0 else f"{{fd={fd}}}"
                               for fd, events, _ in rows) + (
            ", ...]" if call.arguments[1] > len(data) // 8 else "]")

    def show_epollevent(self, call, at):
        data = call.before.get(at, b"")
        return self.epoll_event(data) if len(data) == 12 else hex(call.arguments[at]) if call.arguments[at] else "NULL"

    @staticmethod
    def epoll_event(data):
        events, low, value = *struct.unpack_from("<Ii", data), struct.unpack_from("<Q", data, 4)[0]
        return f"{{events={bits(events, *trace_tables.SETS['epoll'])}, data={{u32={low & 0xffffffff}, u64={value}}}}}"

    def show_epollevents(self, call, at):
        data = call.after.get(at, b"")
        rows = [data[at:at + 12] for at in range(0, len(data) // 12 * 12, 12)]
        return "[" + ", ".join(map(self.epoll_event, rows)) + "]"

    @staticmethod
    def show_futexop(call, at):
        value = call.arguments[at] & 0xffffffff
        name = trace_tables.CHOICES["futex"].get(value & 0x7f, hex(value & 0x7f))
        return name + ("_PRIVATE" if value & 0x80 else "") + ("|FUTEX_CLOCK_REALTIME" if value & 0x100 else "")

    @staticmethod
    def show_cloneflags(call, at):
        value = call.arguments[at]
        names = bits(value & ~0xff, *trace_tables.SETS["clone"])
        return names + (f"|{signal_name(value & 0xff)}" if value & 0xff else "")

    def show_command(self, call, at):
        command = call.arguments[at] & 0xffffffff
        return command_name(call, self.files) or (f"_IOC({command >> 30}, {command >> 8 & 0xff:#x}, {command & 0xff:#x}, "
                                                  f"{command >> 16 & 0x3fff:#x})")

    def show_structure(self, call, at):
        """As it is before the call."""
        word = trace_tables.COMMANDS.get(command_name(call, self.files), "h")
        data = call.before.get(at, b"")
        if word in uapi.read()[1] and data:
            return in_braces(parts_of(word, data, self.files))
        if word == "extension":
            return numbers_named("VFIO_*IOMMU").get(call.arguments[at], str(call.arguments[at]))
        if word == "string" and data:
            return quoted(data.split(b"\0")[0], True)
        if word == "fdpointer" and len(data) >= 4:
            return f"[{self.files.show(signed(int.from_bytes(data[:4], 'little'), 32))}]"
        return self.show_h(call, at)

    def changes(self, call):
        """What a call has written into what show_structure() showed."""
        word = trace_tables.COMMANDS.get(command_name(call, self.files)) if call.name == "ioctl" else None
        after = call.after.get(2)
        if word == "number" and after:
            return f" => [{int.from_bytes(after[:4], 'little')}]"
        if word not in uapi.read()[1] or not after or 2 not in call.before:
            return ""
        before = parts_of(word, call.before[2], self.files)
        changed = [member for member in parts_of(word, after, self.files) if member not in before]
        return f" => {in_braces(changed)}" if changed else ""


def signal_name(number):
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"SIGRT_{number - 32}" if number >= 32 else str(number)


class Trace:
    """Takes the records of the stream and writes lines to `out`, those of the `classes` that are wanted. Times are the
    kernel's, in seconds since it was entered."""

    def __init__(self, out, classes):
        self.out, self.classes = out, classes
        self.files = Files()
        self.shower = Shower(self.files)
        self.calls = {}  # by thread: (call, how many arguments are written already; None: nothing of it)
        self.threads = set()
        self.open = None  # the thread whose line is not finished
        self.leaves = {}  # by domain: how many of each size
        self.takers = {FIRST_KIND + at: self.taker(getattr(self, f"take_{kind}")) for at, kind in enumerate(KINDS)}

    def taker(self, take):
        def taken(record):
            if len(record) < HEAD.size:
                raise cli.Failure("the stream is damaged: a record of --trace is too short")
            try:
                take(*HEAD.unpack_from(record), record[HEAD.size:])
            except struct.error:
                raise cli.Failure(f"the stream is damaged: a record {take.__name__.removeprefix('take_')} is too short") from None
            self.out.flush()
        return taken

    # ---- lines ----

    def begin(self, time_ns, thread, text):
        """A new line; one that is not finished says so."""
        if self.open is not None:
            self.out.write(" <unfinished ...>\n")
            self.open = None
        whose = f" [{thread}]" if thread else ""
        self.out.write(f"{time_ns // 10 ** 9}.{time_ns % 10 ** 9:09}{whose} {text}")

    def line(self, time_ns, thread, text):
        self.begin(time_ns, thread, f"{text}\n")

    def wants_call(self, call):
        return "calls" in self.classes or "ioctls" in self.classes and call.name == "ioctl"

    # ---- calls ----

    @staticmethod
    def pieces(data):
        found, at = {}, 0
        while at + PIECE.size <= len(data):
            argument, length = PIECE.unpack_from(data, at)
            found[argument] = data[at + PIECE.size:at + PIECE.size + length]
            at += PIECE.size + length
        return found

    def take_call(self, time_ns, thread, number, data):
        call = Call(number, struct.unpack_from(f"<{ARGUMENTS}Q", data), self.pieces(data[8 * ARGUMENTS:]))
        known = next((at for at, word in enumerate(call.words) if word[0] == ">"), len(call.words))
        self.calls[thread] = call, known
        self.threads.add(thread)
        if self.wants_call(call):
            self.begin(time_ns, thread, f"{call.name}({self.arguments(call, 0, known)}{', ' if 0 < known < len(call.words) else ''}")
            self.open = thread

    def arguments(self, call, first, end):
        return ", ".join(self.shower.show(call.words[at], call, at) for at in range(first, end))

    def take_result(self, time_ns, thread, number, data):
        call, known = self.calls.pop(thread, (None, 0))
        if call is None:
            return
        call.result, call.after = struct.unpack_from("<Q", data)[0], self.pieces(data[8:])
        failed = -4096 < signed(call.result) < 0
        if not failed and call.name not in ("close", "close_range"):
            self.files.note(call)
        if self.wants_call(call):
            if self.open != thread:
                self.begin(time_ns, thread, f"<... {call.name} resumed>")
            self.open = None
            rest = self.arguments(call, known, len(call.words)) + self.shower.changes(call)
            self.out.write(f"{rest}) = {show_result_error(call.result) if failed else self.result(call)}\n")
        if not failed and call.name in ("close", "close_range"):
            self.files.note(call)

    def result(self, call):
        value = signed(call.result)
        if call.name == "ioctl" and command_name(call, self.files) in trace_tables.GIVES_FD:
            return self.files.show(value)
        if call.name == "fcntl" and call.arguments[1] in (0, 1030):
            return self.files.show(value)
        if call.name in ("poll", "ppoll") and value and 0 in call.after:
            return f"{value} ({self.ready(call)})"
        return {"fd": lambda: self.files.show(value), "x": lambda: hex(call.result), "o": lambda: f"0{value:o}",
                }.get(call.returns, lambda: str(value))()

    def ready(self, call):
        data = call.after[0]
        rows = struct.iter_unpack("<ihh", data[:len(data) // 8 * 8])
        named = trace_tables.SETS["poll"]
        return "[" + ", ".join(f"{{fd={self.files.show(fd)}, revents={bits(came & 0xffff, *named)}}}" for fd, _, came in rows if came) + "]"

    def take_signal(self, time_ns, thread, number, data):
        code, word = struct.unpack_from("<qQ", data)
        if "calls" not in self.classes:
            return
        name, pid, uid = signal_name(number), signed(word, 32), word >> 32
        names = trace_tables.SENDERS if code in trace_tables.SENDERS else trace_tables.CODES.get(name, {})
        who = f", si_addr={word:#x}" if code > 0 and code != 0x80 else f", si_pid={pid}, si_uid={uid}" if code <= 0 else ""
        self.line(time_ns, thread, f"--- {name} {{si_signo={name}, si_code={names.get(code, code)}{who}}} ---")

    def take_thread_exit(self, time_ns, thread, number, data):
        status, = struct.unpack_from("<Q", data)
        call, _ = self.calls.pop(thread, (None, 0))
        self.threads.discard(thread)
        if call and self.open == thread:
            self.out.write(") = ?\n")
            self.open = None
        if "calls" in self.classes:
            self.line(time_ns, thread, f"+++ killed by {signal_name(number)} +++" if number else f"+++ exited with {status} +++")
        if not self.threads:  # the payload may start again, with nothing of this
            self.files.forget()

    # ---- maps ----

    def take_map(self, time_ns, _, __, data):
        start, end, access = struct.unpack_from("<3Q", data)
        if "maps" in self.classes:
            word = "".join(letter if access >> at & 1 else "-" for at, letter in enumerate("rwx"))
            self.line(time_ns, 0, f"memory: {start:#x}-{end:#x} {word} mapped")

    def take_unmap(self, time_ns, _, __, data):
        start, end = struct.unpack_from("<2Q", data)
        if "maps" in self.classes:
            self.line(time_ns, 0, f"memory: {start:#x}-{end:#x} unmapped")

    def leaves_of(self, domain, counts):
        """What has changed, by size."""
        before = self.leaves.get(domain, (0, 0, 0))
        self.leaves[domain] = counts
        changes = [(new - old, size) for old, new, size in zip(before, counts, ("4K", "2M", "1G")) if new != old]
        return ", ".join(f"{change:+}x{size}" for change, size in changes) or "no leaves"

    def take_iova_map(self, time_ns, domain, runs, data):
        iova, length, *counts = struct.unpack_from("<5Q", data)
        leaves = self.leaves_of(domain, tuple(counts))
        if "maps" in self.classes:
            self.line(time_ns, 0, f"domain {domain}: iova {iova:#x}-{iova + length - 1:#x} mapped to {runs} run{'s' * (runs != 1)}: {leaves}")

    def take_iova_unmap(self, time_ns, domain, _, data):
        iova, length, *counts = struct.unpack_from("<5Q", data)
        leaves = self.leaves_of(domain, tuple(counts))
        if "maps" in self.classes:
            self.line(time_ns, 0, f"domain {domain}: iova {iova:#x}-{iova + length - 1:#x} unmapped: {leaves}")

    # ---- faults ----

    def take_dma_fault(self, time_ns, subject, reason, data):
        address, kind = struct.unpack_from("<2Q", data)
        request = ("write to", "read of", "page request for", "atomic operation on")[kind & 3] if reason < 0x20 else "interrupt with index"
        words = trace_tables.FAULT_REASONS.get(reason, "unknown reason")
        if "faults" in self.classes:
            self.line(time_ns, 0, f"--- {function_name(subject)} {request} {address:#x} refused: reason {reason:#x}, {words} ---")

    def take_page_fault(self, time_ns, thread, served, data):
        address, error = struct.unpack_from("<2Q", data)
        access = "jump to" if error & 16 else "write to" if error & 2 else "read of"
        by = "" if error & 4 else " by the kernel"
        if "faults" in self.classes:
            self.line(time_ns, thread, f"page fault: {access} {address:#x}{by}: {'served' if served else 'not allowed'}")

    def take_exception(self, time_ns, thread, vector, data):
        address, _, rip, number = struct.unpack_from("<4Q", data)
        name = trace_tables.EXCEPTIONS.get(vector, f"exception {vector}")
        at = f" at {address:#x}" if vector == 14 else ""
        if "faults" in self.classes:
            self.line(time_ns, thread, f"--- {name}{at}, rip {rip:#x}: {signal_name(number)} ---")

    # ---- interrupts ----

    def take_interrupt(self, time_ns, subject, vector, data):
        kind, = struct.unpack_from("<Q", data)
        name = function_name(subject)
        fd = next((fd for key, fd in self.files.eventfds.items() if key[1:] == (kind, vector) and self.is_device(key[0], name)), -1)
        goes = f" -> {self.files.show(fd)}" if fd >= 0 else ""
        if "irqs" in self.classes:
            word = ("INTx", "MSI", "MSI-X")[kind] if kind < 3 else str(kind)
            self.line(time_ns, 0, f"interrupt: {name} {word} {vector}{goes}")

    @staticmethod
    def is_device(known, name):
        """A device that was opened by its own file is not known by its address."""
        return known == name or bool(known) and known.startswith("/dev/vfio/devices/")

    def end(self):
        """The stream is over."""
        if self.open is not None:
            self.out.write(" <unfinished ...>\n")
            self.open = None
        self.out.flush()
        if self.out is not sys.stderr:
            self.out.close()
