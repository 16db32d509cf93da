# SPDX-License-Identifier: BSD-2-Clause
"""./bulkhead collect: what Bulkhead would find in this machine, asked of the Linux that runs on it (docs/hardware.md).
Only reads, and writes only what is listed here and in collect_config.py."""

import argparse
import os
import pathlib
import re
import struct
import subprocess
import sys

from bulkhead import cli, collect_config

DESCRIPTION = """Writes what Bulkhead has to know of the machine that it runs on into one text file: firmware tables, PCI
functions, what the IOMMUs can do, the memory map, and the kind of processor. Runs on any Linux, changes nothing, and
writes no serial numbers, MAC addresses or names. Root sees more: what is missing is said. With --replay it runs the
kernel's own code over such a file instead, and tells what it would find, and refuse."""

FORMAT = "bulkhead-machine 1"
REPLAY = "build/replay"
ROW = 32  # bytes
# What the kernel reads of the firmware's tables.
TABLES = ("DMAR", "APIC", "MCFG", "FACP", "HEST", "HPET", "SPCR", "TPM2")
TABLE_HEADER, TABLE_MAX = 36, 1 << 20
MADT_ENTRIES, MADT_OF_MAKERS = 44, 0x80
MEMORY_KINDS = {
    "system ram": "ram", "reserved": "reserved", "soft reserved": "reserved", "acpi tables": "acpi",
    "acpi non-volatile storage": "nvs", "unusable memory": "unusable", "persistent memory": "persistent",
    "persistent memory (legacy)": "persistent",
}
CPU_NUMBERS = {"cpu family": "family", "model": "model", "stepping": "stepping"}
CPU_VENDORS = ("GenuineIntel", "AuthenticAMD", "CentaurHauls", "  Shanghai  ", "HygonGenuine")
CPU_FLAGS = ("lm", "nx", "fxsr", "mce", "mca", "pge", "pat", "apic", "x2apic", "tsc", "tsc_deadline_timer", "constant_tsc",
             "nonstop_tsc", "tsc_known_freq", "rdtscp", "pdpe1gb", "xsave", "xsaves", "smep", "smap", "umip", "la57", "vmx",
             "hypervisor")
CPUID_LEAVES = (0x15, 0x16)  # frequencies
# Segments with more digits are Linux's own, of functions that only its driver for them can reach.
ADDRESS = re.compile(r"[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]")
BARS, VIRTUAL_BARS = range(7), range(7, 13)  # lines of a function's `resource`; 6 is the expansion ROM


class Collection:
    """The lines of the file so far. `root` is where /sys, /proc and /dev are."""

    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.lines, self.missing = [], {}

    def add(self, *words):
        self.lines.append(" ".join(map(str, words)))

    def add_bytes(self, content):
        for at in range(0, len(content), ROW):
            row = content[at:at + ROW]
            if any(row):
                self.add("bytes", f"{at:x}", row.hex())

    def lacks(self, what, why):
        self.missing.setdefault(what, why)

    def read(self, name, what=None):
        """The content of a file, or None. Who may not read it is told that `what` is missing."""
        try:
            return (self.root / name).read_bytes()
        except PermissionError:
            if what:
                self.lacks(what, "root alone may read this")
        except OSError:
            pass
        return None

    def text(self, name):
        return (self.read(name) or b"").decode("ascii", "replace").strip()

    def names(self, folder):
        try:
            return sorted(os.listdir(self.root / folder))
        except OSError:
            return []

    def written(self):
        """All of it; what is missing first, so that nobody overlooks it."""
        absent = [f"missing {what}: {why}" for what, why in sorted(self.missing.items())]
        return "\n".join([FORMAT, *absent, *self.lines, "end", ""])


# ---- processor ----

def collect_cpu(to):
    first = to.text("proc/cpuinfo").split("\n\n")[0]
    facts = dict(re.findall(r"^([\w ]+?)\s*: (.*)$", first, re.M))
    vendor = facts.get("vendor_id", "")
    to.add("cpu vendor", vendor.strip() if vendor in CPU_VENDORS else "other")
    for name, shown in CPU_NUMBERS.items():
        if facts.get(name, "").isdecimal():
            to.add("cpu", shown, facts[name])
    bits = re.match(r"(\d+) bits physical, (\d+) bits virtual", facts.get("address sizes", ""))
    if bits:
        to.add("cpu address-bits", bits[1], bits[2])
    flags = facts.get("flags", "").split()
    to.add("cpu flags", *(flag for flag in CPU_FLAGS if flag in flags))
    collect_frequencies(to)


def collect_frequencies(to):
    """The leaves of CPUID that tell how fast clocks are; of leaf 0 how many leaves there are."""
    try:
        with open(to.root / "dev/cpu/0/cpuid", "rb", buffering=0) as file:
            most, = struct.unpack_from("<I", os.pread(file.fileno(), 16, 0))
            for leaf in CPUID_LEAVES:
                if leaf <= most:
                    values = struct.unpack("<4I", os.pread(file.fileno(), 16, leaf))
                    to.add("cpuid", f"{leaf:x}", *(f"{value:x}" for value in values))
    except PermissionError:
        to.lacks("cpuid", "root alone may read this")
    except (OSError, struct.error):
        to.lacks("cpuid", "Linux shows it with the module cpuid alone (modprobe cpuid)")


# ---- memory ----

def collect_memory(to):
    ranges = [(to.text(f"sys/firmware/memmap/{name}/start"), to.text(f"sys/firmware/memmap/{name}/end"),
               to.text(f"sys/firmware/memmap/{name}/type")) for name in to.names("sys/firmware/memmap")]
    if not ranges:
        ranges = re.findall(r"^([0-9a-f]+)-([0-9a-f]+) : (.*)$", to.text("proc/iomem"), re.M)
        ranges = [found for found in ranges if found[2].lower() in MEMORY_KINDS]
    known = []
    for start, end, kind in ranges:
        if re.fullmatch("(0x)?[0-9a-f]+", start) and re.fullmatch("(0x)?[0-9a-f]+", end):
            known.append((int(start, 16), int(end, 16), MEMORY_KINDS.get(kind.lower(), "other")))
    if not any(end for _, end, _ in known):
        to.lacks("memory", "root alone may read this")
        return
    for start, end, kind in sorted(known):
        to.add("memory", f"{start:x}", f"{end:x}", kind)


# ---- firmware tables ----

def blank_makers_entries(table):
    """Entries of a MADT whose meaning their maker alone knows become zeros, and the sum is as right as it was."""
    table, at, whole = bytearray(table), MADT_ENTRIES, sum(table)
    while at + 2 <= len(table) and table[at + 1] >= 2:
        length = table[at + 1]
        if table[at] >= MADT_OF_MAKERS:
            table[at + 2:at + length] = bytes(len(table[at + 2:at + length]))
        at += length
    table[9] = (table[9] + whole - sum(table)) % 256
    return bytes(table)


def collect_table(to, name):
    table = to.read(f"sys/firmware/acpi/tables/{name}", "tables")
    if table is None:
        return
    length = struct.unpack_from("<I", table, 4)[0] if len(table) >= TABLE_HEADER else 0
    if not TABLE_HEADER <= length <= min(len(table), TABLE_MAX):
        to.lacks(f"table {name}", "it makes no sense")
        return
    table = table[:length]
    if name == "APIC":
        table = blank_makers_entries(table)
    to.add("table", name, length)
    to.add_bytes(table)


def collect_tables(to):
    if not to.names("sys/firmware/acpi/tables"):
        to.lacks("tables", "this Linux shows none in /sys/firmware/acpi/tables")
    for name in TABLES:
        collect_table(to, name)


# ---- IOMMUs ----

def collect_units(to):
    found = []
    for name in to.names("sys/class/iommu"):
        folder = f"sys/class/iommu/{name}/intel-iommu"
        version = re.fullmatch(r"(\d+):(\d+)", to.text(f"{folder}/version"))
        values = [to.text(f"{folder}/{value}") for value in ("address", "cap", "ecap")]
        if version and all(re.fullmatch("[0-9a-f]{1,16}", value) for value in values):
            address, cap, ecap = (int(value, 16) for value in values)
            found.append((address, int(version[1]) << 4 | int(version[2]), cap, ecap))
    for unit in sorted(found):
        to.add("unit", *(f"{value:x}" for value in unit))
    if not found:
        to.lacks("units", "this Linux does not use the IOMMU: start it with intel_iommu=on, and see that the firmware "
                          "has VT-d switched on")


# ---- PCI ----

def collect_bars(to, folder, config):
    lines = [re.fullmatch("0x([0-9a-f]{16}) 0x([0-9a-f]{16}) 0x([0-9a-f]{16})", line)
             for line in to.text(f"{folder}/resource").splitlines()]
    virtual = collect_config.virtual_count(config)
    for index, found in enumerate(lines):
        if not found or not int(found[2], 16) or not (index in BARS or (virtual and index in VIRTUAL_BARS)):
            continue
        size = int(found[2], 16) - int(found[1], 16) + 1
        to.add("bar", index, f"{size // virtual if index in VIRTUAL_BARS else size:x}")


def collect_function(to, name):
    folder = f"sys/bus/pci/devices/{name}"
    config = to.read(f"{folder}/config")
    if (to.root / folder / "physfn").exists() or config is None:
        return
    if len(config) not in (64, 256, 4096):
        to.lacks("config", "root alone may read more than the first 64 bytes")
        config = config[:64].ljust(64, b"\0")
    elif len(config) == 64:
        to.lacks("config", "root alone may read more than the first 64 bytes")
    to.add("function", name, len(config))
    to.add_bytes(collect_config.known(config))
    if config[collect_config.HEADER_TYPE] & 0x7f <= collect_config.BRIDGE:
        collect_bars(to, folder, config)


def collect_functions(to):
    names = [name for name in to.names("sys/bus/pci/devices") if ADDRESS.fullmatch(name)]
    if not names:
        to.lacks("functions", "this Linux shows no PCI functions in /sys/bus/pci/devices")
    for name in names:
        collect_function(to, name)


def collect(root):
    """The text of the file, and what is missing: {what: why}."""
    to = Collection(root)
    for part in (collect_cpu, collect_memory, collect_tables, collect_units, collect_functions):
        part(to)
    return to.written(), to.missing


# ---- the command ----

def parser():
    made = argparse.ArgumentParser(prog="./bulkhead collect", description=DESCRIPTION, allow_abbrev=False,
                                   usage="./bulkhead collect [--output FILE | --replay FILE]")
    what = made.add_mutually_exclusive_group()
    what.add_argument("--output", metavar="FILE", help="write it here (default: to the terminal)")
    what.add_argument("--replay", metavar="FILE", help="tell what the kernel makes of a machine whose file this is")
    made.add_argument("--root", metavar="DIR", default="/", help=argparse.SUPPRESS)
    return made


def replay(name):
    """Runs the kernel's code over the file; its exit status is that of the program: 0, or 1 if it refuses."""
    cli.build(REPLAY)
    return subprocess.run([cli.built(REPLAY), name], stdin=subprocess.DEVNULL, check=False).returncode


def main(arguments):
    options = parser().parse_args(arguments)
    if options.replay:
        return replay(options.replay)
    text, missing = collect(options.root)
    for what, why in sorted(missing.items()):
        print(f"bulkhead: missing: {what}: {why}", file=sys.stderr)
    if options.output:
        pathlib.Path(options.output).write_text(text, encoding="ascii")
    else:
        sys.stdout.write(text)
    return 0
