# SPDX-License-Identifier: BSD-2-Clause
"""A program that attacks the machine through its devices, by every way it has: see the tables of
tests/qemu/payloads/hostile. Each attack is a row here; a machine is booted once for each set of them."""

import fcntl
import itertools
import json
import os
import re

import pytest

import attacked
from conftest import TOP
from guest import Guest
from variant import kernel_with

FOLDER = TOP / "tests/qemu/payloads/hostile"
SETS = {"dma": ("dma.c", "map.c"), "device": ("config.c", "interrupts.c", "windows.c", "files.c")}
EDU, OTHER, CARD, SIBLING, DISK, STRANGER = NAMES = ("0000:02:00.0", "0000:00:10.0", "0000:03:00.0", "0000:03:00.1", "0000:04:00.0",
                                                     "0000:01:00.0")
PORTS = [word for number in range(4) for word in ("-device", f"pcie-root-port,id=rp{number},chassis={number + 1},addr={0x1b + number:#x}")]
MACHINE = {
    "qemu_args": [*PORTS, "-device", "e1000e,romfile=,bus=rp0", "-device", "e1000e,romfile=,bus=rp2,addr=0.1"],
    "devices": ["edu,bus=rp1", "edu,addr=0x10", "e1000e,romfile=,bus=rp2,addr=0.0,multifunction=on", "nvme,bus=rp3"],
    "settings": [("fault-threshold", "1000000000")],
}
LEFT = 0  # the mark that the program leaves in its own memory, to show that marks are found
BRIDGES = ["0000:00:1b.0", "0000:00:1c.0", "0000:00:1d.0", "0000:00:1e.0"]
# What the kernel says of an attack, by the word in its row: about which device, what.
SAYS = {
    "FAULT": rf"(?:{EDU}|{OTHER}|{CARD}) (?:write to|read of) 0x[0-9a-f]+ refused: reason \w+, \w",
    "STRAY": r"interrupt with vector \d+, which nobody owns",
}


def attacks(name):
    """{attack: what the kernel says of it} of a set, from its tables."""
    if name == "race":
        calls = re.findall(r"\bCALL\((\w+)\)", (FOLDER / "race.c").read_text().split("calls[] = {")[1])
        return {f"race_{first}_with_{second}": "QUIET" for first, second in itertools.combinations_with_replacement(calls, 2)}
    text = "".join((FOLDER / source).read_text() for source in SETS[name])
    return dict(re.findall(r"\bATTACK\((\w+), (\w+)\)", text))


ROWS = [(name, attack, says) for name in (*SETS, "race") for attack, says in attacks(name).items()]


def run(name, folder, program, kernel):
    """Everything that is known of a machine behind its attacks."""
    one = Guest(program, folder, args=[name, *NAMES], kernel=kernel, qmp=True, icount=4, canaries=(attacked.BAIT,), timeout=400, **MACHINE)
    outside = attacked.Outside(one.start(), [*NAMES, *BRIDGES], kernel)
    try:
        outside.serve()
        one.wait()
        serial = {"": ""}
        for part in one.serial.split("\nhostile: ")[1:]:
            serial[part.split("\n")[0]] = part
        return {"serial": serial, "status": one.status, "log": one.log, "report": one.report and one.report.raw, "hardware": outside.wrong,
                "marks": outside.marks(), "canaries": one.canaries_touched()}
    finally:
        one.stop()
        (folder / "memory.img").unlink(missing_ok=True)


@pytest.fixture(scope="module")
def ran(payload, kernel, tmp_path_factory):
    """ran(SET): run once, whatever process of the test run asks."""
    shared = tmp_path_factory.getbasetemp()
    shared = shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared
    program = payload("hostile", "musl")

    def result(name):
        path = shared / f"hostile-{name}.json"
        with open(shared / f"hostile-{name}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not path.exists():
                used = kernel_with("breathing", [("kernel/cpu/thread.c", "BREATH_WORK", "1")]) if name == "race" else kernel
                path.write_text(json.dumps(run(name, tmp_path_factory.mktemp(f"hostile-{name}"), program, used)))
        return json.loads(path.read_text())
    return result


@pytest.mark.parametrize("name,attack,says", ROWS, ids=[attack for _, attack, _ in ROWS])
def test_attack(ran, name, attack, says):
    done = ran(name)
    told = done["serial"].get(attack)
    assert told is not None, done["log"]
    assert f"\nok {attack}\n" in f"{told}\n", told
    if says in SAYS:
        assert re.search(SAYS[says], told), told


@pytest.mark.parametrize("name", [*SETS, "race"])
def test_nothing_was_reached(ran, name):
    """Whatever a device wrote that it was not allowed to would carry a mark; it is nowhere in memory. And the
    machine is as it was."""
    done = ran(name)
    assert done["status"] == 0, done["log"]
    assert [number for number, _ in done["marks"]] == [LEFT], done["marks"]
    assert done["canaries"] == []
    assert done["hardware"] == []
    memory = done["report"]["memory"]
    assert memory["pins"] == memory["orphans"] == 0


def test_there_are_a_hundred():
    assert len([row for row in ROWS if row[0] != "race"]) >= 100


def test_the_comparison_can_fail():
    space = bytearray(4096)
    space[0x10:0x14], space[0x34], space[0x40:0x42] = b"\0\0\xe0\xfd", 0x40, b"\5\0"

    class Fake:
        def read_physical(self, address, length):
            return bytes(space)
    hardware = attacked.Hardware(Fake(), [EDU])
    assert not list(hardware.differences())
    for change, wrong in (((0x04, 6), False), ((0x3c, 9), False), ((0x13, 0), True), ((0x0e, 1), True), ((0x800, 1), True),
                          ((0x42, 1), True), ((0x05, 1), False)):
        at, value = change
        was, space[at] = space[at], value
        assert bool(list(hardware.differences())) == wrong, change
        space[at] = was
    space[4], space[5] = 4, 1  # a bus master whose errors are the machine's
    assert list(hardware.differences())
