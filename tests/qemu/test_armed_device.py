# SPDX-License-Identifier: BSD-2-Clause
"""A device that was told to write to memory just before the loader starts (tests/qemu/efi/arm-edu.c).
Whether its write lands, and what VT-d sees of it, is judged from outside, over QMP and by the trace."""

import re

from bulkhead import disk, esp
from conftest import make
from variant import kernel_without

CANARY_PAGE, CANARY, PAGE = 0x8000000, b"\xa5", 4096
EDU_COMMAND = 0x98
# The kernel leaves bus mastering alone as well, so that the two runs differ in the loader only.
LEFT = [("kernel/main.c", "close_dma", "pci_disable_all_bus_masters")]
EDU = ["-device", "edu,dma_mask=0xffffffffffffffff,addr=0x10"]


def armed(guest, hello_dma, loader):
    """A guest whose disk starts arm-edu, which starts `loader`. It halts in the end, so that QMP can
    look at it. Under icount the 100 ms until the write are a number of instructions, of which the
    loader needs the same every time: arm-edu has put its files into memory, where no disk is waited for."""
    make("build/bulkhead.efi")
    one = guest(hello_dma, firmware="uefi", qemu_args=EDU, qmp=True, icount=2, trace=["vtd_*"], timeout=300,
                settings=[("on-exit", "halt")], kernel=kernel_without("leaves-bus-masters", LEFT))
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


def canary(one):
    return one.qmp.read_physical(CANARY_PAGE, PAGE)


def test_control_the_write_lands_if_nobody_stops_it(guest, hello_dma):
    one = armed(guest, hello_dma, "bulkhead.efi")
    (one.folder / "esp/bulkhead/kernel.elf").unlink()
    start(one).wait_for("arm-edu: the loader came back")
    assert canary(one) == bytes(64) + CANARY * (PAGE - 64)


def test_bus_masters_cleared_nothing_is_sent(guest, hello_dma):
    one = armed(guest, hello_dma, "bulkhead.efi")
    start(one).wait_for("halted")
    one.wait_until(lambda: transfer_is_over(one), "end of the transfer")
    assert canary(one) == CANARY * PAGE
    assert not faults(one)


def test_bus_masters_left_vtd_refuses(guest, hello_dma):
    one = armed(guest, hello_dma, "tests/bulkhead-leaves-dma.efi")
    start(one).wait_for("halted")
    one.wait_until(lambda: transfer_is_over(one), "end of the transfer")
    assert canary(one) == CANARY * PAGE
    assert faults(one), one.log
