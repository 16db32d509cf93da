# SPDX-License-Identifier: BSD-2-Clause
"""A device that sends another one's interrupt message. Nobody can keep a device from sending what it
likes, so the test makes it evil from outside: it rewrites the MSI capability through the ports for
configuration space, behind the kernel's back."""

from test_iommu_walker import BAIT, Memory, wait_for_control

FIRST, SECOND = "0000:00:10.0", "0000:00:11.0"
WINDOW, UNUSED_VECTOR = 0xfee00000, 0xc3
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
