# SPDX-License-Identifier: BSD-2-Clause
"""./bulkhead devices: boots the machine that the options describe, and shows the PCI devices that the kernel
finds in it (`show = devices`, docs/devices.md) as a tree."""

import argparse
import dataclasses
import re
import sys
import tempfile

from bulkhead import check, cli, crash, firmware, machine, report, run

DESCRIPTION = """Boots the machine that the same options of ./bulkhead run make, without a payload, and shows its PCI
devices as Bulkhead's kernel sees them: where they are, which of them share an isolation group and why, the ids their
requests carry, how they can be reset, BARs, interrupts and reserved memory."""

HEAD = re.compile(r"device (\S+) (\S+) class ([0-9a-f]{6}) (.+)")
LINE = re.compile(r"  (\w+) (.+)")
RANGE = re.compile(r"(0x[0-9a-f]+)\+(0x[0-9a-f]+)")
UNITS = ((30, "GiB"), (20, "MiB"), (10, "KiB"))
# What people call a class: base class and subclass.
CLASSES = {
    "0101": "IDE controller", "0106": "SATA controller", "0108": "NVMe controller", "0100": "SCSI controller",
    "0200": "Ethernet controller", "0280": "network controller", "0300": "VGA display", "0380": "display",
    "0403": "audio device", "0500": "memory controller", "0600": "host bridge", "0601": "ISA bridge",
    "0604": "PCI bridge", "0700": "serial port", "0880": "system peripheral", "0c03": "USB controller",
    "0c05": "SMBus", "1200": "accelerator",
}


@dataclasses.dataclass
class Device:
    """What the kernel tells of a function."""
    address: str
    ids: str
    code: str  # of its class
    kind: str
    facts: dict  # word -> its values, in order

    def one(self, word, otherwise=None):
        return self.facts.get(word, [otherwise])[0]

    @property
    def group(self):
        return int(self.one("group").split(",")[0])

    @property
    def assigned(self):
        return self.one("group").endswith(", assigned")


def read(console):
    """The devices that the lines of a console tell of, in the order of their addresses."""
    found = []
    for line in console.splitlines():
        head, fact = HEAD.fullmatch(line), LINE.fullmatch(line)
        if head:
            found.append(Device(*head.groups(), {}))
        elif fact and found:
            found[-1].facts.setdefault(fact[1], []).append(fact[2])
    return found


def short(text):
    """Addresses without the segment, if it is the one that every machine has."""
    return re.sub(r"\b0000:(?=[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])", "", text)


def size(number):
    for shift, unit in UNITS:
        if number and number % (1 << shift) == 0:
            return f"{number >> shift} {unit}"
    return f"{number} bytes"


def sized(text):
    """'memory 0xfe000000+0x1000' -> 'memory 0xfe000000, 4 KiB'"""
    return RANGE.sub(lambda found: f"{found[1]}, {size(int(found[2], 16))}", text)


def title(device):
    name = CLASSES.get(device.code[:4], f"class {device.code}")
    return short(f"{device.address}  {device.ids}  {name}, {device.kind}")


def interrupts(device):
    words = [f"INT{device.one('intx')}"] if "intx" in device.facts else []
    words += [f"{name} {device.one(word)}" for word, name in (("msi", "MSI"), ("msix", "MSI-X")) if word in device.facts]
    return ", ".join(words)


def details(device):
    """The lines below a device's own."""
    yield "group", device.one("group")
    yield from (("with", value) for value in device.facts.get("joined", []))
    yield from (("buses", value) for value in device.facts.get("buses", []))
    yield from (("part of", value) for value in device.facts.get("physical", []))
    yield from (("functions", f"{value} virtual ones") for value in device.facts.get("vfs", []))
    yield from (("sends as", value) for value in device.facts.get("alias", []))
    yield from (("reset", value) for value in device.facts.get("reset", []))
    for word, values in device.facts.items():
        if word.startswith("bar") or word == "rom":
            yield word, sized(values[0])
    if interrupts(device):
        yield "interrupts", interrupts(device)
    yield from (("errors", value) for value in device.facts.get("errors", []))
    yield from (("reserved", sized(value)) for value in device.facts.get("reserved", []))


def branch(devices, above, margin):
    """The lines of all devices directly below a bridge (None: the root buses)."""
    here = [device for device in devices if device.one("below") == above]
    for device in here:
        last, below = device is here[-1], any(other.one("below") == device.address for other in devices)
        fork, rest = ("", "") if above is None else ("└─ ", "   ") if last else ("├─ ", "│  ")
        yield margin + fork + title(device)
        for word, value in details(device):
            yield f"{margin}{rest}{'│' if below else ' '}     {word:10} {short(value)}"
        yield from branch(devices, device.address, margin + rest)


def tree(devices):
    """All of it as text for people."""
    return "".join(f"{line.rstrip()}\n" for line in branch(devices, None, ""))


def parser():
    made = argparse.ArgumentParser(prog="./bulkhead devices", description=DESCRIPTION, allow_abbrev=False,
                                   usage="./bulkhead devices [OPTIONS]")
    run.add_machine_options(made)
    return made


def boot(wanted):
    """Runs the machine to its end: the report, QEMU's status, and the console."""
    console = bytearray()
    cli.build(*firmware.DOORS[wanted.firmware][0], check.PROGRAM)
    with tempfile.TemporaryDirectory(prefix="bulkhead.") as folder:
        command, report_path = machine.prepare(wanted, folder, check.ask)
        status, kept = run.run_qemu(command, wanted.firmware, console.extend)
        return report.read(report_path), status, (bytes(console) + kept).decode(errors="replace")


def main(arguments):
    options = parser().parse_args(run.join_qemu_args(arguments))
    run.help_with_devices(options)
    found, status, console = boot(run.machine_of(options, payload=None, settings=[("show", "devices")]))
    devices = read(console)
    sys.stdout.write(tree(devices) if devices else console)
    sys.stdout.flush()
    if found is None:
        raise cli.Failure(f"the kernel left no report (QEMU ended with status {status})")
    if found["exit"]["reason"] != "shown":
        raise cli.Failure(crash.sentence(found["exit"], "the machine", None))
    return 0
