# SPDX-License-Identifier: BSD-2-Clause
"""Real ACPI tables, read out of a guest's memory after it ran, as a corpus for the fuzz target of the
parsers: as they are, then changed at random for a while."""

import struct
import subprocess

import pytest

from conftest import make

CANARY = 0x8000000  # asked for only because the guest's memory is then a file
BLOB_MAX = 0x10000


def checksum_ok(data):
    return data and sum(data) % 256 == 0


def root_tables(ran, memory):
    """Addresses of all tables, from every root pointer whose checksum is right."""
    at = memory.find(b"RSD PTR ")
    while at >= 0:
        pointer = memory[at:at + 36]
        if at % 16 == 0 and checksum_ok(pointer[:20]):
            wide = pointer[15] >= 2 and checksum_ok(pointer)
            root = struct.unpack_from("<Q", pointer, 24)[0] if wide else struct.unpack_from("<I", pointer, 16)[0]
            header = ran.read_memory(root, 36)
            length = struct.unpack_from("<I", header, 4)[0]
            if checksum_ok(ran.read_memory(root, length)):
                body = ran.read_memory(root + 36, length - 36)
                return list(struct.unpack(f"<{len(body) // (8 if wide else 4)}{'Q' if wide else 'I'}", body))
        at = memory.find(b"RSD PTR ", at + 1)
    raise AssertionError("no root pointer in the guest's memory")


def as_fuzz_input(tables):
    """What fuzz_acpi.c takes: their number, an offset for each, and the memory that holds them."""
    offsets, blob = [], b""
    for table in tables:
        offsets.append(len(blob))
        blob += table + bytes(-len(table) % 8)
    assert len(blob) <= BLOB_MAX
    return bytes([len(tables)]) + b"".join(struct.pack("<H", offset) for offset in offsets) + blob


@pytest.mark.parametrize("firmware", ["pvh", "uefi"])
def test_corpus(guest, hello_dma, tmp_path, firmware):
    make("build/bulkhead.efi")
    ran = guest(hello_dma, devices=["edu"], firmware=firmware, canaries=(CANARY,)).run()
    assert ran.status == 0, ran.log
    memory = (ran.folder / "memory.img").read_bytes()
    tables = []
    for address in root_tables(ran, memory):
        length = struct.unpack_from("<I", ran.read_memory(address, 8), 4)[0]
        tables.append(ran.read_memory(address, length))
    assert {b"FACP", b"APIC", b"MCFG", b"DMAR"} <= {table[:4] for table in tables}
    assert all(map(checksum_ok, tables))
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "all").write_bytes(as_fuzz_input([table for table in tables if len(table) < 4096]))
    done = subprocess.run([make("build/fuzz/acpi"), "-runs=20000", "-max_len=8192", corpus], cwd=tmp_path,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
