# SPDX-License-Identifier: BSD-2-Clause
"""Which bytes of configuration space ./bulkhead collect writes: those that are named here, and no others. So nothing
of a device that tells one copy of it from the next (serial numbers, addresses of network cards, vital product data)
can get into the file, wherever its maker put it."""

import struct

CAPABILITIES, EXTENDED, HEADER = 0x34, 0x100, 0x40
STATUS, STATUS_LIST, HEADER_TYPE = 0x06, 1 << 4, 0x0e
EXPRESS, MSI, REBAR, SRIOV = 0x10, 0x05, 0x15, 0x10
BRIDGE = 1
UNNAMED, UNNAMED_EXTENDED = 2, 4  # of other capabilities: id and the way on
# Bytes of a capability that are written, its header among them. What is not fixed has a function below.
SIZES = {
    0x01: 8,   # power management
    0x03: 2,   # vital product data: where it is, and nothing of it
    0x09: 3,   # of the vendor's own: how long it is
    0x0d: 8,   # subsystem of a bridge
    0x11: 12,  # MSI-X
    0x13: 6,   # advanced features
}
# Errors without the headers of transactions; access control also where its registers are dwords.
EXTENDED_RANGES = {
    0x0001: ((0x00, 0x1c), (0x2c, 0x38)),
    0x000b: ((0x00, 0x08),),  # of the vendor's own: which, and how long
    0x000d: ((0x00, 0x0c),),
    0x000e: ((0x00, 0x08),),  # alternative routing ids
    0x000f: ((0x00, 0x08),),  # address translation services
    0x0010: ((0x00, 0x40),),  # virtual functions
    0x0013: ((0x00, 0x10),),  # page requests
    0x0018: ((0x00, 0x08),),  # latency tolerance
    0x001b: ((0x00, 0x08),),  # process address spaces
    0x001d: ((0x00, 0x10),),  # containment
    0x001e: ((0x00, 0x10),),  # low-power states of the link
    0x001f: ((0x00, 0x0c),),  # time measurement
    0x0023: ((0x00, 0x0a),),  # of a vendor or consortium: whose, and which
}
# Registers of chipsets by vendor and device, as the table of quirks asks for them (kernel/pci/quirks.c).
CHIPSETS = dict.fromkeys(((0x8086, 0x0040), (0x8086, 0x0062), (0x8086, 0x006a)), (0x52, 0x54))  # control of graphics


def word(config, at):
    return struct.unpack_from("<H", config, at)[0]


def dword(config, at):
    return struct.unpack_from("<I", config, at)[0]


def size_of_express(config, at):
    """Version 1 has the registers of its kind of function alone."""
    flags = word(config, at + 2)
    if flags & 15 >= 2:
        return 0x3c
    return {4: 0x24, 6: 0x1c, 10: 0x24}.get(flags >> 4 & 15, 0x14)


def size_of_msi(config, at):
    control = word(config, at + 2)
    return 10 + (4 if control & 0x80 else 0) + (10 if control & 0x100 else 0)


def size_of(config, at):
    """Of a capability in the first 256 bytes."""
    if at + 4 <= 0x100 and config[at] in (EXPRESS, MSI):
        return (size_of_express if config[at] == EXPRESS else size_of_msi)(config, at)
    return SIZES.get(config[at], UNNAMED)


def ranges_of(config, at):
    """Of an extended capability."""
    number = word(config, at)
    if number == REBAR and at + 12 <= len(config):
        return ((0, 4 + 8 * (dword(config, at + 8) >> 5 & 7)),)
    return EXTENDED_RANGES.get(number, ((0, UNNAMED_EXTENDED),))


def places(config):
    """[(offset, extended)] of all capabilities; lists that run in circles end."""
    found, at = [], config[CAPABILITIES] & 0xfc if word(config, STATUS) & STATUS_LIST else 0
    while HEADER <= at <= 0xfe and (at, False) not in found:
        found.append((at, False))
        at = config[at + 1] & 0xfc
    at = EXTENDED
    while EXTENDED <= at <= len(config) - 4 and dword(config, at) not in (0, 0xffffffff) and (at, True) not in found:
        found.append((at, True))
        at = dword(config, at) >> 20 & 0xffc
    return found


def known(config):
    """A copy with zeros wherever nothing is named. A capability ends where the next one begins."""
    shown = bytearray(len(config))
    shown[:HEADER] = config[:HEADER]
    if len(config) == HEADER:
        return bytes(shown)
    found = places(config)
    starts = sorted([at for at, _ in found] + [EXTENDED, len(config)])
    for at, extended in found:
        end = next(start for start in starts if start > at)
        for first, last in ranges_of(config, at) if extended else ((0, size_of(config, at)),):
            last = min(at + last, end)
            shown[at + first:last] = config[at + first:last]
    first, last = CHIPSETS.get((word(config, 0), word(config, 2)), (0, 0))
    shown[first:last] = config[first:last]
    return bytes(shown)


def virtual_count(config):
    """How many virtual functions a function may have, by its configuration space."""
    for at, extended in places(config) if len(config) > EXTENDED else ():
        if extended and word(config, at) == SRIOV and at + 0x10 <= len(config):
            return word(config, at + 0x0e)
    return 0
