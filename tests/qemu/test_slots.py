# SPDX-License-Identifier: BSD-2-Clause
"""Devices that leave their slot and come into it, told by the port's own registers and interrupt
(native hot-plug): asked for by the attention button, which is what device_del presses, or pulled."""

import pytest

SLOT = ["-global", "ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off",
        "-device", "pcie-root-port,id=rp0,slot=1,chassis=1,addr=0x1c"]
SWITCH = [*SLOT[:2], "-device", "pcie-root-port,id=root,chassis=1,addr=0x1c", "-device", "x3130-upstream,id=up,bus=root",
          "-device", "xio3130-downstream,id=rp0,bus=up,slot=1,chassis=2"]
CARD = "e1000e,bus=rp0,id=card"
BEHIND, PORT = "0000:01:00.0", "0000:00:1c.0"
ECAM = 0xb0000000  # configuration space; the slot is bus 1
# The port's slot control register, by configuration mechanism 1, which the kernel does not use: power
# and its indicator off, events on. QEMU then takes the device away at once.
PULL = ("o /w 0xcf8 0x8000e06c", "o /h 0xcfc 0x1729")


def start(guest, payload, how, **options):
    one = guest(payload("removal", "glibc"), args=[BEHIND, how], qemu_args=SLOT, devices=[CARD], qmp=True, **options)
    one.start().wait_for("removal: in use, its BAR gives an answer")
    return one


def plug(one, driver, **properties):
    one.wait_until(lambda: "dev: e1000e" not in one.qmp.monitor("info qtree"), "its end")
    one.qmp.execute("device_add", driver=driver, bus="rp0", id="new", **properties)


def test_asked_for_and_given_back(guest, payload):
    """What comes first is a device of several functions: it gets no power, answers nobody, and QEMU
    lets it send nothing. The next one is offered, though the group never left its container."""
    one = start(guest, payload, "gives")
    one.qmp.execute("device_del", id="card")
    one.wait_for(f"{PORT}: nobody uses what is in its slot: it may be taken out")
    plug(one, "e1000e", multifunction=True)
    one.wait_for(f"{PORT}: what was plugged into its slot stays dark")
    assert one.qmp.read_physical(ECAM + (1 << 20), 4) == b"\xff" * 4, one.log
    assert f"{BEHIND} (8086:10d3) was plugged in, and is not offered: it has several functions" in one.serial
    plug(one, "e1000e")
    one.wait()
    assert one.output("removal: ")[1:] == [
        "removal: asked for 1, its BAR gives an answer", "removal: let go, and opening it again gives ENODEV",
        "removal: there is a 8086:10d3, its BAR gives an answer"], one.log
    assert f"{BEHIND} (8086:10d3) was plugged in, and is offered" in one.serial, one.log


def test_asked_for_and_kept(guest, payload):
    """Three requests, and then the user ends, not the device's stay."""
    one = start(guest, payload, "keeps", icount=4)
    one.qmp.execute("device_del", id="card")
    one.wait()
    assert one.output("removal: ")[1:] == [f"removal: asked for {n}, its BAR gives an answer" for n in (1, 2, 3)], one.log
    assert one.report["exit"]["reason"] == "killed", one.log
    assert "it did not give back a device that was asked for" in one.report["exit"]["sentence"], one.log


def test_pulled(guest, payload):
    """Something else comes instead: its BARs get addresses, and it reaches memory when it is opened."""
    one = start(guest, payload, "pulled")
    for line in PULL:
        one.qmp.monitor(line)
    one.wait_for("opening it again gives ENODEV")
    plug(one, "edu")
    one.wait()
    assert one.output("removal: ")[1:] == [
        "removal: REQ 1, ERR 1", "removal: its BAR gives SIGBUS", "removal: GET_INFO gives ENODEV, a read ENODEV",
        "removal: let go, and opening it again gives ENODEV",
        "removal: there is a 1234:11e8, its BAR gives an answer, it reaches memory"], one.log
    assert f"{BEHIND}: BAR 0 had no address: placed at" in one.serial, one.log


@pytest.mark.parametrize("slot, place", [(SLOT, BEHIND), (SWITCH, "0000:03:00.0")], ids=["root port", "switch"])
def test_empty_at_the_start(guest, payload, slot, place):
    """The configuration names the place. A payload is there, and there again, before the device is."""
    one = guest(payload("removal", "glibc"), args=[place, "waits"], qemu_args=slot, devices=[],
                settings=[("device", place), ("on-exit", "restart-payload"), ("restart-limit", "1"), ("restart-delay", "0")], qmp=True)
    one.start().wait_for("restart 1 in a row")
    one.wait_until(lambda: len(one.output("removal: ")) == 2, "its second life")
    one.qmp.execute("device_add", driver="edu", bus="rp0", id="new")
    one.wait_for("it reaches memory")
    one.wait()
    nothing = "removal: opening what is not there gives ENODEV"
    assert one.output("removal: ") == [
        nothing, nothing, "removal: there is a 1234:11e8, its BAR gives an answer, it reaches memory"], one.log
    assert f"assigned {place}, an empty slot" in one.serial, one.log


def test_pulled_from_other_families(guest, payload):
    """UIO and an FPGA port have the device, and the payload starts again without it."""
    one = guest(payload("removal", "glibc"), args=[BEHIND, "files"], qemu_args=SLOT, qmp=True,
                devices=["edu,bus=rp0,kernel.uio=yes,kernel.dma-memory=yes,kernel.afu=edu"],
                settings=[("on-exit", "restart-payload"), ("restart-limit", "1"), ("restart-delay", "0")])
    one.start().wait_for("removal: in use by UIO")
    for line in PULL:
        one.qmp.monitor(line)
    one.wait()
    assert one.output("removal: ")[1:] == [
        "removal: a read gives EIO", "removal: opening UIO gives ENODEV, the FPGA port ENOENT"], one.log
