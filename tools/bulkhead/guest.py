# SPDX-License-Identifier: BSD-2-Clause
"""A guest: boots the kernel with a payload and keeps all that can be judged from outside: the serial line, the kernel's
report, QEMU's trace, the guest's memory, and QMP while it runs."""

from __future__ import annotations

import json
import mmap
import os
import pathlib
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable
from typing import Any

from bulkhead import check, cli, devices, firmware, line, machine, report, report_types, stream

CANARY = bytes(range(251)) * 17  # longer than a page, and no period that divides one
PAGE = 4096
TIMEOUT = 180


class GuestTimeout(Exception):
    """The guest did not do in time what was waited for, or ended before; the text says what it has shown."""


class Qmp:
    """QEMU's control socket."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))
        self.stream = self.socket.makefile("rw")
        self.stream.readline()
        self.execute("qmp_capabilities")

    def execute(self, command: str, **arguments: Any) -> Any:
        """One command of QMP; returns its answer, or raises RuntimeError with QEMU's sentence."""
        self.stream.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.stream.flush()
        while True:
            answer = json.loads(self.stream.readline())
            if "error" in answer:
                raise RuntimeError(f"{command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]

    def monitor(self, line: str) -> str:
        """One command of the human monitor, such as `info registers`."""
        said: str = self.execute("human-monitor-command", **{"command-line": line})
        return said

    def read_physical(self, address: int, length: int) -> bytes:
        """Guest-physical memory, also that of devices (read in 4-byte words)."""
        words = []
        text = self.monitor(f"xp /{(length + 3) // 4}xw {address:#x}")
        for line in text.splitlines():
            words += [int(word, 16) for word in line.split(":", 1)[1].split()]
        return b"".join(word.to_bytes(4, "little") for word in words)[:length]

    def close(self) -> None:
        self.stream.close()
        self.socket.close()


class Guest:
    """One run of a payload: start(), then wait_for() and others while it runs, wait() for its end; or run() for both.
    `with Guest(...) as guest:` starts it, and ends what still runs.

    payload   the program, a static ELF file
    folder    where its files go; by default a temporary one, which close() removes
    checked   build the kernel if need be, and fail with a sentence where it would refuse what is given
    trace     patterns of QEMU trace events to record, as "vtd_*": see trace
    canaries  guest-physical pages that nobody may touch: filled before, kept out of the kernel's hands by its
              configuration, compared by canaries_touched()
    icount    run under -icount shift=N,sleep=off: the guest's time is counted in instructions
    qmp       open the control socket: see qmp
    apart     keep the payload's output apart from the kernel's log: see stdout
    stdin     give the payload a standard input: see send() and end_input(); not with canaries
    timeout   seconds until it is given up, by whatever waits

    More keywords are those of ./bulkhead run, as bulkhead.machine.Machine has them: args, devices, firmware, memory,
    accel, cpu, iommu (None: no IOMMU), config (the text of a bulkhead.conf), files (a folder), settings ([(key, value)]
    for the kernel), qemu_args.
    """

    def __init__(self, payload: str | os.PathLike[str], folder: str | os.PathLike[str] | None = None, *, checked: bool = True,
                 trace: Iterable[str] = (), canaries: Iterable[int] = (), icount: int | None = None, qmp: bool = False,
                 apart: bool = False, stdin: bool = False, timeout: float = TIMEOUT, **options: Any) -> None:
        self.own_folder = tempfile.TemporaryDirectory(prefix="bulkhead.") if folder is None else None
        self.folder = pathlib.Path(self.own_folder.name if self.own_folder else os.fspath(folder))  # type: ignore[arg-type]
        self.timeout = timeout
        self.canaries = list(canaries)
        self.wanted = machine.Machine(payload=pathlib.Path(payload).absolute(), **options)
        self.wanted.share_memory |= bool(self.canaries)
        self.memory_size = machine.bytes_of(self.wanted.memory) or 0
        self.wanted.settings = [*self.wanted.settings, *(("keep-out", f"{page:#x}+{PAGE:#x}") for page in self.canaries)]
        self.wanted.settings += [("output", "stream")] if apart else []
        self.line: line.Line | None = None
        self.source = self.fed = -1
        if stdin:
            self.add_input()
        if checked:
            self.build()
        self.command, self.report_path = machine.prepare(self.wanted, self.folder, check.ask if checked else None)
        self.serial_path, self.trace_path = self.folder / "serial.log", self.folder / "trace.log"
        self.command += ["-serial", f"file:{self.serial_path}"]
        self.add_trace(list(trace), icount)
        # The path of a unix socket is short; a folder of tests is not.
        self.short = tempfile.TemporaryDirectory(prefix="bulkhead.") if qmp else None
        if self.short:
            self.command += ["-qmp", f"unix:{self.short.name}/qmp,server=on,wait=off"]
        if self.canaries:
            self.fill_canaries()
        self.process: Any = None
        self.control: Qmp | None = None

    def build(self) -> None:
        """What is needed beside the payload."""
        cli.build(*firmware.DOORS[self.wanted.firmware][0], check.PROGRAM)

    def add_input(self) -> None:
        if self.canaries:
            raise ValueError("a guest has canaries or a standard input: each keeps its memory in a file of its own")
        self.source, self.fed = os.pipe()
        self.line = line.Line(self.source)
        self.wanted.memory_path = self.line.memory_path
        self.wanted.settings += [("input", "host"), ("terminal", "no")]

    def add_trace(self, patterns: list[str], icount: int | None) -> None:
        for pattern in patterns:
            self.command += ["-trace", pattern]
        if patterns:
            self.command += ["-D", str(self.trace_path)]
        if icount is not None:
            self.command += ["-icount", f"shift={icount},sleep=off"]

    # Running

    def start(self) -> Guest:
        """Starts the machine, and returns when its control socket, if there is to be one, is open."""
        self.errors = open(self.folder / "qemu.err", "wb")
        self.process = machine.start(self.command, stdin=subprocess.DEVNULL, stdout=self.errors, stderr=self.errors)
        self.deadline = time.monotonic() + self.timeout
        if self.short:
            self.wait_until(self.connect, "QMP")
        return self

    def connect(self) -> bool:
        """Opens QMP; False while QEMU is not listening yet, which is later than its socket exists."""
        try:
            self.control = Qmp(f"{self.short.name}/qmp" if self.short else "")
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        return True

    @property
    def qmp(self) -> Qmp:
        """QEMU's control socket, of a guest that was made with qmp=True and has started."""
        assert self.control, "a guest has no control socket unless it was made with qmp=True and has started"
        return self.control

    def wait_until(self, condition: Callable[[], object], what: str) -> None:
        """Polls until the condition holds. Raises GuestTimeout if QEMU has ended before, or the time is up."""
        while not condition():
            if self.process.poll() is not None:
                if condition():  # it came true with the last it did
                    return
                raise GuestTimeout(f"the guest ended while waiting for {what}\n{self.log}")
            if time.monotonic() > self.deadline:
                raise GuestTimeout(f"no {what} within {self.timeout} s\n{self.log}")
            time.sleep(0.01)

    def wait_for(self, text: str) -> None:
        """Waits until a text has appeared on the serial line, or in what the payload wrote apart from it."""
        self.wait_until(lambda: text in self.serial or text.encode() in self.stdout, f"'{text}' on the serial line")

    def send(self, text: str | bytes) -> None:
        """Gives the payload input, of a guest that was made with stdin=True and has started."""
        self.wait_until(self.takes_input, "place for input")
        data = text.encode() if isinstance(text, str) else text
        while data:
            data = data[os.write(self.fed, data):]

    def end_input(self) -> None:
        """What the payload reads from now on, behind all that was sent, is the end of its input."""
        self.wait_until(self.takes_input, "place for input")
        if self.fed >= 0:
            os.close(self.fed)
            self.fed = -1

    def takes_input(self) -> bool:
        """Has the kernel told where input goes?"""
        assert self.line, "a guest has no standard input unless it was made with stdin=True"
        places: list[bytes] = []
        if not self.line.listening and (self.folder / machine.STREAM).exists():
            with open(self.folder / machine.STREAM, "rb") as file:
                stream.read(file, {stream.INPUT: places.append})
        if places:
            self.line.found(places[0])
        return self.line.listening

    def wait(self) -> Guest:
        """Waits for the end of the machine. Raises GuestTimeout if it does not come."""
        try:
            self.process.wait(max(0, self.deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise GuestTimeout(f"still running after {self.timeout} s\n{self.log}") from None
        finally:
            self.stop()
        return self

    def run(self) -> Guest:
        """From start to end."""
        return self.start().wait()

    def stop(self) -> None:
        """Ends the machine if it still runs. What it left stays to be judged."""
        if self.process:
            machine.stop(self.process)
            self.errors.close()
        if self.line:
            self.line.close()
            self.line = None
            for descriptor in (self.source, self.fed):
                if descriptor >= 0:
                    os.close(descriptor)
        if self.control:
            self.control.close()
            self.control = None
        if self.short:
            self.short.cleanup()

    def close(self) -> None:
        """stop(), and a folder that nobody gave is removed."""
        self.stop()
        if self.own_folder:
            self.own_folder.cleanup()

    def __enter__(self) -> Guest:
        return self.start()

    def __exit__(self, *_problem: object) -> None:
        self.close()

    # What is left to judge

    @property
    def serial(self) -> str:
        """What came on the serial line until now: the kernel's lines and the payload's output."""
        if not self.serial_path.exists():
            return ""
        return self.serial_path.read_text(errors="replace").replace("\r\n", "\n")

    @property
    def stdout(self) -> bytes:
        """With apart=True: what the payload has written until now, byte for byte, without a line of the kernel's."""
        found = bytearray()
        path = self.folder / machine.STREAM
        if path.exists():
            with open(path, "rb") as file:
                stream.read(file, {stream.OUTPUT: found.extend})
        return bytes(found)

    @property
    def log(self) -> str:
        """Everything a person wants to see when a test fails."""
        path = self.folder / "qemu.err"
        errors = path.read_text(errors="replace") if path.exists() else ""
        apart = f"\n--- written apart\n{written[-3000:].decode(errors='replace')}" if (written := self.stdout) else ""
        return f"--- serial\n{self.serial[-6000:]}{apart}\n--- QEMU\n{errors[-2000:]}\n--- {' '.join(self.command)}"

    @property
    def report(self) -> report_types.Report | None:
        """The kernel's report; None if it did not get as far as writing one."""
        found = report.read(self.report_path)
        return None if found is None else report_types.of(found)

    @property
    def status(self) -> int | None:
        """The payload's exit status; None if it did not end by itself."""
        found = self.report
        return found.exit.status if found and found.exit.reason == "payload" else None

    @property
    def trace(self) -> list[str]:
        """The recorded trace, line by line."""
        return self.trace_path.read_text(errors="replace").splitlines()

    def output(self, prefix: str) -> list[str]:
        """The lines of the payload on the serial line: those that begin with a prefix."""
        return [line for line in self.serial.splitlines() if line.startswith(prefix)]

    # The guest's memory as a file

    def fill_canaries(self) -> None:
        with open(self.folder / devices.MEMORY, "r+b") as image:
            for page in self.canaries:
                image.seek(line.file_offset(page, self.memory_size))
                image.write(CANARY[:PAGE])

    def read_memory(self, address: int, length: int) -> bytes:
        """Guest RAM, whether the guest runs or not; only with canaries or share_memory=True."""
        with open(self.folder / devices.MEMORY, "rb") as image, mmap.mmap(image.fileno(), 0, access=mmap.ACCESS_READ) as view:
            at = line.file_offset(address, self.memory_size)
            return view[at:at + length]

    def canaries_touched(self) -> list[str]:
        """The addresses of the canaries that are not as they were."""
        return [hex(page) for page in self.canaries if self.read_memory(page, PAGE) != CANARY[:PAGE]]
