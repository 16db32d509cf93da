# SPDX-License-Identifier: BSD-2-Clause
"""A device that sends another one's interrupt message. Nobody can keep a device from sending what it
likes, so the test makes it evil from outside: it rewrites the MSI capability through the ports for
configuration space, behind the kernel's back."""

import os
import re

from test_iommu_walker import BAIT, UNIT, Memory, wait_for_control

FIRST, SECOND = "0000:00:10.0", "0000:00:11.0"
WINDOW, UNUSED_VECTOR = 0xfee00000, 0xc3
GSTS, REMAPPING, OLD_FORMAT = 0x1c, 1 << 25, 1 << 23
OWNED = 4  # vectors that somebody owns, at most: the timer and the unit's events
MSI, ADDRESS, ADDRESS_HIGH, DATA = 5, 4, 8, 12  # a 64-bit capability


class Configuration:
    """A function's configuration space, through ports 0xcf8 and 0xcfc."""

    def __init__(self, qmp, device):
        self.qmp, self.base = qmp, 0x80000000 | device << 11
        at = self.read(0x34) & 0xfc
        while at and self.read(at) & 0xff != MSI:
            at = self.read(at) >> 8 & 0xfc
        self.msi = at

    def read(self, offset):
        self.qmp.monitor(f"o /w 0xcf8 {self.base | offset:#x}")
        return int(self.qmp.monitor("i /w 0xcfc").split("=")[1], 16)

    def write(self, offset, value):
        self.qmp.monitor(f"o /w 0xcf8 {self.base | offset:#x}")
        self.qmp.monitor(f"o /w 0xcfc {value:#x}")

    @property
    def message(self):
        return [self.read(self.msi + offset) for offset in (ADDRESS, ADDRESS_HIGH, DATA)]

    @message.setter
    def message(self, words):
        for offset, word in zip((ADDRESS, ADDRESS_HIGH, DATA), words):
            self.write(self.msi + offset, word)


def test_another_device_s_message_is_dropped(guest, payload):
    ran = guest(payload("forge"), devices=["edu", "edu"], args=[FIRST, SECOND], qmp=True, canaries=(BAIT,),
                trace=("vtd_*",)).start()
    memory = Memory(ran)
    control = wait_for_control(ran, memory)

    def after(number):
        ran.wait_until(lambda: memory.word(control) == number, f"round {number}")

    after(1)
    first, second = (Configuration(ran.qmp, device) for device in (0x10, 0x11))
    own, other = second.message, first.message
    assert own != other and own[0] & ~0xfffff == other[0] & ~0xfffff == WINDOW
    for number, message in enumerate((other, [WINDOW, 0, UNUSED_VECTOR], own), 1):
        second.message = message
        memory.write_word(control + 8, number)
        after(number + 1)
    memory.write_word(control + 8, 4)
    ran.wait()
    assert ran.output("forge: ") == ["forge: both are honest: first 1 second 1",
                                     "forge: the second forges: first 0 second 0",
                                     "forge: the second makes a vector up: first 0 second 0",
                                     "forge: the second is honest: first 0 second 1"], ran.log
    assert ran.status == 0
    # QEMU's own words: requests of 00:11.0 for the entry that is for 00:10.0, and nothing was delivered.
    assert "invalid IRTE SID (index=0, sid=136, source_id=128)" in ran.log
    asked = [number for number, line in enumerate(ran.trace) if "vtd_ir_remap_msi_req addr 0xfee00018" in line]
    assert ["vtd_ir_remap index 0 " in ran.trace[number + 2] for number in asked] == [True, False]
    # QEMU lets messages in the older format pass (hardware blocks them, as the kernel asks): ignored.
    assert ran.report["interrupts"]["stray"] == 1


def test_any_vector_is_survived(guest, payload):
    """Messages of the old format again, but all that there can be, whatever the CPU is at. None ends the run
    before its time, and all of them are in the report."""
    how_many, seconds = ("all", 1200) if os.environ.get("BULKHEAD_LONG") else ("chosen", 250)
    ran = guest(payload("vectors"), devices=["edu"], args=[FIRST, how_many], settings=[("payload-timeout", str(seconds))],
                icount=10, qmp=True).start()
    ran.wait_for("assigned 0000:00:10.0")
    status = int.from_bytes(ran.qmp.read_physical(UNIT + GSTS, 4), "little")
    assert status & REMAPPING and not status & OLD_FORMAT, "a real unit blocks the old format"
    ran.wait()
    assert ran.report["exit"]["reason"] == "timeout", ran.log
    sent = [re.fullmatch(r"vectors: .*: (\d+) messages, (\d+) NMIs", line) for line in ran.output("vectors: ")]
    messages, nmis = (sum(int(phase[number]) for phase in sent) for number in (1, 2))
    assert len(sent) == 3 and messages > 512, ran.log
    found = ran.report["interrupts"]
    # The APIC never delivers vector 0; what somebody owns comes there.
    assert messages - 3 * 3 * (1 + OWNED) <= found["stray"] <= messages, ran.log
    assert found["nmi"] == nmis, ran.log
    told = [line for line in ran.serial.splitlines() if ", which nobody owns" in line]
    left_out = sum(int(number) for number in re.findall(r"and (\d+) more since the last line", "\n".join(told)))
    assert len(told) > 20 and 0 <= found["stray"] - len(told) - left_out < 100, ran.log
    for vector in (2, 3, 6, 8, 14, 255):
        assert any(f" vector {vector}, which" in line for line in told), (vector, ran.log)
    assert "non-maskable interrupts since the last line, nobody asks for them; the chipset names no source" in ran.serial
