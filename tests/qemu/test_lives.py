# SPDX-License-Identifier: BSD-2-Clause
"""A payload that is started again in the same machine (on-exit = restart-payload): the machine is as
before each time, judged by the kernel's own counts, and every device works as after its reset."""

import os
import re

import pytest

from test_examples import MIB, written

ROOT_PORT = ["-device", "pcie-root-port,id=rp0,chassis=1,addr=0x1c"]
EDU = "edu,dma_mask=0xffffffffffffffff,bus=rp0,kernel.uio=yes,kernel.dma-memory=yes,kernel.afu=edu"
BEHIND = "0000:01:00.0"
FAMILIES = ("type1", "iommufd", "uio", "port")
# how the payload dies -> what the report says of it
ENDS = {"exit": ("payload", 3), "crash": ("killed", 11), "hang": ("timeout", 9), "storm": ("dma-fault", 9), "close": ("payload", 3)}
COUNTS = ("frames_free", "orphans", "pins", "heap_bytes", "domain_ids", "interrupt_entries", "table_pages", "vectors")


def settings(**keys):
    return [("on-exit", "restart-payload"), *((key.replace("_", "-"), str(value)) for key, value in keys.items())]


def counts(life):
    return {name: life[name] for name in COUNTS}


def check_lives(ran, lives, ports=0):
    """As many as there should be, and after each the machine is as it was after the first one. Nobody
    but so many ports has an interrupt."""
    told = ran.report["lives"]
    assert told["restarts"] == lives - 1, ran.log
    assert [one["number"] for one in told["ended"]] == [1, *range(max(2, lives - 14), lives + 1)]
    for one in told["ended"]:
        assert counts(one) == counts(told["ended"][0]), ran.log
    last = told["ended"][-1]
    assert last["pins"] == last["orphans"] == last["domain_ids"] == last["table_pages"] == 0
    assert last["interrupt_entries"] == ports


def test_soak(guest, payload):
    """Every family of device files, every way to die, with a transfer on its way and threads asleep."""
    lives = int(os.environ.get("BULKHEAD_LIVES", "25"))
    ran = guest(payload("lives", "musl"), args=["all", BEHIND], qemu_args=ROOT_PORT, devices=[EDU], icount=4,
                settings=settings(restart_limit=lives - 1, restart_delay=0, payload_timeout=1, on_dma_fault="kill-payload",
                                  fault_threshold=2), timeout=120 + 4 * lives).run()
    ways = [list(ENDS)[life // 4 % 5] for life in range(lives)]
    assert ran.output("lives: ") == [f"lives: {life} works through {FAMILIES[life % 4]} and dies by {way}"
                                     for life, way in enumerate(ways)], ran.log
    check_lives(ran, lives, ports=1)
    ended = [(one["reason"], one["status"] if one["reason"] == "payload" else one["signal"]) for one in ran.report["lives"]["ended"]]
    numbers = [one["number"] for one in ran.report["lives"]["ended"]]
    assert ended == [ENDS[ways[number - 1]] for number in numbers], ran.log
    assert ran.report["lives"]["no_restart"] == f"it was, {lives - 1} times in a row (restart-limit)"
    # Each storm was one of a device that had been forgiven the one before.
    storms = ways.count("storm")
    device = next(one for one in ran.report["iommu"]["faults"]["devices"] if one["requester"] == BEHIND)
    assert device["count"] >= 2 * storms and device["threshold_reached"], ran.log


# Without icount: the disk's file answers in the host's time, and an idle guest's ten seconds for a
# command would be over at once.

@pytest.fixture
def disk(tmp_path):
    path = tmp_path / "disk.img"
    path.write_bytes(bytes(2 * MIB) + written(1) + bytes(4 * MIB))
    return path


def test_soak_of_a_disk(guest, payload, disk):
    lives = int(os.environ.get("BULKHEAD_LIVES", "25"))
    ran = guest(payload("disk"), args=["lives"], devices=[f"nvme,file={disk}"],
                settings=settings(restart_limit=lives - 1, restart_delay=0), timeout=120 + 4 * lives).run()
    assert ran.output("disk: ") == [f"disk: life {life}" for life in range(lives)], ran.log
    check_lives(ran, lives)
    assert ran.report["iommu"]["faults"]["count"] == 0, ran.log


def test_rounds_of_a_disk(guest, payload, disk):
    """Open, map, transfer, unmap, close; half of the times with commands under way. In two lives, behind
    each of which the kernel counts domain ids, interrupt entries and vectors, too."""
    rounds = 5000 if os.environ.get("BULKHEAD_LONG") else 100
    ran = guest(payload("disk"), args=["rounds", str(rounds)], devices=[f"nvme,file={disk}"],
                settings=settings(restart_limit=1, restart_delay=0), timeout=120 + 2 * rounds).run()
    assert len(ran.output(f"disk: {rounds} rounds")) == 2, ran.log
    check_lives(ran, 2)
    assert ran.report["iommu"]["faults"]["count"] == 0 and ran.report["memory"]["pins"] == 0, ran.log


def test_any_order(guest, payload):
    """Files opened, connected and closed by chance: each answer as a model has it, and nothing left after."""
    walks = os.environ.get("BULKHEAD_ROUNDS", "500")
    ran = guest(payload("lifetime", "musl"), args=[os.environ.get("BULKHEAD_SEED", "1"), walks, BEHIND], qemu_args=ROOT_PORT,
                devices=[EDU], icount=4, timeout=180 + int(walks)).run()
    assert ran.status == 0 and ran.output(f"lifetime: {walks} walks"), ran.log
    found = re.search(r"at their ends: (\d+) containers, (\d+) iommufds, (\d+) groups, (\d+) and (\d+) devices", ran.serial)
    assert all(int(count) > int(walks) // 20 for count in found.groups()), ran.log
    assert ran.report["memory"]["pins"] == 0


def test_nothing_of_a_life_is_left(guest, payload):
    ran = guest(payload("lives", "musl"), args=["clean", BEHIND], memory="96M", settings=settings(restart_limit=2, restart_delay=0)).run()
    assert ran.output("lives: ") == [f"lives: {life} exits" for life in range(3)], ran.log
    check_lives(ran, 3)
    assert ran.status == 7


def test_delays_grow_up_to_a_minute(guest, payload):
    ran = guest(payload("lives", "musl"), args=["exit", BEHIND], icount=4, settings=settings(restart_limit=9, restart_delay=1)).run()
    assert re.findall(r"ended with status 7 and starts again in (\d+) s, restart (\d+) in a row", ran.serial) == [
        (str(delay), str(restart)) for restart, delay in enumerate((1, 2, 4, 8, 16, 32, 60, 60, 60), 1)], ran.log
    check_lives(ran, 10)
    times = [one["ended_ns"] for one in ran.report["lives"]["ended"]]
    assert [(later - earlier) // 10**9 for earlier, later in zip(times, times[1:])] == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_long_life_begins_a_new_row(guest, payload):
    ran = guest(payload("lives", "musl"), args=["late", BEHIND], icount=4, settings=settings(restart_limit=1, restart_delay=2)).run()
    assert re.findall(r"starts again in (\d+) s, restart (\d+) in a row", ran.serial) == 3 * [("2", "1")], ran.log
    assert ran.report["lives"]["restarts"] == 3 and "no_restart" in ran.report["lives"]


@pytest.mark.parametrize("then", ["halt", "restart"])
def test_device_without_reset(guest, payload, then):
    one = guest(payload("lives", "musl"), args=["exit", "0000:00:10.0"], devices=["edu"],
                settings=settings(on_restart_limit=then))
    at = next(i for i, word in enumerate(one.command) if word.startswith("isa-debug-exit"))
    del one.command[at - 1:at + 1]  # so that the machine ends as it is told
    one.start()
    if then == "halt":
        one.wait_for("halted")
    else:
        one.wait()
        assert "halted" not in one.serial
    assert one.output("lives: ") == ["lives: 0 exits"], one.log
    assert "the payload is not started again: 0000:00:10.0 has no reset" in one.serial, one.log
    assert one.report["lives"]["no_restart"] == "0000:00:10.0 has no reset"
    assert one.report["exit"] == {"reason": "payload", "status": 7}
