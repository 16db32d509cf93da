# SPDX-License-Identifier: BSD-2-Clause
"""One QEMU machine that boots the kernel with a payload: its command line, its life and its end."""

import dataclasses
import os
import pathlib
import re
import subprocess

from bulkhead import boot as booted
from bulkhead import cli, devices, firmware

QEMU = "qemu-system-x86_64"
IOMMU = {"intremap": "on", "aw-bits": "48"}
# Not 0x402, which SeaBIOS and OVMF write their own messages to.
REPORT_PORT, STREAM_PORT, EXIT_PORT = 0xe9, 0xea, 0x501
STREAM = "stream"  # name of its file
PATIENCE = 5  # seconds that QEMU gets to end after a signal
MEMORY_UNITS = {"k": 1 << 10, "K": 1 << 10, "": 1 << 20, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
MEMORY_STEP = 8192  # QEMU rounds up to it


@dataclasses.dataclass
class Machine:
    """What ./bulkhead run can be asked for."""
    payload: pathlib.Path | None  # None: none, for a kernel that is to show something
    args: list = dataclasses.field(default_factory=list)
    devices: list = dataclasses.field(default_factory=list)
    firmware: str = "pvh"
    memory: str = "512M"
    accel: str = "tcg"
    cpu: str = "max"
    iommu: str | None = ""  # overrides of IOMMU; None: no IOMMU
    config: str = ""
    files: pathlib.Path | None = None
    settings: list = dataclasses.field(default_factory=list)  # more (key, value) for the kernel
    qemu_args: list = dataclasses.field(default_factory=list)
    share_memory: bool = False  # keep the guest's memory in a file, as some devices need it anyway
    memory_path: str | None = None  # of that file, which exists; by default a new one in the run's folder


def iommu_arguments(overrides):
    """intel-iommu has to come before every device that it is to translate for."""
    if overrides is None:
        return []
    options = dict(IOMMU)
    options.update(word.partition("=")[::2] for word in overrides.split(",") if word)
    return ["-device", ",".join(["intel-iommu", *(f"{key}={value}" for key, value in options.items())])]


def bytes_of(memory):
    """A size as QEMU's -m reads it, in bytes; None if it is none."""
    found = re.fullmatch(r"(\d+)([kKMGT]?)", memory)
    return found and -(-int(found[1]) * MEMORY_UNITS[found[2]] // MEMORY_STEP) * MEMORY_STEP


def share_memory(memory, folder, path):
    """Keeps the guest's memory in a file that other programs may map."""
    if path:
        os.symlink(path, folder / devices.MEMORY)
    with open(folder / devices.MEMORY, "wb") as image:
        image.truncate(bytes_of(memory))
    path = cli.option_value(folder / devices.MEMORY)
    return ["-object", f"memory-backend-file,id=shared-memory,size={bytes_of(memory)},mem-path={path},share=on",
            "-machine", "memory-backend=shared-memory"]


def prepare(machine, folder, look=None, stream=None):
    """QEMU's command line, but for the console, and where the report will be. Makes what it needs
    in the temporary `folder`. look() may object to what is to be booted. `stream` is where the
    stream (bulkhead.stream) goes; by default the file STREAM in the folder."""
    folder = pathlib.Path(folder)
    nets = devices.free_nets(machine.qemu_args)
    assigned = [devices.assign(spec, number, machine.qemu_args, folder, nets)
                for number, spec in enumerate(machine.devices)]
    settings = [("report-port", hex(REPORT_PORT)), ("stream-port", hex(STREAM_PORT)), ("exit-port", hex(EXIT_PORT)), *machine.settings]
    if not booted.says(machine.config, "input") and "input" not in dict(settings):
        settings.append(("input", "none"))
    settings += [("device", device.selector) for device in assigned]
    settings += [("arg", argument) for argument in machine.args]
    boot = booted.Boot(machine.payload, settings, machine.config, machine.files, folder)
    if look:
        look(boot)
    report = folder / "report.json"
    command = [QEMU, "-nodefaults", "-display", "none", "-no-reboot", "-machine", "q35,kernel-irqchip=split",
               "-accel", machine.accel, "-cpu", machine.cpu, "-m", machine.memory]
    if machine.share_memory or machine.memory_path or any(device.shares_memory for device in assigned):
        command += share_memory(machine.memory, folder, machine.memory_path)
    command += iommu_arguments(machine.iommu)
    command += ["-device", f"isa-debug-exit,iobase={EXIT_PORT:#x},iosize=2",
                "-chardev", f"file,id=report,path={cli.option_value(report)}",
                "-device", f"isa-debugcon,iobase={REPORT_PORT:#x},chardev=report",
               "-chardev", f"file,id=stream,path={cli.option_value(stream or folder / STREAM)}",
               "-device", f"isa-debugcon,iobase={STREAM_PORT:#x},chardev=stream"]
    command += machine.qemu_args
    for device in assigned:
        command += [*device.extra, "-device", device.argument, *device.behind]
    return command + firmware.DOORS[machine.firmware][1](boot), report


def start(command, **streams):
    """Starts QEMU, in a session of its own: Ctrl-C in the terminal is for us, who end it."""
    try:
        return subprocess.Popen(command, preexec_fn=cli.die_with_parent, start_new_session=True, **streams)
    except FileNotFoundError:
        raise cli.Failure(f"{command[0]} is not installed") from None


def stop(process):
    """Ends QEMU if it still runs, firmly if need be."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
