# SPDX-License-Identifier: BSD-2-Clause
"""A guest for tests: boots the kernel with a payload and keeps all that can be judged from outside:
the serial line, the kernel's report, QEMU's trace, the guest's memory, and QMP while it runs."""

import functools
import json
import mmap
import pathlib
import re
import socket
import subprocess
import tempfile
import time

import report_format
import stretch as measured
from bulkhead import devices, disk, esp, machine, report

GIB = 1 << 30
CANARY = bytes(range(251)) * 17  # longer than a page, and no period that divides one
PAGE = 4096


class GuestTimeout(Exception):
    """The guest was still running when its time was up."""


def file_offset(address, memory):
    """Where QEMU's q35 keeps guest RAM in the file behind it: all in order, but with a hole for
    devices below 4 GiB."""
    low = 0x80000000 if memory >= 0xb0000000 else 0xb0000000
    return address if address < low else address - 4 * GIB + low


class Qmp:
    """QEMU's control socket."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))
        self.stream = self.socket.makefile("rw")
        self.stream.readline()
        self.execute("qmp_capabilities")

    def execute(self, command, **arguments):
        self.stream.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.stream.flush()
        while True:
            answer = json.loads(self.stream.readline())
            if "error" in answer:
                raise RuntimeError(f"{command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]

    def monitor(self, line):
        """One command of the human monitor, such as `info registers`."""
        return self.execute("human-monitor-command", **{"command-line": line})

    def read_physical(self, address, length):
        """Guest-physical memory, also that of devices (read in 4-byte words)."""
        words = []
        text = self.monitor(f"xp /{(length + 3) // 4}xw {address:#x}")
        for line in text.splitlines():
            words += [int(word, 16) for word in line.split(":", 1)[1].split()]
        return b"".join(word.to_bytes(4, "little") for word in words)[:length]


class Guest:
    """One run. Keywords are those of bulkhead.machine.Machine, and:
    trace     patterns of QEMU trace events to record, as "vtd_*"
    canaries  guest-physical pages that nobody may touch: filled before, kept out of the kernel's
              hands by its configuration, compared by canaries_touched()
    icount    run under -icount shift=N,sleep=off
    stretch   the plugin that measures how long interrupts are kept out (self.stretches); wants icount
    qmp       open the control socket (self.qmp once started)
    kernel    another kernel.elf than build/kernel.elf
    timeout   seconds until the test gives up on it
    """

    def __init__(self, folder, payload, *, trace=(), canaries=(), icount=None, stretch=None, qmp=False,
                 kernel=None, timeout=180, **options):
        self.folder = pathlib.Path(folder)
        self.timeout = timeout
        self.canaries = canaries
        self.wanted = machine.Machine(payload=pathlib.Path(payload), **options)
        self.wanted.share_memory = bool(canaries)
        self.memory_size = machine.bytes_of(self.wanted.memory)
        self.wanted.settings = [*self.wanted.settings,
                                *(("keep-out", f"{page:#x}+{PAGE:#x}") for page in canaries)]
        self.command, self.report_path = machine.prepare(self.wanted, self.folder)
        if kernel:
            self.replace_kernel(pathlib.Path(kernel))
        self.serial_path, self.trace_path = self.folder / "serial.log", self.folder / "trace.log"
        self.command += ["-serial", f"file:{self.serial_path}"]
        for pattern in trace:
            self.command += ["-trace", pattern]
        if trace:
            self.command += ["-D", str(self.trace_path)]
        if icount is not None:
            self.command += ["-icount", f"shift={icount},sleep=off"]
        if stretch:
            assert icount is not None, "without icount a repeated string instruction counts as one"
            self.command += ["-plugin", f"file={stretch},out={self.folder}/stretches"]
        # The path of a unix socket is short; a test's own folder is not.
        self.short = tempfile.TemporaryDirectory(prefix="bulkhead.") if qmp else None
        if qmp:
            self.command += ["-qmp", f"unix:{self.short.name}/qmp,server=on,wait=off"]
        if canaries:
            self.fill_canaries()
        self.process, self.qmp = None, None

    def replace_kernel(self, kernel):
        if self.wanted.firmware == "uefi":
            esp.put(self.folder / "esp", f"{esp.FOLDER}/kernel.elf", kernel)
            disk.write(self.folder / "disk.img", self.folder / "esp")
        else:
            self.command[self.command.index("-kernel") + 1] = str(kernel)

    # Running

    def start(self):
        self.errors = open(self.folder / "qemu.err", "wb")
        self.process = machine.start(self.command, stdin=subprocess.DEVNULL, stdout=self.errors, stderr=self.errors)
        self.deadline = time.monotonic() + self.timeout
        if self.short:
            self.wait_until(self.connect, "QMP")
        return self

    def connect(self):
        """Opens QMP; False while QEMU is not listening yet, which is later than its socket exists."""
        try:
            self.qmp = Qmp(f"{self.short.name}/qmp")
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        return True

    def wait_until(self, condition, what):
        """Polls until the condition holds, QEMU has ended, or the time is up."""
        while not condition():
            if self.process.poll() is not None:
                raise GuestTimeout(f"the guest ended while waiting for {what}\n{self.log}")
            if time.monotonic() > self.deadline:
                raise GuestTimeout(f"no {what} within {self.timeout} s\n{self.log}")
            time.sleep(0.01)

    def wait_for(self, text):
        """Waits until a text has appeared on the serial line."""
        self.wait_until(lambda: text in self.serial, f"'{text}' on the serial line")

    def wait(self):
        try:
            self.process.wait(max(0, self.deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise GuestTimeout(f"still running after {self.timeout} s\n{self.log}") from None
        finally:
            self.stop()
        if self.report is not None:
            report_format.check(self.report_path.read_text())
        return self

    def run(self):
        return self.start().wait()

    def stop(self):
        if self.process:
            machine.stop(self.process)
            self.errors.close()
        if self.short:
            self.short.cleanup()

    # What is left to judge

    @property
    def serial(self):
        if not self.serial_path.exists():
            return ""
        return self.serial_path.read_text(errors="replace").replace("\r\n", "\n")

    @property
    def log(self):
        """Everything a person wants to see when a test fails."""
        errors = (self.folder / "qemu.err").read_text(errors="replace")
        return f"--- serial\n{self.serial[-6000:]}\n--- QEMU\n{errors[-2000:]}\n--- {' '.join(self.command)}"

    @property
    def report(self):
        return report.read(self.report_path)

    @property
    def status(self):
        """The payload's exit status; None if it did not end by itself."""
        found = self.report
        if found is None or found.get("exit", {}).get("reason") != "payload":
            return None
        return found["exit"]["status"]

    @property
    def trace(self):
        """The recorded trace, line by line."""
        return self.trace_path.read_text(errors="replace").splitlines()

    @functools.cached_property
    def stretches(self):
        """What the plugin saw: stretch.Stretch, the longest first."""
        return measured.read(self.folder / "stretches", self.command[self.command.index("-kernel") + 1])

    def output(self, prefix):
        """The lines of the payload on the serial line: those that begin with a prefix."""
        return [line for line in self.serial.splitlines() if line.startswith(prefix)]

    # The guest's memory as a file

    def fill_canaries(self):
        with open(self.folder / devices.MEMORY, "r+b") as image:
            for page in self.canaries:
                image.seek(file_offset(page, self.memory_size))
                image.write(CANARY[:PAGE])

    def read_memory(self, address, length):
        """Guest RAM, whether the guest runs or not; only with canaries."""
        with open(self.folder / devices.MEMORY, "rb") as image, \
                mmap.mmap(image.fileno(), 0, access=mmap.ACCESS_READ) as view:
            at = file_offset(address, self.memory_size)
            return view[at:at + length]

    def canaries_touched(self):
        return [hex(page) for page in self.canaries if self.read_memory(page, PAGE) != CANARY[:PAGE]]


def find_trace(lines, pattern):
    """The number of the first trace line that matches, or None."""
    expression = re.compile(pattern)
    return next((number for number, line in enumerate(lines) if expression.search(line)), None)
