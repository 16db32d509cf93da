# SPDX-License-Identifier: BSD-2-Clause
"""./bulkhead collect: what it writes of a machine, that it writes nothing else, and what the kernel makes of such files."""

import pathlib
import re
import struct
import subprocess
import sys

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TOP / "tools"), str(TOP / "tests/tools")]

from bulkhead import cli, collect, collect_config  # noqa: E402
import machines  # noqa: E402

DATA = TOP / "tests/replay/data"
SECRET = b"\xde\xad\xfa\xce\x00\x1b\x21\xaa\xbb\xcc"

# ---- what is written ----

CPUINFO = """processor\t: 0
vendor_id\t: GenuineIntel
cpu family\t: 6
model\t\t: 158
model name\t: Intel(R) Core(TM) of somebody's
stepping\t: 10
microcode\t: 0xf0
flags\t\t: fpu lm nx smep la57 a-secret-flag
address sizes\t: 39 bits physical, 48 bits virtual

processor\t: 1
model\t\t: 7
"""


def extended(number, following):
    return struct.pack("<I", number | 1 << 16 | following << 20)


def secretive_config():
    """A network card whose configuration space has its serial number wherever one can be."""
    config = bytearray(SECRET * 410)[:4096]
    config[:0x40] = bytes(0x40)
    struct.pack_into("<HHHHI", config, 0, 0x8086, 0x10d3, 7, 0x10, 0x02000000)
    config[0x34] = 0x40
    for at, header in ((0x40, b"\x01\x50"), (0x50, b"\x03\x60"), (0x60, b"\x09\x70\x10"), (0x70, b"\x10\x90\x02\x00"),
                       (0x90, b"\x05\xa0\x80\x01"), (0xa0, b"\x12\x00")):
        config[at:at + len(header)] = header
    config[0x44:0x48], config[0x74:0x70 + 0x20] = bytes(4), bytes(0x1c)
    config[0x42:0x44], config[0x94:0x90 + 0x10] = bytes(2), bytes(0x0c)
    for at, number, following in ((0x100, 3, 0x110), (0x110, 0xb, 0x130), (0x130, 1, 0x180), (0x180, 0xd, 0x18c), (0x18c, 0x9999, 0)):
        config[at:at + 4] = extended(number, following)
    config[0x114:0x118], config[0x134:0x14c], config[0x15c:0x168], config[0x184:0x18c] = bytes(4), bytes(24), bytes(12), bytes(8)
    return bytes(config)


@pytest.fixture
def machine(tmp_path):
    """A folder like / of a Linux."""
    files = {
        "proc/cpuinfo": CPUINFO, "etc/hostname": "secret-host",
        "sys/firmware/memmap/0/start": "0x0\n", "sys/firmware/memmap/0/end": "0x9fbff\n", "sys/firmware/memmap/0/type": "System RAM\n",
        "sys/firmware/memmap/1/start": "0xfd000000\n", "sys/firmware/memmap/1/end": "0xfdffffff\n",
        "sys/firmware/memmap/1/type": "secret-type\n",
        "sys/firmware/acpi/tables/DMAR": machines.dmar(machines.unit(0xfed90000)),
        "sys/firmware/acpi/tables/APIC": machines.madt(b"\x80\x0c" + SECRET),
        "sys/firmware/acpi/tables/SSDT1": machines.table(b"SSDT", SECRET),
        "sys/firmware/acpi/tables/MSDM": machines.table(b"MSDM", b"the key of an operating system"),
        "sys/class/iommu/dmar0/intel-iommu/address": "fed90000\n", "sys/class/iommu/dmar0/intel-iommu/version": "1:0\n",
        "sys/class/iommu/dmar0/intel-iommu/cap": "d2008c222f0606\n", "sys/class/iommu/dmar0/intel-iommu/ecap": "f00f4a\n",
        "sys/bus/pci/devices/0000:00:1f.6/config": secretive_config(), "sys/bus/pci/devices/0000:00:1f.6/vpd": SECRET,
        "sys/bus/pci/devices/0000:00:1f.6/resource":
            "0x00000000fe000000 0x00000000fe01ffff 0x0000000000040200\n" + "0x0000000000000000 0x0000000000000000 0x0000000000000000\n" * 6,
        "sys/class/net/eth0/address": "00:1b:21:aa:bb:cc\n", "sys/class/dmi/id/product_serial": "secret-serial\n",
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return tmp_path


def test_what_is_written(machine):
    text, missing = collect.collect(machine)
    lines = text.splitlines()
    assert list(missing) == ["cpuid"]
    assert lines[:2] == ["bulkhead-machine 1", "missing cpuid: Linux shows it with the module cpuid alone (modprobe cpuid)"]
    assert lines[2:10] == ["cpu vendor GenuineIntel", "cpu family 6", "cpu model 158", "cpu stepping 10", "cpu address-bits 39 48",
                           "cpu flags lm nx smep la57", "memory 0 9fbff ram", "memory fd000000 fdffffff other"]
    assert "unit fed90000 10 d2008c222f0606 f00f4a" in lines and "function 0000:00:1f.6 4096" in lines
    assert [line for line in lines if line.startswith(("table", "bar", "end"))] == ["table DMAR 64", "table APIC 68", "bar 0 20000", "end"]


def test_nothing_else_is_written(machine):
    """Neither the secret nor a piece of it, wherever it was."""
    text, _ = collect.collect(machine)
    written = b"".join(bytes.fromhex(found) for found in re.findall(r"^bytes \w+ (\w+)$", text, re.M))
    assert "secret" not in text and "somebody" not in text and "f0\n" not in text
    assert not [piece for at in range(len(SECRET) - 2) if (piece := SECRET[at:at + 3]) in written]


def test_a_wrong_sum_hides_nothing():
    table = bytearray(machines.madt(b"\x80\x0c" + SECRET))
    table[9] ^= 1
    blank = collect.blank_makers_entries(bytes(table))
    assert SECRET[:4] not in blank and sum(blank) % 256 == sum(table) % 256 != 0


def test_known_capabilities_are_written_whole():
    config = secretive_config()
    shown = collect_config.known(config)
    assert len(shown) == len(config)
    for first, last in ((0, 0x40), (0x40, 0x48), (0x60, 0x63), (0x70, 0x90), (0x130, 0x14c), (0x15c, 0x168), (0x180, 0x18c)):
        assert shown[first:last] == config[first:last]
    for first, last in ((0x52, 0x60), (0x63, 0x70), (0xa2, 0x100), (0x104, 0x110), (0x118, 0x130), (0x14c, 0x15c), (0x190, 0x1000)):
        assert not any(shown[first:last]), hex(first)


def test_a_capability_does_not_cover_the_next_one():
    """The registers of PCI Express would reach into a serial number that begins before their end."""
    config = bytearray(4096)
    struct.pack_into("<HHHHI", config, 0, 0x8086, 0x10d3, 7, 0x10, 0x02000000)
    config[0x34], config[0x40:0x44], config[0x60:0x62] = 0x40, b"\x10\x60\x02\x00", b"\x12\x00"
    config[0x62:0x6c] = SECRET
    assert SECRET[:2] not in collect_config.known(bytes(config))


def test_what_quirks_ask_of_chipsets_is_written():
    """Every register that a row of the table names, of the device that it is for."""
    rows = re.findall(r"\{QUIRK_NO_GRAPHICS_UNIT, 0x8086, (0x\w+), 0, (0x\w+)", (TOP / "kernel/pci/quirks.c").read_text())
    assert rows
    for device, register in rows:
        config = bytearray(b"\xff" * 256)
        struct.pack_into("<HHHHI", config, 0, 0x8086, int(device, 16), 7, 0, 0x06000000)
        shown = collect_config.known(bytes(config))
        assert shown[0x40:] == bytes(int(register, 16) - 0x40) + b"\xff\xff" + bytes(256 - int(register, 16) - 2)


@pytest.mark.parametrize("mess", [b"\xff" * 4096, b"\x10" * 4096, bytes(4096), b"\xff" * 256, b"\x40\x10" * 128])
def test_lists_of_capabilities_that_make_no_sense(mess):
    assert len(collect_config.known(mess)) == len(mess)


def test_a_user_gets_what_can_be_had(machine, monkeypatch):
    read = pathlib.Path.read_bytes

    def read_as_user(path):
        if "firmware" in path.parts:
            raise PermissionError(str(path))
        return read(path)[:64] if path.name == "config" else read(path)

    monkeypatch.setattr(pathlib.Path, "read_bytes", read_as_user)
    text, missing = collect.collect(machine)
    assert {what: missing[what] for what in ("tables", "memory", "config")} == {
        "tables": "root alone may read this", "memory": "root alone may read this",
        "config": "root alone may read more than the first 64 bytes"}
    assert "missing tables: root alone may read this\n" in text and "function 0000:00:1f.6 64\n" in text


def test_the_command(machine):
    for words in ((), ("--output", machine / "out.txt")):
        ran = subprocess.run([sys.executable, "-m", "bulkhead", "collect", "--root", machine, *words], cwd=TOP, check=True,
                             env={"PYTHONPATH": str(TOP / "tools")}, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        assert ran.stderr.startswith("bulkhead: missing: cpuid: ")
        assert (ran.stdout or (machine / "out.txt").read_text()) == collect.collect(machine)[0]


# ---- what the kernel makes of it ----

@pytest.fixture(scope="module")
def replay():
    assert cli.make(collect.REPLAY)
    return lambda file: subprocess.run([cli.built(collect.REPLAY), file], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                       check=False)


@pytest.fixture
def replayed(replay, tmp_path):
    def run(text):
        (tmp_path / "machine.txt").write_text(text)
        return replay(tmp_path / "machine.txt")
    return run


PLAIN = [machines.dmar(machines.unit(0xfed90000)), machines.madt(), machines.mcfg()]


def test_what_was_written_can_be_read(machine, replayed):
    ran = replayed(collect.collect(machine)[0])
    assert (ran.returncode, ran.stdout.splitlines()[-1]) == (1, "verdict: refused: ACPI has no MCFG table, so PCI configuration "
                                                                "space cannot be reached"), ran.stderr


def test_a_machine(replayed):
    ran = replayed(machines.text(PLAIN))
    assert ran.returncode == 0 and "iommu0 at 0xfed90000: 48-bit addresses" in ran.stdout, ran.stderr
    assert "device 0000:01:00.0 8086:3456 class 020000 endpoint\n  below 0000:00:1c.0\n" in ran.stdout
    assert ran.stdout.splitlines()[-4:] == [
        "verdict 0000:00:00.0 iommu0 assignable", "verdict 0000:00:1c.0 iommu0 bridge", "verdict 0000:01:00.0 iommu0 assignable",
        "verdict: the kernel starts"]


def test_a_server_of_two_segments(replayed):
    """Each with a unit of its own; in the first one another unit takes what is below the port."""
    below = machines.scope(machines.BRIDGE, 0, 0x1c, 0)
    tables = [machines.dmar(machines.unit(0xfed80000, rest=False, scopes=below), machines.unit(0xfed90000),
                            machines.unit(0xfeda0000, segment=1)), machines.madt(), machines.mcfg(2)]
    units = [(base, machines.CAP, machines.ECAP) for base in (0xfed80000, 0xfed90000, 0xfeda0000)]
    functions = {**machines.FUNCTIONS, "0001:00:00.0": machines.HOST_BRIDGE}
    ran = replayed(machines.text(tables, units, functions))
    assert ran.returncode == 0, ran.stdout + ran.stderr
    for line in ("0000:00:00.0 iommu1", "0000:00:1c.0 iommu0", "0000:01:00.0 iommu0", "0001:00:00.0 iommu2"):
        assert f"verdict {line} " in ran.stdout, ran.stdout


REFUSED = {
    "no unit": ([PLAIN[1], PLAIN[2]], {"units": []}, "ACPI has no DMAR table"),
    "no 4 KiB pages": (PLAIN, {"units": [(0xfed90000, machines.CAP & ~(0x1f << 8), machines.ECAP)]}, "CAP.SAGAW is 0"),
    "no remapping": (PLAIN, {"units": [(0xfed90000, machines.CAP, machines.ECAP & ~8)]}, "cannot remap interrupts (ECAP.IR is 0)"),
    "not on the platform": ([machines.dmar(machines.unit(0xfed90000), remaps=False), *PLAIN[1:]], {}, "DMAR flag INTR_REMAP is 0"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(replayed, name):
    tables, more, sentence = REFUSED[name]
    ran = replayed(machines.text(tables, **more))
    assert ran.returncode == 1 and sentence in ran.stdout.splitlines()[-1], ran.stdout + ran.stderr


def test_a_server_with_hundreds_of_units(replayed):
    """Each of them for one function, but the last one, which takes the rest; and as many I/O APICs."""
    count, base = 300, 0xf8000000
    named = [machines.unit(base + (n << 12), rest=False, scopes=machines.scope(machines.ENDPOINT, n // 256, n // 8 % 32, n % 8))
             for n in range(8, count)]
    io_apics = [struct.pack("<BBBBII", 1, 12, n % 256, 0, 0xf9000000 + (n << 12), 24 * n) for n in range(1, 200)]
    tables = [machines.dmar(*named, machines.unit(base)), machines.madt(*io_apics), machines.mcfg()]
    units = [(base + (n << 12), machines.CAP, machines.ECAP) for n in (0, *range(8, count))]
    ran = replayed(machines.text(tables, units))
    assert ran.returncode == 0, ran.stdout[-500:] + ran.stderr
    for line in ("0000:00:00.0 iommu292", f"0000:00:1c.0 iommu{0x1c * 8 - 8}", "0000:01:00.0 iommu248"):
        assert f"verdict {line} " in ran.stdout, ran.stdout[-500:]


def test_a_port_with_access_control(replayed):
    """It is off in the file, and the kernel switches it on: the card gets a group of its own."""
    port = machines.function((0x8086, 0x2345), 0x060400, bridge=(1, 1, (0xe0000000, 0xe00fffff)), express=machines.ROOT_PORT,
                             access_control=0x1d)
    joined = "  joined 0000:00:1c.0: no access control at port 0000:00:1c.0\n"
    assert joined in replayed(machines.text(PLAIN)).stdout
    assert joined not in replayed(machines.text(PLAIN, functions={**machines.FUNCTIONS, "0000:00:1c.0": port})).stdout


def test_a_card_with_a_quirk(replayed):
    card = machines.function((0x1b4b, 0x9230), 0x010601, bars=[(0xe0000000, 0x1000)], express=machines.EXPRESS_ENDPOINT)
    ran = replayed(machines.text(PLAIN, functions={**machines.FUNCTIONS, "0000:01:00.0": card}))
    assert ran.returncode == 0 and "  alias 0000:01:00.1\n" in ran.stdout, ran.stdout


def test_a_card_that_no_unit_serves(replayed):
    below = machines.scope(machines.BRIDGE, 0, 0x1c, 0)
    tables = [machines.dmar(machines.unit(0xfed90000, rest=False, scopes=below)), *PLAIN[1:]]
    ran = replayed(machines.text(tables))
    assert ran.returncode == 0 and "verdict 0000:01:00.0 iommu0 assignable\n" in ran.stdout, ran.stdout
    ran = replayed(machines.text(tables, functions={**machines.FUNCTIONS, "0000:00:02.0": machines.CARD}))
    assert ran.returncode == 1 and "refused: no IOMMU translates for device 0000:00:02.0" in ran.stdout, ran.stdout


def test_a_card_with_reserved_memory(replayed):
    """Of a USB controller it is the firmware's only until it is assigned."""
    named = struct.pack("<BBHBBBBBB", machines.ENDPOINT, 10, 0, 0, 0, 0x1c, 0, 0, 0)
    tables = [machines.dmar(machines.unit(0xfed90000), machines.region(0xc0000000, 0xc000ffff, named)), *PLAIN[1:]]
    ran = replayed(machines.text(tables))
    assert "  reserved 0xc0000000+0x10000\n" in ran.stdout, ran.stdout
    assert re.search("^verdict 0000:01:00.0 iommu0 not assignable: group \\d+ cannot be handed out: .* 0000:01:00.0$", ran.stdout, re.M), ran.stdout
    usb = machines.function((0x8086, 0x3456), 0x0c0330, bars=[(0xe0000000, 0x10000)], express=machines.EXPRESS_ENDPOINT)
    ran = replayed(machines.text(tables, functions={**machines.FUNCTIONS, "0000:01:00.0": usb}))
    assert "verdict 0000:01:00.0 iommu0 assignable\n" in ran.stdout, ran.stdout


def test_a_bar_over_memory(replayed):
    functions = {**machines.FUNCTIONS, "0000:00:02.0": machines.function((0x8086, 1), 0x030000, bars=[(0x10000000, 0x1000)])}
    ran = replayed(machines.text(PLAIN, functions=functions))
    assert "verdict 0000:00:02.0 iommu0 not assignable: BAR 0 of device 0000:00:02.0 (0x10000000, 4 KiB) overlaps RAM" in ran.stdout


@pytest.mark.parametrize("name", ["q35-switch", "q35-bridge"])
def test_machines_of_qemu(replay, name):
    """tests/qemu/test_devices_command.py compares them with what the kernel says in QEMU."""
    ran = replay(DATA / f"{name}.txt")
    assert ran.returncode == 0 and ran.stdout.endswith("verdict: the kernel starts\n"), ran.stdout + ran.stderr
    assert "verdict 0000:00:1f.3 iommu0 assignable\n" in ran.stdout  # without the ports it has among the chipset's


# ---- files that are not as they should be ----

GOOD = machines.text(PLAIN)
MALFORMED = [
    ("bulkhead-machine 1", "bulkhead-machine 2", 0, "another version"),
    ("memory 0 9ffff ram", "memory 0 9ffff", 0, "needs more words"),
    ("memory 0 9ffff ram", "memory 0 9ffff ram ram", 0, "a word too many"),
    ("memory 0 9ffff ram", "memory 9ffff 0 ram", 0, "ends before it begins"),
    ("memory 0 9ffff ram", "memory 0 9fgff ram", 0, "'9fgff' is no number"),
    ("memory 0 9ffff ram", "memory 0 -1 ram", 0, "'-1' is no number"),
    ("memory 0 9ffff ram", "memory 0  9ffff ram", 0, "one blank"),
    ("memory 0 9ffff ram", "memory 0 10000000000000000 ram", 0, "is no number"),
    ("memory 0 9ffff ram", "memory 0 9ffff cheese", 0, "no kind of memory"),
    ("memory 0 9ffff ram", "memories 0 9ffff ram", 0, "no line begins with 'memories'"),
    ("memory 0 9ffff ram", "bytes 0 00", 0, "bytes of what?"),
    ("memory 0 9ffff ram", "bar 0 1000", 0, "a BAR of what?"),
    ("memory 0 9ffff ram", "cpu colour blue", 0, "'cpu colour' is not known"),
    ("memory 0 9ffff ram", "x" * 2000, 0, "longer than"),
    ("table DMAR 64", "table DMAR 32", 0, "36 bytes at least"),
    ("table DMAR 64", "table DMAR 60", 2, "exceed its 60"),
    ("table APIC 56", "table DMAR 56", 0, "a table DMAR already"),
    ("bytes 0 444d", "bytes 0 44xd", 0, "no hexadecimal digit"),
    ("bytes 20 010000002d01", "bytes 1f 010000002d01", 0, "do not follow"),
    ("function 0000:00:1c.0 4096", "function 0000:00:1c.0 4000", 0, "not 4000"),
    ("function 0000:00:1c.0 4096", "function 0000:00:1c.8 4096", 0, "no place of a function"),
    ("function 0000:00:1c.0 4096", "function 0:0:1c.0 4096", 0, "no place of a function"),
    ("function 0000:00:1c.0 4096", "function 0000:00:00.0 4096", 0, "in rising order"),
    ("bar 0 10000", "bar 0 10001", 0, "a power of two"),
    ("bar 0 10000", "bar 13 10000", 0, "is no number"),
    ("\nend\n", "\n", 0, "cut off"),
    ("\nend\n", "\nend\nend\n", 2, "behind 'end'"),
]


@pytest.mark.parametrize("old, new, later, sentence", MALFORMED)
def test_files_that_are_refused(replayed, tmp_path, old, new, later, sentence):
    """What is said names the line, which may be one `later` than what is wrong."""
    assert GOOD.count(old) == 1
    line = GOOD[:GOOD.index(old)].count("\n") + 1 + later
    ran = replayed(GOOD.replace(old, new))
    assert ran.returncode == 2 and not ran.stdout
    assert ran.stderr.startswith(f"{tmp_path}/machine.txt:{line}: ") and sentence in ran.stderr, ran.stderr


@pytest.mark.parametrize("what, sentence", [("tables", "the firmware's tables"), ("config", "configuration space"), ("memory", "the memory map")])
def test_a_file_that_a_user_collected(replayed, what, sentence):
    ran = replayed(GOOD.replace("1\n", f"1\nmissing {what}: root alone may read this\n", 1))
    assert (ran.returncode, ran.stderr) == (2, f"the file lacks {sentence}: collect it as root\n")


def test_a_unit_of_which_nothing_is_known(replayed):
    """All of them, and one that Linux could not use."""
    ran = replayed(machines.text(PLAIN, units=[]))
    assert (ran.returncode, ran.stderr) == (2, "the file lacks the IOMMUs: collect it in a Linux that uses them\n")
    below = machines.scope(machines.BRIDGE, 0, 0x1c, 0)
    two = [machines.dmar(machines.unit(0xfed80000, rest=False, scopes=below), machines.unit(0xfed90000)), *PLAIN[1:]]
    ran = replayed(machines.text(two))
    assert "0xfed80000 is not there" in ran.stdout, ran.stdout
    assert "verdict 0000:00:00.0 iommu1 assignable" in ran.stdout and "verdict 0000:01:00.0 iommu1" not in ran.stdout, ran.stdout


def test_no_such_file(replay, tmp_path):
    ran = replay(tmp_path / "nothing")
    assert ran.returncode == 2 and "cannot be read: No such file" in ran.stderr
