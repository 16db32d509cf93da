# SPDX-License-Identifier: BSD-2-Clause
"""Guests whose ACPI tables are not as they should be: writes what tests/qemu/efi/patch.c reads."""

import struct

from bulkhead import disk, esp
from conftest import make

TABLE, ENTRY = 1, 2
NOTHING = b"\0\0\0\0"


def record(kind, signature, offset, value, data=b"", mend=True):
    return struct.pack("<BB4sIQI", kind, mend, signature, offset, value, len(data)) + data


def table(signature, offset, data, mend=True):
    """Bytes of a table, which gets a right checksum unless mend is False."""
    return record(TABLE, signature, offset, 0, data, mend)


def entry(index, signature=NOTHING, value=0):
    """An entry of the XSDT leads to the table with a signature (plus value), or to an address."""
    return record(ENTRY, signature, index, value)


def patched(guest, program, patches, **options):
    """A guest that boots through UEFI with patched tables; not started yet."""
    make("build/bulkhead.efi")
    one = guest(program, firmware="uefi", **options)
    tree = one.folder / "esp"
    esp.put(tree, esp.INSTALLED, (tree / esp.REMOVABLE).read_bytes())
    esp.put(tree, esp.REMOVABLE, make("build/tests/patch.efi"))
    esp.put(tree, "EFI/bulkhead/patches", b"".join(patches))
    disk.write(one.folder / "disk.img", tree)
    return one
