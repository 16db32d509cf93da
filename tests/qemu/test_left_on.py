# SPDX-License-Identifier: BSD-2-Clause
"""A machine whose firmware left everything on (tests/qemu/efi/left-on.c): a timer that sends messages, pins of the I/O APIC,
a VT-d unit with its queue in error, the second CPU. What became of it is judged from outside, over QMP and by the trace."""

import time

from bulkhead import disk, esp
from conftest import make

HPET, HPET_ON, TIMER_2, TIMER_ON = 0xfed00000, 1, 0x140, 0x4004
SMM_PIN = 5
COUNTER = 0x9000800


def word(one, address):
    return int.from_bytes(one.qmp.read_physical(address, 4), "little")


def open_pins(one):
    """The numbers of pins that are not masked."""
    pins = [line.split() for line in one.qmp.monitor("info pic").splitlines() if line.strip().startswith("pin ")]
    assert len(pins) == 24
    return [int(pin[1]) for pin in pins if "masked" not in pin]


def at(one, event, nth=0):
    """Where in the trace something happened for the nth time."""
    return [number for number, line in enumerate(one.trace) if event in line][nth]


def test_what_firmware_left_on(guest, hello_dma):
    one = guest(hello_dma, firmware="uefi", devices=["edu"], qmp=True, trace=["vtd_*"], settings=[("on-exit", "halt")],
                qemu_args=["-smp", "2", "-global", "hpet.msi=on"])
    exit_device = next(i for i, words in enumerate(one.command) if words.startswith("isa-debug-exit"))
    del one.command[exit_device - 1:exit_device + 1]
    tree = one.folder / "esp"
    esp.put(tree, esp.INSTALLED, make("build/bulkhead.efi"))
    esp.put(tree, esp.REMOVABLE, make("build/tests/left-on.efi"))
    disk.write(one.folder / "disk.img", tree)
    one.start().wait_for("halted")
    assert "left-on: armed" in one.serial and "hello-dma: round trip ok" in one.serial, one.log

    # The timer has stopped; one tick from before may have waited for the CPU.
    assert not word(one, HPET + 0x10) & HPET_ON and not word(one, HPET + TIMER_2) & TIMER_ON
    assert "firmware left the HPET running" in one.serial
    assert one.serial.count("interrupt with vector 123, which nobody owns") <= 1, one.log

    # Pins are masked, but for the firmware's.
    assert open_pins(one) == [SMM_PIN]

    # Translation and remapping were never off, and the queue is another one.
    assert "firmware left translation invalidation-queue (stopped at an error) interrupt-remapping on" in one.serial
    assert not any("vtd_dmar_enable enable 0" in line or "vtd_ir_enable enable 0" in line for line in one.trace)
    assert at(one, "vtd_inv_qi_enable enabled 0") < at(one, "vtd_inv_qi_setup", 1) < at(one, "vtd_reg_dmar_root", 1)
    assert "improper state" not in (one.folder / "qemu.err").read_text()

    # The second CPU counted every few instructions, in memory that is free now.
    before = word(one, COUNTER)
    time.sleep(0.2)
    assert word(one, COUNTER) == before
