# SPDX-License-Identifier: BSD-2-Clause
"""A device that was told to write to memory just before the loader starts (tests/qemu/efi/arm-edu.c).
Whether its write lands, and what VT-d sees of it, is judged from outside, over QMP and by the trace."""

import re

from bulkhead import disk, esp
from conftest import make
from variant import kernel_without

CANARY_PAGE, CANARY, PAGE = 0x8000000, b"\xa5", 4096
EDU_COMMAND = 0x98
ECAM, BUS_MASTER, PORT = 0xb0000000, 4, 0x1b
# The kernel leaves bus mastering alone as well, so that the two runs differ in the loader only.
LEFT = [("kernel/main.c", "close_dma", "pci_disable_all_bus_masters")]
EDU = ["-device", "edu,dma_mask=0xffffffffffffffff,addr=0x10", "-device", "pcie-root-port,id=rp,chassis=1,addr=0x1b"]


def armed(guest, hello_dma, loader, **options):
    """A guest whose disk starts arm-edu, which starts `loader`. It halts in the end, so that QMP can
    look at it. Under icount the 100 ms until the write are a number of instructions, of which the
    loader needs the same every time: arm-edu has put its files into memory, where no disk is waited for."""
    make("build/bulkhead.efi")
    options = {"settings": [("on-exit", "halt")], "kernel": kernel_without("leaves-bus-masters", LEFT), **options}
    one = guest(hello_dma, firmware="uefi", qemu_args=EDU, qmp=True, icount=2, trace=["vtd_*"], timeout=300, **options)
    at = next(i for i, word in enumerate(one.command) if word.startswith("isa-debug-exit"))
    del one.command[at - 1:at + 1]
    tree = one.folder / "esp"
    esp.put(tree, esp.INSTALLED, make(f"build/{loader}"))
    esp.put(tree, esp.REMOVABLE, make("build/tests/arm-edu.efi"))
    return one


def start(one):
    disk.write(one.folder / "disk.img", one.folder / "esp")
    return one.start()


def faults(one):
    """What VT-d refused to edu (00:10.0), as QEMU recorded it."""
    return [line for line in one.trace if "vtd_dmar_fault" in line and "sid 0x80 " in line]


def transfer_is_over(one):
    """edu's own word: bit 0 of its command register is clear again, whatever became of the data."""
    bar = re.search(r"PCI device 1234:11e8.*?BAR0: 32 bit memory at (0x[0-9a-f]+)", one.qmp.monitor("info pci"), re.DOTALL)
    return not one.qmp.read_physical(int(bar[1], 16) + EDU_COMMAND, 4)[0] & 1


def command_of(one, slot=0x10):
    """The command register of edu or the root port, by the address that OVMF gives configuration space."""
    return one.qmp.read_physical(ECAM + (slot << 15) + 4, 4)[0]


def canary(one):
    return one.qmp.read_physical(CANARY_PAGE, PAGE)


def test_control_the_write_lands_if_nobody_stops_it(guest, hello_dma):
    one = armed(guest, hello_dma, "bulkhead.efi")
    (one.folder / "esp/bulkhead/kernel.elf").unlink()
    start(one).wait_for("arm-edu: the loader came back")
    assert canary(one) == bytes(64) + CANARY * (PAGE - 64)
    assert command_of(one, PORT) & BUS_MASTER


def test_bus_masters_cleared_nothing_is_sent(guest, hello_dma):
    one = armed(guest, hello_dma, "bulkhead.efi")
    start(one).wait_for("halted")
    one.wait_until(lambda: transfer_is_over(one), "end of the transfer")
    assert canary(one) == CANARY * PAGE
    assert not faults(one)
    assert not (command_of(one) | command_of(one, PORT)) & BUS_MASTER


def left(guest, hello_dma, leave):
    """The same machine as it comes, told to leave edu, and with another edu for the demo."""
    settings = [("on-exit", "halt"), ("fault-threshold", "1"), ("leave", f"00:10.0{leave}")]
    one = armed(guest, hello_dma, "bulkhead.efi", kernel=None, devices=["edu,addr=0x12"], args=["0000:00:12.0"], settings=settings)
    start(one).wait_for("halted")
    one.wait_until(lambda: transfer_is_over(one), "end of the transfer")
    assert "hello-dma: round trip ok" in one.serial, one.log
    assert "0000:00:10.0 (1234:11e8) goes on as it was left" in one.serial, one.log
    return one


def test_left_it_reaches_what_is_named_for_it(guest, hello_dma):
    """Neither the loader nor the kernel stops it, and VT-d lets it through, while it is on."""
    one = left(guest, hello_dma, f" keep-out={CANARY_PAGE:#x}+4K")
    assert canary(one) == bytes(64) + CANARY * (PAGE - 64), one.log
    assert not faults(one)


def test_left_it_reaches_nothing_else(guest, hello_dma):
    """It is not stopped at the threshold either, only no longer listened to."""
    one = left(guest, hello_dma, f" keep-out={CANARY_PAGE + PAGE:#x}+4K")
    assert canary(one) == CANARY * PAGE
    assert faults(one), one.log
    assert "0000:00:10.0: 1 faults: they are no longer recorded" in one.serial, one.log
    assert command_of(one) & BUS_MASTER


def test_bus_masters_left_vtd_refuses(guest, hello_dma):
    one = armed(guest, hello_dma, "tests/bulkhead-leaves-dma.efi")
    start(one).wait_for("halted")
    one.wait_until(lambda: transfer_is_over(one), "end of the transfer")
    assert canary(one) == CANARY * PAGE
    assert faults(one), one.log
