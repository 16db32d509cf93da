# SPDX-License-Identifier: BSD-2-Clause
"""The ACPI tables that QEMU's two firmwares really give, taken from guest memory: the kernel has
accepted them, the parsers run over them on the host under ASan and UBSan, and the fuzzer starts there."""

import mmap
import os
import struct
import subprocess

import pytest

from conftest import TOP, make

MACHINES = {
    "default": "",
    "device-iotlb": "device-iotlb=on",
    "aw-bits-39": "aw-bits=39",
}
CANARY = 0x4000000  # asks for guest memory in a file


def tables_in(memory):
    """[(signature, bytes)] of everything the root table lists, found without the kernel's help."""
    at = -1
    while True:
        at = memory.find(b"RSD PTR ", at + 1)
        assert at >= 0, "no root pointer in memory"
        if at % 16 == 0 and sum(memory[at:at + 20]) % 256 == 0:
            break
    if memory[at + 15] < 2:
        root, = struct.unpack_from("<I", memory, at + 16)
        size, form = 4, "<I"
    else:
        root, = struct.unpack_from("<Q", memory, at + 24)
        size, form = 8, "<Q"
    length, = struct.unpack_from("<I", memory, root + 4)
    for entry in range(root + 36, root + length, size):
        table, = struct.unpack_from(form, memory, entry)
        length, = struct.unpack_from("<I", memory, table + 4)
        yield memory[table:table + 4], memory[table:table + length]


def fuzz_input(tables):
    """As tests/fuzz/fuzz_acpi.c reads it: a count, 16-bit offsets, then the memory."""
    offsets, blob = b"", b""
    for _, table in tables:
        offsets += struct.pack("<H", len(blob))
        blob += table
    return bytes([len(tables)]) + offsets + blob


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("door", ("pvh", "uefi"))
def test_real_tables(guest, hello_dma, tmp_path, door, machine):
    make("build/bulkhead.efi")
    fuzzer = make("build/fuzz/acpi")
    ran = guest(hello_dma, firmware=door, devices=["edu"], iommu=MACHINES[machine], canaries=(CANARY,)).run()
    assert ran.status == 0, ran.log
    with open(ran.folder / "memory.img", "rb") as image, mmap.mmap(image.fileno(), 0, access=mmap.ACCESS_READ) as memory:
        tables = list(tables_in(memory))
    assert {b"APIC", b"MCFG", b"DMAR", b"FACP"} <= {signature for signature, _ in tables}
    seeds, found = tmp_path / "seeds", tmp_path / "found"
    seeds.mkdir()
    found.mkdir()
    (seeds / f"{door}-{machine}").write_bytes(fuzz_input(tables))
    seconds = max(1, int(os.environ.get("BULKHEAD_FUZZ_SECONDS", "10")) // 5)
    for words in ([seeds / f"{door}-{machine}"], [f"-max_total_time={seconds}", found, seeds]):
        done = subprocess.run([fuzzer, *words], cwd=TOP, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
        assert done.returncode == 0, done.stdout.decode(errors="replace")[-3000:]
