# SPDX-License-Identifier: BSD-2-Clause
"""Isolation groups of machines with ports, switches and bridges in every order, and why devices share one, each as
the rules have it that stand at the top of kernel/pci/group.c."""

import pytest

from bulkhead import machine, report, run, topology

CARD = "e1000e,romfile="  # one function without access control


def port(name, slot, more=""):
    """A root port, which offers access control (off at boot)."""
    return f"pcie-root-port,id={name},chassis={int(slot.replace('.', ''), 16) % 256},addr=0x{slot}{more}"


def switch(number, bus, *ports, more=""):
    """A switch, none of whose ports has access control."""
    return [f"x3130-upstream,id=up{number},bus={bus}{more}",
            *(f"xio3130-downstream,id={each},bus=up{number},chassis={8 + number},slot={slot}" for slot, each in enumerate(ports))]


PORT, OPEN_PORT = port("rp", "1c"), port("rp", "1c", ",disable-acs=on")
SWITCH = [*switch(0, "rp", "d0", "d1"), f"{CARD},bus=d0", f"{CARD},bus=d1"]
PXB = "pxb-pcie,id=pxb,bus_nr=0x40,bus=pcie.0,addr=0x1c"

# A disk with two virtual functions, none of which has access control: no device of this QEMU with virtual functions has.
VIRTUAL = ["nvme-subsys,id=subsystem", "nvme,serial=x,subsys=subsystem,bus=rp,sriov_max_vfs=2,sriov_vq_flexible=4,sriov_vi_flexible=2"]

FUNCTIONS, PORTS = "one device, no access control at {}", "one switch, no access control at port {}"
OPEN, BUS = "no access control at port {}", "conventional bus of bridge {}"

# name -> (QEMU's devices, {first of a group: {each other of it: why it is not alone}}, and what is assigned, if anything)
MACHINES = {
    # Nobody can reach anybody: requests go up to the root port, whose access control sends them on to the IOMMU.
    "root port": ([PORT, f"{CARD},bus=rp"], {"00:1c.0": {}, "01:00.0": {}}),
    # Rule 4: such a port may send a request straight down again.
    "root port without access control": ([OPEN_PORT, f"{CARD},bus=rp"],
                                         {"00:1c.0": {"01:00.0": OPEN.format("00:1c.0")}}),
    # Rule 2.
    "multifunction": ([f"{CARD},addr=0x1c.0,multifunction=on", f"{CARD},addr=0x1c.1"],
                      {"00:1c.0": {"00:1c.1": FUNCTIONS.format("00:1c.0")}}),
    # Rule 2 below a port that is in order: the functions reach each other before it.
    "multifunction on a link": ([PORT, f"{CARD},bus=rp,addr=0.0,multifunction=on", f"{CARD},bus=rp,addr=0.1"],
                                {"00:1c.0": {}, "01:00.0": {"01:00.1": FUNCTIONS.format("01:00.0")}}),
    # Rule 2: virtual functions are functions of their physical one's device.
    "virtual functions": ([PORT, *VIRTUAL],
                          {"00:1c.0": {}, "01:00.0": {address: FUNCTIONS.format("01:00.0") for address in ("01:00.1", "01:00.2")}},
                          "01:00.0 vfs=2"),
    # And rule 4 of the port takes in all of them.
    "virtual functions below an open port": ([OPEN_PORT, *VIRTUAL],
                                             {"00:1c.0": {address: OPEN.format("00:1c.0") for address in ("01:00.0", "01:00.1", "01:00.2")}},
                                             "01:00.0 vfs=2"),
    # Those that are not enabled are not there.
    "virtual functions that nobody asks for": ([PORT, *VIRTUAL], {"00:1c.0": {}, "01:00.0": {}}),
    # Rule 2 does not join functions that all have access control.
    "multifunction root ports": ([port("rp0", "1c.0", ",multifunction=on"), port("rp1", "1c.1"), f"{CARD},bus=rp0", f"{CARD},bus=rp1"],
                                 {"00:1c.0": {}, "00:1c.1": {}, "01:00.0": {}, "02:00.0": {}}),
    # Rule 2: one that has none joins all; what is below them joins too.
    "multifunction root ports, one without access control":
        ([port("rp0", "1c.0", ",multifunction=on"), port("rp1", "1c.1", ",disable-acs=on"), f"{CARD},bus=rp0", f"{CARD},bus=rp1"],
         {"00:1c.0": {"00:1c.1": FUNCTIONS.format("00:1c.1"), "01:00.0": FUNCTIONS.format("00:1c.1"),
                      "02:00.0": OPEN.format("00:1c.1")}}),
    # Rules 3 and 4: the downstream ports, and what is below them. The upstream port has nobody beside it.
    "switch": ([PORT, *SWITCH],
               {"00:1c.0": {}, "01:00.0": {},
                "02:00.0": {"02:01.0": PORTS.format("02:00.0"), "03:00.0": OPEN.format("02:00.0"),
                            "04:00.0": PORTS.format("02:00.0")}}),
    # Rule 4 of the root port takes in all of it.
    "switch below an open port": ([OPEN_PORT, *SWITCH],
                                  {"00:1c.0": {address: OPEN.format("00:1c.0") for address in
                                               ("01:00.0", "02:00.0", "02:01.0", "03:00.0", "04:00.0")}}),
    # Rule 2 on the link: a card beside the upstream port may reach it, and through it all that is below.
    "switch beside a card": ([PORT, *switch(0, "rp", "d0", more=",addr=0.0,multifunction=on"), f"{CARD},bus=rp,addr=0.1",
                              f"{CARD},bus=d0"],
                             {"00:1c.0": {}, "01:00.0": {address: FUNCTIONS.format("01:00.0") for address in
                                                         ("01:00.1", "02:00.0", "03:00.0")}}),
    # Two switches have no ports in common.
    "two switches": ([port("rp0", "1c"), port("rp1", "1d"), *switch(0, "rp0", "a"), *switch(1, "rp1", "b"),
                      f"{CARD},bus=a", f"{CARD},bus=b"],
                     {"00:1c.0": {}, "00:1d.0": {}, "01:00.0": {}, "04:00.0": {},
                      "02:00.0": {"03:00.0": OPEN.format("02:00.0")}, "05:00.0": {"06:00.0": OPEN.format("05:00.0")}}),
    # Rule 3 of the outer switch takes in the inner one, whose upstream port would be alone elsewhere.
    "switch below a switch": ([PORT, *switch(0, "rp", "d0", "d1"), *switch(1, "d0", "e0"), f"{CARD},bus=e0", f"{CARD},bus=d1"],
                              {"00:1c.0": {}, "01:00.0": {},
                               "02:00.0": {"02:01.0": PORTS.format("02:00.0"), "06:00.0": PORTS.format("02:00.0"),
                                           **{address: OPEN.format("02:00.0") for address in ("03:00.0", "04:00.0", "05:00.0")}}}),
    # Rule 1, with the port above left out: requests from there carry the bridge's id, and no other.
    "bridge": ([PORT, "pcie-pci-bridge,id=bridge,bus=rp", "edu,bus=bridge,addr=3", "edu,bus=bridge,addr=4"],
               {"00:1c.0": {}, "01:00.0": {address: BUS.format("01:00.0") for address in ("02:03.0", "02:04.0")}}),
    "bridge on the root bus": (["pcie-pci-bridge,id=bridge,addr=0x1c", "edu,bus=bridge,addr=3"],
                               {"00:1c.0": {"01:03.0": BUS.format("00:1c.0")}}),
    # Rule 1 of the outer bridge takes in the inner one.
    "bridge below a bridge": (["i82801b11-bridge,id=outer,addr=0x1c", "pci-bridge,id=inner,bus=outer,chassis_nr=1,addr=1",
                               "edu,bus=outer,addr=2", "edu,bus=inner,addr=3"],
                              {"00:1c.0": {address: BUS.format("00:1c.0") for address in ("01:01.0", "01:02.0", "02:03.0")}}),
    # Rule 4 of the downstream port, and rule 1.
    "bridge below a switch": ([PORT, *switch(0, "rp", "d0"), "pcie-pci-bridge,id=bridge,bus=d0", "edu,bus=bridge,addr=3"],
                              {"00:1c.0": {}, "01:00.0": {},
                               "02:00.0": {address: OPEN.format("02:00.0") for address in ("03:00.0", "04:03.0")}}),
    # A second root bus: its devices are as far apart as those of the first one. 00:1c.0 is its host bridge.
    "expander": ([PXB, "pcie-root-port,id=rp,bus=pxb,chassis=1,addr=1", f"{CARD},bus=rp",
                  "pcie-pci-bridge,id=bridge,bus=pxb,addr=2", "edu,bus=bridge,addr=3"],
                 {"00:1c.0": {}, "40:01.0": {}, "41:00.0": {}, "40:02.0": {"42:03.0": BUS.format("40:02.0")}}),
    "expander with all kinds": ([PXB, "pcie-root-port,id=rp,bus=pxb,chassis=1,addr=1,disable-acs=on", f"{CARD},bus=rp",
                                 "pcie-root-port,id=rp1,bus=pxb,chassis=2,addr=2", *switch(0, "rp1", "d0", "d1"),
                                 "pcie-pci-bridge,id=bridge,bus=d0", "edu,bus=bridge,addr=3", f"{CARD},bus=d1"],
                                {"00:1c.0": {}, "40:01.0": {"41:00.0": OPEN.format("40:01.0")}, "40:02.0": {}, "42:00.0": {},
                                 "43:00.0": {"43:01.0": PORTS.format("43:00.0"), "46:00.0": PORTS.format("43:00.0"),
                                             **{address: OPEN.format("43:00.0") for address in ("44:00.0", "45:03.0")}}}),
}
# Of every q35: the host bridge, and the functions of the southbridge, which has no access control.
ALWAYS = {"00:00.0": {}, "00:1f.0": {address: FUNCTIONS.format("00:1f.0") for address in ("00:1f.2", "00:1f.3")}}



@pytest.fixture
def shown(kernel, tmp_path):
    """The devices of a machine, as ./bulkhead devices reads them, the report, and the console."""
    def boot(devices, *assigned):
        console = bytearray()
        words = [word for device in devices for word in ("-device", device)]
        wanted = machine.Machine(payload=None, qemu_args=words, settings=[("show", "devices"), *(("device", each) for each in assigned)])
        command, report_path = machine.prepare(wanted, tmp_path)
        _, kept = run.run_qemu(command, wanted.firmware, console.extend)
        text = (bytes(console) + kept).decode()
        told = report.read(report_path)
        assert told and told["exit"]["reason"] == "shown", text
        return topology.read(text), told, text
    return boot


@pytest.mark.parametrize("name", MACHINES)
def test_groups(shown, name):
    arguments, expected, *assigned = MACHINES[name]
    devices, told, console = shown(arguments, *assigned)
    groups, addresses = {}, {device.group: [] for device in devices}
    for device in devices:
        address = topology.short(device.address)
        addresses[device.group].append(address)
        if "joined" not in device.facts:
            groups[address] = {}
            continue
        other, _, why = topology.short(device.one("joined")).partition(": ")
        assert other in addresses[device.group], console
        groups[addresses[device.group][0]][address] = why
    assert groups == {**ALWAYS, **expected}, console
    assert sorted(addresses) == list(range(len(groups)))
    assert [[topology.short(device["address"]) for device in group["devices"]] for group in told["groups"]] == \
        [addresses[number] for number in sorted(addresses)]
