# SPDX-License-Identifier: BSD-2-Clause
"""INTx: shared lines, a storm on one, the wiring behind bridges, both doors, UIO, and the operator's word."""

import pytest

EDU = "edu,dma_mask=0xffffffffffffffff"
FIRST, SAME_LINE, OTHER_LINES = "0000:00:10.0", "0000:00:14.0", ("0000:00:11.0", "0000:00:12.0")
EXAMPLE = "edu_line_is_masked_when_it_fires"


def at(slot):
    return f"{EDU},addr=0x{slot}"


def test_two_devices_share_a_line(guest, payload):
    ran = guest(payload("lines"), args=["share", FIRST, SAME_LINE], devices=[at(10), at(14)], icount=4).run()
    assert ran.output("lines: ") == ["lines: shared"], ran.log
    assert "nobody owns" not in ran.serial
    assert ran.status == 0


def test_a_storm_leaves_the_cpu_to_others(guest, payload):
    """Counted in instructions; devices on the same line and on others are heard meanwhile."""
    ran = guest(payload("lines"), args=["storm", FIRST, SAME_LINE, *OTHER_LINES], icount=0,
                devices=[at(10), at(14), at(11), at(12)]).run()
    assert ran.status == 0, ran.log
    share = int(ran.output("lines: ")[-1].split()[1].rstrip("%"))
    assert 55 <= share <= 97, ran.log
    assert "interrupts take too much of the CPU" in ran.serial


def test_both_doors_find_the_line(guest, payload):
    """SeaBIOS starts every other test here."""
    ran = guest(payload("vfio_device"), args=[FIRST, EXAMPLE], firmware="uefi", devices=[EDU]).run()
    assert ran.output("1 passed, 0 failed"), ran.log
    assert ran.status == 0


@pytest.mark.parametrize("gsi, found", [(20, "1 passed, 0 failed"), (21, "FAIL")])
def test_the_operator_says_which_interrupt(guest, payload, gsi, found):
    """The word counts even where the chipset is known: of the wrong line nothing is heard."""
    ran = guest(payload("vfio_device"), args=[FIRST, EXAMPLE], devices=[f"{EDU},kernel.intx={gsi}"], icount=4).run()
    assert ran.output(found), ran.log


@pytest.mark.parametrize("device, sentence", [
    (f"{EDU},kernel.intx=99", "no I/O APIC has this interrupt"),
    ("pci-testdev,kernel.intx=20", "has no interrupt pin"),
])
def test_a_word_without_meaning_is_refused(guest, payload, device, sentence):
    ran = guest(payload("vfio_device"), args=[FIRST], devices=[device]).run()
    assert ran.report["exit"]["reason"] == "refused", ran.log
    assert sentence in ran.report["exit"]["sentence"]


def test_uio_serves_a_line(guest, payload):
    ran = guest(payload("uio_line"), args=["/dev/uio0", "/sys/bus/pci/devices/0000:00:10.0/config"],
                devices=["e1000,romfile=,kernel.uio=yes"], icount=4).run()
    assert ran.output("uio_line: ") == ["uio_line: ok"], ran.log
    assert ran.status == 0
