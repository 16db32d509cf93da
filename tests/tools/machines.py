# SPDX-License-Identifier: BSD-2-Clause
"""Machines of our own as files of ./bulkhead collect: firmware tables and functions from a few words."""

import struct

from bulkhead import collect

ENDPOINT, BRIDGE, IO_APIC = 1, 2, 3  # device scopes
ROOT_PORT, EXPRESS_ENDPOINT = 4, 0
# QEMU's, with 48-bit addresses.
CAP, ECAP = 0x00d2008c222f0606, 0x0000000000f00f4a
MEMORY = ((0, 0x9ffff, "ram"), (0x100000, 0x7fffffff, "ram"), (0xb0000000, 0xcfffffff, "reserved"))


def table(signature, body):
    head = struct.pack("<4sIBB6s8sI4sI", signature, 36 + len(body), 1, 0, b"OWN", b"MACHINE", 1, b"OWN", 1)
    content = bytearray(head + body)
    content[9] = -sum(content) % 256
    return bytes(content)


def scope(kind, bus, device, function, number=0):
    return struct.pack("<BBHBBBB", kind, 8, 0, number, bus, device, function)


def unit(base, segment=0, rest=True, scopes=b""):
    return struct.pack("<HHBBHQ", 0, 16 + len(scopes), rest, 0, segment, base) + scopes


def region(base, last, scopes, segment=0):
    return struct.pack("<HHHHQQ", 1, 24 + len(scopes), 0, segment, base, last) + scopes


def dmar(*structures, remaps=True):
    return table(b"DMAR", struct.pack("<BB10x", 45, remaps) + b"".join(structures))


def madt(*entries):
    io_apic = struct.pack("<BBBBII", 1, 12, 2, 0, 0xfec00000, 0)
    return table(b"APIC", struct.pack("<II", 0xfee00000, 1) + io_apic + b"".join(entries))


def mcfg(segments=1):
    return table(b"MCFG", bytes(8) + b"".join(struct.pack("<QHBB4x", 0xb0000000 + (n << 28), n, 0, 255)
                                              for n in range(segments)))


def function(ids, code, bars=(), bridge=None, express=None, access_control=0):
    """(configuration space, sizes of BARs): bars are (address, size), bridge (secondary, subordinate, window)."""
    config = bytearray(4096 if express is not None else 256)
    struct.pack_into("<HHHHI", config, 0, *ids, 6, 0x10 if express is not None else 0, code << 8)
    for index, (address, _) in enumerate(bars):
        struct.pack_into("<I", config, 0x10 + 4 * index, address)
    if bridge:
        secondary, subordinate, (first, last) = bridge
        config[0x0e], config[0x19], config[0x1a] = 1, secondary, subordinate
        struct.pack_into("<BB2xHHHH", config, 0x1c, 0xf0, 0, first >> 16 & 0xfff0, last >> 16 & 0xfff0, 0xfff0, 0)
    if express is not None:
        config[0x34] = 0x40
        struct.pack_into("<BBH", config, 0x40, 0x10, 0, 2 | express << 4)
    if access_control:
        struct.pack_into("<IH", config, 0x100, 0x1000d, access_control)
    return bytes(config), [size for _, size in bars]


HOST_BRIDGE = function((0x8086, 0x1234), 0x060000)
PORT = function((0x8086, 0x2345), 0x060400, bridge=(1, 1, (0xe0000000, 0xe00fffff)), express=ROOT_PORT)
CARD = function((0x8086, 0x3456), 0x020000, bars=[(0xe0000000, 0x10000)], express=EXPRESS_ENDPOINT)
FUNCTIONS = {"0000:00:00.0": HOST_BRIDGE, "0000:00:1c.0": PORT, "0000:01:00.0": CARD}


def text(tables, units=((0xfed90000, CAP, ECAP),), functions=FUNCTIONS, memory=MEMORY):
    to = collect.Collection("/")
    for first, last, kind in memory:
        to.add("memory", f"{first:x}", f"{last:x}", kind)
    for content in tables:
        to.add("table", content[:4].decode(), len(content))
        to.add_bytes(content)
    for base, cap, ecap in units:
        to.add("unit", f"{base:x}", "10", f"{cap:x}", f"{ecap:x}")
    for name, (config, sizes) in sorted(functions.items()):
        to.add("function", name, len(config))
        to.add_bytes(config)
        for index, size in enumerate(sizes):
            to.add("bar", index, f"{size:x}")
    return to.written()
