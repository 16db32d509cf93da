# SPDX-License-Identifier: BSD-2-Clause
"""The UEFI door: both doors tell the same story, images boot as they are, the console is on the
screen, and the loader says one sentence about whatever is wrong on its volume."""

import os
import re
import shlex
import struct
import subprocess
import zlib

import pytest

from bulkhead import disk, esp, firmware
from conftest import TOP, make, timed

BULKHEAD = str(TOP / "bulkhead")


@pytest.fixture(scope="session")
def loader():
    return make("build/bulkhead.efi")


def bulkhead(*words, timeout=180):
    return subprocess.run([BULKHEAD, *map(str, words)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=timeout, check=False)


# The demo

def test_run(kernel, loader, hello_dma):
    """The best of three, because other tests run at the same time."""
    times = []
    while not times or (min(times) >= 10 and len(times) < 3):
        ran, took = timed(lambda: bulkhead("run", "--firmware", "uefi"))
        times.append(took)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert len([line for line in ran.stdout.splitlines() if line.startswith("hello-dma: ")]) == 3
        assert ran.stdout.startswith("bulkhead: starting the kernel"), "what OVMF says is left out"
    assert min(times) < 10


# The door, times, and how much memory the firmware and the loader left.
MAY_DIFFER = re.compile(r"door|time|.*_ns(_.*)?|frames_(total|free)")


def comparable(found):
    """A report without what may differ between the doors."""
    if isinstance(found, dict):
        return {key: comparable(value) for key, value in found.items() if not MAY_DIFFER.fullmatch(key)}
    return [comparable(value) for value in found] if isinstance(found, list) else found


def test_both_doors_tell_the_same(guest, hello_dma, loader):
    """The same machine but for the disk, which the PVH door gets too."""
    reports = []
    for door in ("uefi", "pvh"):
        one = guest(hello_dma, firmware=door, devices=["edu"], config="log-level = debug\nmemlock = 2M\n")
        reports.append(one.run().report.raw)
    assert reports[0]["door"] == "uefi" and reports[1]["door"] == "pvh"
    assert reports[0]["exit"] == {"reason": "payload", "status": 0}
    assert comparable(reports[0]) == comparable(reports[1])


# Images

QEMU = ["qemu-system-x86_64", "-machine", "q35,kernel-irqchip=split", "-cpu", "max", "-m", "512M", "-nodefaults",
        "-display", "none", "-no-reboot", "-bios", firmware.OVMF, "-device", "intel-iommu,intremap=on,aw-bits=48",
        "-device", "edu,dma_mask=0xffffffffffffffff"]


def boot_drive(drive, serial):
    """Plain QEMU with a drive; returns its exit status once the machine has switched itself off."""
    return subprocess.run([*QEMU, "-drive", drive, "-serial", f"file:{serial}"], stdin=subprocess.DEVNULL,
                          timeout=180, check=False).returncode


def demo_lines(serial):
    return [line for line in serial.read_text(errors="replace").splitlines() if line.startswith("hello-dma: ")]


def test_image(tmp_path, kernel, loader, hello_dma):
    made = bulkhead("image", "-o", tmp_path / "disk.img", "hello-dma")
    assert made.returncode == 0, made.stderr
    status = boot_drive(f"format=raw,file={tmp_path}/disk.img", tmp_path / "serial")
    assert status == 0 and len(demo_lines(tmp_path / "serial")) == 3, (tmp_path / "serial").read_text(errors="replace")


def test_commands_of_the_page(tmp_path, kernel, loader, hello_dma):
    """What docs/image.md says that boots the demo does."""
    page = (TOP / "docs/image.md").read_text().replace("\\\n", "")
    make_it, boot_it = (re.search(rf"^    ({start} .*)$", page, re.M)[1] for start in (r"\./bulkhead image -o disk\.img", r"qemu-system\S+"))
    (tmp_path / "bulkhead").symlink_to(BULKHEAD)
    for command in (make_it, boot_it):
        done = subprocess.run(shlex.split(command), cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace", timeout=180, check=False)
        assert done.returncode == 0, done.stdout
    lines = [line for line in done.stdout.splitlines() if line.startswith("hello-dma: ")]
    assert [line.split(":")[1] for line in lines] == [" round trip ok", " interrupt ok", " stray write blocked"], done.stdout


def test_image_with_files_and_config(tmp_path, payload, loader):
    """Everything the command takes ends up where the kernel finds it."""
    (tmp_path / "files").mkdir()
    (tmp_path / "files/note").write_text("from the archive")
    (tmp_path / "conf").write_text("env = GREETING=hello  # a comment")
    made = bulkhead("image", "--device", "edu", "--config", tmp_path / "conf", "--files", tmp_path / "files",
                    "-o", tmp_path / "disk.img", payload("args"), "--", "0", "two words")
    assert made.returncode == 0, made.stderr
    status = boot_drive(f"format=raw,file={tmp_path}/disk.img", tmp_path / "serial")
    text = (tmp_path / "serial").read_text(errors="replace")
    assert status == 0 and "[two words]" in text, text


def test_files_for_an_existing_partition(tmp_path, kernel, loader, hello_dma):
    """--dir leaves alone what other systems have there."""
    other = tmp_path / "esp/EFI/BOOT/BOOTX64.EFI"
    other.parent.mkdir(parents=True)
    other.write_text("another loader")
    made = bulkhead("image", "--device", "edu", "--dir", tmp_path / "esp", "hello-dma")
    assert made.returncode == 0, made.stderr
    assert other.read_text() == "another loader"
    other.write_bytes((tmp_path / "esp/EFI/bulkhead/bulkhead.efi").read_bytes())
    status = boot_drive(f"format=raw,file=fat:rw:{tmp_path}/esp", tmp_path / "serial")
    assert status == 0 and len(demo_lines(tmp_path / "serial")) == 3


def test_equal_images(tmp_path, kernel, loader, hello_dma):
    for name in ("a", "b"):
        assert bulkhead("image", "-o", tmp_path / name, "hello-dma").returncode == 0
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_partition_table(tmp_path, kernel, loader, hello_dma):
    """QEMU's own reader of GPT is none, so the checksums are computed here once more."""
    assert bulkhead("image", "-o", tmp_path / "disk.img", "hello-dma").returncode == 0
    image = (tmp_path / "disk.img").read_bytes()
    sectors = len(image) // 512
    for at, other in ((1, sectors - 1), (sectors - 1, 1)):
        header = bytearray(image[at * 512:at * 512 + 92])
        assert header[:8] == b"EFI PART"
        crc, = struct.unpack_from("<I", header, 16)
        header[16:20] = bytes(4)
        assert zlib.crc32(header) == crc
        here, backup, first, last = struct.unpack_from("<QQQQ", header, 24)
        assert (here, backup) == (at, other)
        table, count, size, table_crc = struct.unpack_from("<QIII", header, 72)
        entries = image[table * 512:table * 512 + count * size]
        assert zlib.crc32(entries) == table_crc
        start, end = struct.unpack_from("<QQ", entries, 32)
        assert first <= start < end <= last
        assert image[start * 512 + 82:start * 512 + 87] == b"FAT32"


MISTAKES = {
    "no target": (["hello-dma"], "one of the arguments -o/--output --dir is required"),
    "no payload": (["-o", "x"], "the following arguments are required"),
    "no such payload": (["-o", "x", "./nowhere.elf"], "no such payload"),
    "no such example": (["-o", "x", "nowhere"], "no example 'nowhere'"),
    "no such config": (["-o", "x", "--config", "nowhere", "hello-dma"], "cannot read nowhere"),
    "no such files": (["-o", "x", "--files", "nowhere", "hello-dma"], "--files nowhere is not a folder"),
    "unwritable": (["-o", "/nowhere/x", "hello-dma"], "/nowhere/x"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_image_mistakes(name, kernel, loader, hello_dma):
    words, sentence = MISTAKES[name]
    made = bulkhead("image", *words)
    assert made.returncode != 0 and sentence in made.stderr, made.stderr
    assert "Traceback" not in made.stderr


# What is wrong on the volume

def remove(tree, name):
    (tree / name).unlink()


def truncate(tree, name, size):
    (tree / name).write_bytes((tree / name).read_bytes()[:size])


def damage(tree, name, at, value):
    data = bytearray((tree / name).read_bytes())
    data[at:at + len(value)] = value
    (tree / name).write_bytes(data)


def grow(tree, name, size):
    (tree / name).write_bytes(bytes(size))


def rename(tree, name, new):
    (tree / name).rename(tree / new)


def copy_file(tree, name, new):
    (tree / new).write_bytes((tree / name).read_bytes())


KERNEL, PAYLOAD, CONFIG = "bulkhead/kernel.elf", "bulkhead/payload.elf", "bulkhead/bulkhead.conf"

REFUSALS = {
    "no folder": (rename, ["bulkhead", "else"], r"there is no folder \\bulkhead on the volume the loader came from"),
    "no kernel": (remove, [KERNEL], r"\\bulkhead\\kernel.elf is missing"),
    "empty kernel": (truncate, [KERNEL, 0], r"\\bulkhead\\kernel.elf cannot be loaded: it is truncated: too short for an ELF header"),
    "truncated kernel": (truncate, [KERNEL, 100000],
                         r"\\bulkhead\\kernel.elf cannot be loaded: it is truncated: a segment lies beyond its end"),
    "foreign kernel": (damage, [KERNEL, 18, b"\xb7"], r"\\bulkhead\\kernel.elf cannot be loaded: it is built for another machine than x86-64"),
    "no ELF": (damage, [KERNEL, 0, b"MZ"], r"\\bulkhead\\kernel.elf cannot be loaded: it is not an ELF file"),
    "bad entry": (damage, [KERNEL, 24, bytes(8)], r"\\bulkhead\\kernel.elf cannot be loaded: its entry point lies in no executable segment"),
    "no payload": (remove, [PAYLOAD], r"there is no payload: \\bulkhead\\payload.elf or archive.cpio"),
    "two payloads": (copy_file, [PAYLOAD, "bulkhead/archive.cpio"],
                     r"there are two payloads: \\bulkhead\\payload.elf and archive.cpio"),
    "large configuration": (grow, [CONFIG, 65537], r"\\bulkhead\\bulkhead.conf is larger than 65536 bytes"),
    "large payload": (grow, [PAYLOAD, 260 << 20],
                      r"\\bulkhead\\payload.elf \(272629760 bytes\) does not fit in memory"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_loader_refuses(name, guest, hello_dma, loader):
    change, words, sentence = REFUSALS[name]
    one = guest(hello_dma, firmware="uefi", devices=["edu"], memory="256M")
    change(one.folder / "esp", *words)
    disk.write(one.folder / "disk.img", one.folder / "esp")
    one.start().wait_for("cannot start: ")
    one.wait_until(lambda: re.search(rf"bulkhead: cannot start: {sentence}\n", one.serial), sentence)
    (one.folder / "disk.img").unlink()


def test_run_ends_when_the_loader_gives_up(tmp_path, loader, hello_dma):
    """The firmware would wait at its menu; ./bulkhead run does not. A good program, but for what hangs behind it."""
    (tmp_path / "large.elf").write_bytes(hello_dma.read_bytes())
    os.truncate(tmp_path / "large.elf", 260 << 20)
    ran = bulkhead("run", "--firmware", "uefi", "--memory", "256M", tmp_path / "large.elf")
    assert ran.returncode == 125
    assert "the loader cannot start the kernel: \\bulkhead\\payload.elf (272629760 bytes) does not fit in memory" in ran.stderr


# Load options

def test_load_options(guest, hello_dma, loader):
    """Those of the boot entry come behind \\bulkhead\\options, without the program's name."""
    one = guest(hello_dma, firmware="uefi", devices=["edu"])
    (one.folder / "esp/startup.nsh").write_bytes(
        "fs0:\r\n\\EFI\\bulkhead\\bulkhead.efi no-such-key=1\r\n".encode("utf-16"))
    (one.folder / "esp/EFI/bulkhead").mkdir()
    (one.folder / "esp/EFI/BOOT/BOOTX64.EFI").rename(one.folder / "esp/EFI/bulkhead/bulkhead.efi")
    words = len((one.folder / "esp/bulkhead/options").read_text().split())
    disk.write(one.folder / "disk.img", one.folder / "esp")
    one.run()
    assert f"command line, word {words + 1}: unknown key 'no-such-key'" in one.serial, one.log


# The screen

FONT = re.compile(r"\['(\\?.)' - ' '\] = \"([.#|]+)\"")
CELL_WIDTH, CELL_HEIGHT = 8, 16


def read_font():
    """Letter cells as the console draws them (a byte per pixel), from the drawings in the source."""
    cells = {}
    for letter, art in FONT.findall((TOP / "kernel/machine/console/font.c").read_text()):
        rows = [f".{row}.." for row in art.split("|") for _ in range(2)]
        cells[bytes(255 if pixel == "#" else 0 for pixel in "".join(rows))] = letter[-1]
    assert len(cells) == 95
    return cells


def read_screen(path):
    """A screen dump (PPM) as lines of text; cells that are no letter become U+FFFD."""
    magic, size, depth, pixels = path.read_bytes().split(b"\n", 3)
    assert magic == b"P6" and depth == b"255"
    width, height = map(int, size.split())
    gray, cells, lines = pixels[0::3], read_font(), []
    for top in range(0, height // CELL_HEIGHT * CELL_HEIGHT, CELL_HEIGHT):
        rows = [gray[(top + y) * width:(top + y + 1) * width] for y in range(CELL_HEIGHT)]
        line = "".join(cells.get(b"".join(row[left:left + CELL_WIDTH] for row in rows), "\ufffd")
                       for left in range(0, width // CELL_WIDTH * CELL_WIDTH, CELL_WIDTH))
        lines.append(line.rstrip())
    return lines


def test_panic_on_the_screen(guest, hello_dma, loader, test_kernel):
    """A machine without any serial port."""
    one = guest(hello_dma, firmware="uefi", devices=["edu"], qmp=True, qemu_args=["-device", "VGA"], args=["panic"],
                kernel=test_kernel)
    at = next(i for i, word in enumerate(one.command) if word.startswith("isa-debug-exit"))
    del one.command[at - 1:at + 1]
    at = one.command.index("-serial")
    del one.command[at:at + 2]
    one.start()
    dump = one.folder / "screen.ppm"

    def shown():
        one.qmp.execute("screendump", filename=str(dump))
        return any("halted" in line for line in read_screen(dump))

    one.wait_until(shown, "'halted' on the screen")
    lines = read_screen(dump)
    assert any("KERNEL PANIC: asked for by the test" in line for line in lines), lines
    assert any("kernel_main+0x" in line for line in lines), lines
    assert not any("\ufffd" in line for line in lines), lines


# The serial console

def acpi_table(signature, body):
    """A table for QEMU's -acpitable file=: header and all."""
    table = bytearray(signature + (36 + len(body)).to_bytes(4, "little") + b"\x02\0BULKHDTEST    \x01\0\0\0TEST\x01\0\0\0" + body)
    assert len(table) == 36 + len(body)
    table[9] = -sum(table) & 0xff
    return bytes(table)


def spcr(space, address):
    """Serial port console redirection: a 16550 at a generic address."""
    body = bytearray(80 - 36)
    body[4:16] = bytes([space, 8, 0, 1]) + address.to_bytes(8, "little")
    return acpi_table(b"SPCR", bytes(body))


def second_port(one):
    path = one.folder / "second.log"
    one.command += ["-serial", f"file:{path}"]
    return path


def test_console_of_the_spcr_table(guest, hello_dma):
    one = guest(hello_dma, devices=["edu"])
    (one.folder / "spcr").write_bytes(spcr(1, 0x2f8))
    one.command += ["-acpitable", f"file={one.folder}/spcr"]
    path = second_port(one)
    one.run()
    assert "iommu0 at" in path.read_text() and "iommu0 at" not in one.serial


def test_configured_console_beats_the_spcr_table(guest, hello_dma):
    one = guest(hello_dma, devices=["edu"], settings=[("console", "0x3f8")])
    (one.folder / "spcr").write_bytes(spcr(1, 0x2f8))
    one.command += ["-acpitable", f"file={one.folder}/spcr"]
    path = second_port(one)
    one.run()
    assert path.read_text() == "" and "iommu0 at" in one.serial


@pytest.mark.parametrize("who", ["the SPCR table", "the key 'console'"])
def test_console_where_nothing_answers(guest, hello_dma, who):
    """It must not take the console away that there is."""
    one = guest(hello_dma, devices=["edu"], settings=[("console", "0x2f8")] if "key" in who else [])
    (one.folder / "spcr").write_bytes(spcr(1, 0x2e8))
    one.command += ["-acpitable", f"file={one.folder}/spcr"]
    one.run()
    port = "0x2f8" if "key" in who else "0x2e8"
    assert one.serial.count(f"no serial port answers at I/O port {port}, which {who} names: it is not used\n") == 1, one.log
    assert "iommu0 at" in one.serial and one.status == 0, one.log


def test_console_in_memory_is_named(guest, hello_dma):
    one = guest(hello_dma, devices=["edu"])
    (one.folder / "spcr").write_bytes(spcr(0, 0xfedc0000))
    one.command += ["-acpitable", f"file={one.folder}/spcr"]
    one.run()
    assert "the SPCR table's console is not at an I/O port and is not used" in one.serial


# Firmware that is not as OVMF is

def behind(guest, hello_dma, application, files=()):
    """A guest whose disk starts a test application (tests/qemu/efi), which starts the loader."""
    one = guest(hello_dma, firmware="uefi", devices=["edu"])
    tree = one.folder / "esp"
    esp.put(tree, esp.INSTALLED, (tree / esp.REMOVABLE).read_bytes())
    esp.put(tree, esp.REMOVABLE, make(f"build/tests/{application}.efi"))
    for name, content in files:
        (tree / "EFI/bulkhead" / name).write_bytes(content)
    disk.write(one.folder / "disk.img", tree)
    return one


def test_five_level_firmware(guest, hello_dma, loader):
    one = behind(guest, hello_dma, "five-level").run()
    assert "five-level: on" in one.serial and one.status == 0, one.log


def test_memory_map_that_changes(guest, hello_dma, loader):
    """The firmware lets go at the fourth time only."""
    one = behind(guest, hello_dma, "stubborn", [("stubborn", b"c")]).run()
    assert "stubborn: on" in one.serial and one.status == 0, one.log


@pytest.mark.parametrize("letter, sentence", [
    ("n", "the firmware does not let go of the machine"),
    ("b", "bus mastering cannot be switched off on 1 PCI functions"),
])
def test_firmware_that_does_not_obey(guest, hello_dma, loader, letter, sentence):
    one = behind(guest, hello_dma, "stubborn", [("stubborn", letter.encode())]).start()
    one.wait_for(f"bulkhead: cannot start: {sentence}\n")
    assert "info" not in one.serial  # of the kernel
