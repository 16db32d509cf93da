# SPDX-License-Identifier: BSD-2-Clause
"""A device that faults thousands of times: the log stays readable, the counters are right, the threshold
acts. Each command of the controller is refused 1024 times; QEMU records the first of them, and leaves out
what the same device does until that is read."""

import re

import pytest

from gdb import Gdb
from test_forged_interrupt import Configuration
from test_iommu_walker import BAIT, Memory, wait_for_control

BDF = "0000:00:10.0"
OTHER, OTHER_BDF = 0x11, "0000:00:11.0"  # edu as well, but nobody's
COMMANDS = 300
STOPPED = "3 faults: its bus mastering is taken away"
COMMAND, BAR_0, MASTER = 4, 0x10, 4
EDU_SOURCE, EDU_TARGET, EDU_COUNT, EDU_COMMAND, EDU_BUFFER = 0x80, 0x88, 0x90, 0x98, 0x40000


def storm(guest, payload, commands, **settings):
    settings = [(key.replace("_", "-"), value) for key, value in settings.items()]
    return guest(payload("storm"), devices=["nvme"], args=[BDF, str(commands)], settings=settings, icount=6,
                 trace=("pci_cfg_write", "vtd_frr_new")).run()


def events(ran):
    """In order: "fault" for each record QEMU wrote, True or False for each write of the bus-master bit."""
    found = re.findall(r"^(vtd_frr_new)|pci_cfg_write nvme 00:10.0 @0x4 <- (0x[0-9a-f]+)$", "\n".join(ran.trace), re.MULTILINE)
    return ["fault" if fault else bool(int(value, 16) & MASTER) for fault, value in found]


def assert_counted(ran, count, reached):
    faults = ran.report["iommu"]["faults"]
    assert events(ran).count("fault") == faults["count"] == count, ran.log
    assert faults["devices"] == [{"requester": BDF, "count": count, "threshold_reached": reached}]
    assert ran.report["memory"]["pins"] == 0


def assert_stopped_at_the_third(ran):
    """The storm ended with the bus mastering that the third fault cost the device."""
    assert_counted(ran, 3, True)
    happened = events(ran)
    third = [i for i, event in enumerate(happened) if event == "fault"][2]
    assert happened[third - 3:third] == [True, "fault", "fault"]
    assert happened[third + 1:] and not any(happened[third + 1:])
    assert ran.serial.count(STOPPED) == 1


def test_log(guest, payload):
    ran = storm(guest, payload, COMMANDS, on_dma_fault="log", fault_threshold="3")
    assert ran.status == 0, ran.log
    assert_counted(ran, COMMANDS, True)
    assert ran.output("storm: ") == [f"storm: {COMMANDS} commands", f"storm: faults count {COMMANDS}"]
    assert "bus mastering" not in ran.serial
    told = [line for line in ran.serial.splitlines() if "refused: reason" in line]
    for line in told:
        assert re.search(r"0000:00:10.0 write to 0x40000000 refused: reason 5, no write permission( \(and \d+ more since the last line\))?$", line)
    # Ten lines in each second, and what they leave out is counted.
    seconds = [float(line[1:].split("]")[0]) for line in told]
    assert all(sum(int(at) == second for at in seconds) <= 10 for second in range(60))
    left_out = sum(map(int, re.findall(r"and (\d+) more since", ran.serial)))
    assert len(told) >= 10 and left_out > 0
    assert len(told) + left_out <= COMMANDS


def test_stop_device(guest, payload):
    ran = storm(guest, payload, 20, on_dma_fault="stop-device", fault_threshold="3")
    assert_stopped_at_the_third(ran)
    # The payload goes on without it.
    assert ran.status == 0 and ran.report["exit"]["reason"] == "payload", ran.log
    assert ran.output("storm: ") == ["storm: 20 commands", "storm: faults count 3"]


def test_kill_payload(guest, payload):
    ran = storm(guest, payload, COMMANDS, on_dma_fault="kill-payload", fault_threshold="3")
    assert_stopped_at_the_third(ran)
    assert ran.report["exit"]["reason"] == "dma-fault", ran.log
    assert ran.output("storm: ") == []
    assert "payload: ended by SIGKILL: its device reached for memory it was not given" in ran.serial


def reach_for_memory(ran, device):
    """What no kernel lets edu do: bus mastering and one transfer to memory, all from outside."""
    space = Configuration(ran.qmp, device)
    space.write(COMMAND, space.read(COMMAND) | MASTER)
    with Gdb(f"{ran.short.name}/gdb") as gdb:
        for offset, value in ((EDU_SOURCE, EDU_BUFFER), (EDU_TARGET, BAIT), (EDU_COUNT, 4), (EDU_COMMAND, 3)):
            gdb.write((space.read(BAR_0) & ~0xf) + offset, value, 8)


def test_nobody_is_killed_for_another_s_device(guest, payload):
    ran = guest(payload("cold"), devices=["edu"], args=[BDF, "read", "0x20000000"], qmp=True, canaries=(BAIT,),
                settings=[("on-dma-fault", "kill-payload"), ("fault-threshold", "1")],
                qemu_args=["-device", f"edu,addr={OTHER:#x},dma_mask=0xffffffffffffffff"])
    ran.command += ["-gdb", f"unix:{ran.short.name}/gdb,server=on,wait=off"]
    ran.start()
    memory = Memory(ran)
    control = wait_for_control(ran, memory)
    ran.wait_until(lambda: memory.word(control) == 1, "its turn")
    reach_for_memory(ran, OTHER)
    ran.wait_for(f"{OTHER_BDF}: 1 faults: its bus mastering is taken away")
    memory.write_word(control + 8, 1)
    ran.wait_until(lambda: memory.word(control) == 2, "the access")
    memory.write_word(control + 8, 2)
    assert ran.wait().status == 0, ran.log
    assert ran.output("cold: ") == ["cold: untouched"] and ran.canaries_touched() == []
    assert ran.report["iommu"]["faults"]["devices"] == [{"requester": OTHER_BDF, "count": 1, "threshold_reached": True}]


@pytest.mark.parametrize("action", ("log", "stop-device", "kill-payload"))
def test_below_the_threshold_nothing_happens(guest, payload, action):
    ran = storm(guest, payload, COMMANDS, on_dma_fault=action, fault_threshold=str(COMMANDS + 1))
    assert ran.status == 0, ran.log
    assert_counted(ran, COMMANDS, False)
