# SPDX-License-Identifier: BSD-2-Clause
"""A machine whose firmware left everything on (tests/qemu/efi/left-on.c): a timer that sends messages, pins of the I/O APIC,
a VT-d unit with its queue in error, a network card that receives, a port that tells of errors, the second CPU.
What became of it is judged from outside, over QMP and by the trace."""

import contextlib
import socket
import time

from bulkhead import disk, esp
from conftest import make

HPET, HPET_ON, TIMER_2, TIMER_ON = 0xfed00000, 1, 0x140, 0x4004
SMM_PIN = 5
COUNTER, FRAME_PAGE = 0x9000800, 0x9001000
FRAMES = 32
CARD, PORT, BUS_MASTER, SERR = 0x14, 0x15, 4, 0x100
CONTROL, REPORTS = 0x54 + 8, 0xf  # Device Control of QEMU's root port


def word(one, address):
    return int.from_bytes(one.qmp.read_physical(address, 4), "little")


def configuration(slot):
    """Where OVMF puts a function's configuration space."""
    return 0xb0000000 | slot << 15


def open_pins(one):
    """The numbers of pins that are not masked."""
    pins = [line.split() for line in one.qmp.monitor("info pic").splitlines() if line.strip().startswith("pin ")]
    assert len(pins) == 24
    return [int(pin[1]) for pin in pins if "masked" not in pin]


def at(one, event, nth=0):
    """Where in the trace something happened for the nth time."""
    return [number for number, line in enumerate(one.trace) if event in line][nth]


class Wire:
    """The other end of the network card's cable."""

    def __init__(self, one):
        ours, self.theirs = f"{one.short.name}/here", f"{one.short.name}/there"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.bind(ours)
        self.sent = 0
        one.command += ["-netdev", f"dgram,id=wire,local.type=unix,local.path={self.theirs},remote.type=unix,remote.path={ours}",
                        "-device", "e1000e,addr=0x14,netdev=wire,romfile="]

    def send(self):
        """A broadcast frame, unless those before it still wait for the card."""
        with contextlib.suppress(BlockingIOError):
            self.socket.sendto(b"\xff" * 1024, self.theirs)
            self.sent += 1

    def feed(self):
        """Frames for a card that loses some while it is set up, but fewer than it has room for."""
        if self.sent < FRAMES:
            self.send()


def refused_to_card(one):
    return [line for line in one.trace if "vtd_dmar_fault" in line and "sid 0xa0 " in line]


def check_card(one, wire):
    """It is as ready to receive as it was, but may not: nothing of a frame comes as far as VT-d. When it is let, that
    comes, so it was the kernel that had stopped it; and then VT-d refuses it."""
    before = one.qmp.read_physical(FRAME_PAGE, 4096)
    wire.send()
    command = word(one, configuration(CARD) + 4) & 0xffff
    assert not command & BUS_MASTER and not refused_to_card(one), one.log
    one.qmp.monitor(f"o /w 0xcf8 {0x80000000 | CARD << 11 | 4:#x}")
    one.qmp.monitor(f"o /w 0xcfc {command | BUS_MASTER:#x}")
    one.wait_until(lambda: refused_to_card(one), "refusal of the frame")
    assert one.qmp.read_physical(FRAME_PAGE, 4096) == before


def test_what_firmware_left_on(guest, hello_dma):
    one = guest(hello_dma, firmware="uefi", devices=["edu"], qmp=True, trace=["vtd_*"], settings=[("on-exit", "halt")],
                qemu_args=["-smp", "2", "-global", "hpet.msi=on", "-device", "pcie-root-port,chassis=1,addr=0x15"])
    exit_device = next(i for i, words in enumerate(one.command) if words.startswith("isa-debug-exit"))
    del one.command[exit_device - 1:exit_device + 1]
    wire = Wire(one)
    tree = one.folder / "esp"
    esp.put(tree, esp.INSTALLED, make("build/bulkhead.efi"))
    esp.put(tree, esp.REMOVABLE, make("build/tests/left-on.efi"))
    disk.write(one.folder / "disk.img", tree)
    one.start()
    one.wait_until(lambda: wire.feed() or "halted" in one.serial, "end of the run")
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

    # Nobody tells of errors, and the network card is still.
    assert not word(one, configuration(PORT) + 4) & SERR and not word(one, configuration(PORT) + CONTROL) & REPORTS
    check_card(one, wire)
