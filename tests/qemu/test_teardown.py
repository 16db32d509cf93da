# SPDX-License-Identifier: BSD-2-Clause
"""A payload that lets go of edu while a transfer is on its way: whatever way it ends, the device is
silenced before its translation goes, and nothing of it arrives afterwards. Judged by QEMU's trace."""

import re
import time

import pytest

from guest import find_trace

SETTINGS = [("on-exit", "halt"), ("payload-timeout", "1")]
EDU = "edu,dma_mask=0xffffffffffffffff"
ROOT_PORT = ["-device", "pcie-root-port,id=rp0,chassis=1,addr=0x1c"]
MACHINES = {
    "no reset": ({"devices": ["edu"]}, "0000:00:10.0", "00:10.00"),
    "bus reset": ({"qemu_args": ROOT_PORT, "devices": [f"{EDU},bus=rp0"]}, "0000:01:00.0", "01:00.00"),
}
# how it ends -> what the serial line says about it
ENDS = {"close": "", "exit": "", "crash": "", "hang": "its time is over"}


def without_exit_port(one):
    """The guest halts in the end, so that the transfer's time comes while it can still be watched."""
    at = next(i for i, word in enumerate(one.command) if word.startswith("isa-debug-exit"))
    del one.command[at - 1:at + 1]
    return one


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("how", ENDS)
def test_in_flight(guest, payload, how, machine):
    options, address, traced_as = MACHINES[machine]
    one = without_exit_port(guest(payload("abandon"), args=[address, how], settings=SETTINGS, qmp=True, icount=4,
                                  trace=("pci_cfg_write", "vtd_dmar_translate", "vtd_inv_desc_cc*", "vtd_dmar_fault"),
                                  **options))
    one.start().wait_for("halted")
    assert one.qmp.execute("query-status")["running"]
    if machine == "no reset":
        one.wait_until(lambda: transfer_is_over(one), "end of the transfer")
    time.sleep(0.5)  # a reset device cannot be asked; its 100 ms pass at once when the guest halts
    lines = one.trace
    assert "abandon: the transfer is on its way" in one.serial, one.log
    assert ENDS[how] in one.serial, one.log
    on = last(lines, r"pci_cfg_write edu .*@0x4 <- 0x\w*[4-7cdef]$")
    off = next(n for n in range(on, len(lines)) if re.search(r"pci_cfg_write edu .*@0x4 <- 0x\w*[0-389ab]$", lines[n]))
    gone = next(n for n in range(off, len(lines)) if "vtd_inv_desc_cc" in lines[n])
    assert on < off < gone
    # In this one run nothing of the device was translated before, so nothing may be at all after.
    late = [line for line in lines[off:] if "vtd_dmar_translate" in line and f"dev {traced_as} " in line]
    assert not late, late
    assert find_trace(lines[off:], r"vtd_dmar_fault") is None
    assert one.report["memory"]["pins"] == 0


@pytest.mark.parametrize("machine", MACHINES)
def test_nothing_of_the_former_owner_is_reached(guest, payload, machine):
    """No reset makes edu forget what it was told, so its next owner gets it with a transfer under way
    (its time comes after it was taken again, unless a reset took longer), or lets it go on."""
    options, address, _ = MACHINES[machine]
    ran = guest(payload("survivor"), args=[address, "elsewhere"], icount=4, **options).run()
    said = ran.output("survivor: ")
    assert said == ["survivor: the device remembers where to write",
                    "survivor: behind the transfer that was armed, the former owner's memory is untouched",
                    "survivor: told to go on, the former owner's memory is untouched",
                    "survivor: the latter's memory is untouched"], ran.log
    refused = re.findall(rf"{address} write to 0x40000000 refused", ran.serial)
    assert len(refused) == (2 if machine == "no reset" else 1), ran.log


def test_control_the_transfer_lands_where_the_owner_has_it(guest, payload):
    options, address, _ = MACHINES["no reset"]
    ran = guest(payload("survivor"), args=[address, "again"], icount=4, **options).run()
    assert "the transfer that was armed, the former owner's memory is written to" in ran.serial, ran.log


def last(lines, pattern):
    return max(number for number, line in enumerate(lines) if re.search(pattern, line))


def transfer_is_over(one):
    """edu's own word: bit 0 of its command register is clear again, whatever became of the data."""
    found = re.search(r"PCI device 1234:11e8.*?BAR0: 32 bit memory at (0x[0-9a-f]+)", one.qmp.monitor("info pci"), re.DOTALL)
    return not one.qmp.read_physical(int(found[1], 16) + 0x98, 4)[0] & 1
