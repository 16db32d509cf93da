# SPDX-License-Identifier: BSD-2-Clause
"""./bulkhead devices: what it shows of machines with a switch, a bridge and several functions, and how it ends."""

import subprocess

from bulkhead import collect, topology
from conftest import TOP, make

ROOT_PORT = "pcie-root-port,id=rp,chassis=1,addr=0x1c"
ENDPOINT = "e1000e,romfile="
SWITCH = (ROOT_PORT, "x3130-upstream,id=up,bus=rp", "xio3130-downstream,id=d0,bus=up,chassis=2,slot=0",
          "xio3130-downstream,id=d1,bus=up,chassis=3,slot=1", f"{ENDPOINT},bus=d0", f"{ENDPOINT},bus=d1")
BRIDGE = (ROOT_PORT, "pcie-pci-bridge,id=bridge,bus=rp", "edu,bus=bridge,addr=3",
          f"{ENDPOINT},addr=0x1b.0,multifunction=on", f"{ENDPOINT},addr=0x1b.1")


def devices(*words, hardware=()):
    words = [*words, *(word for one in hardware for word in ("--qemu-arg", "-device", "--qemu-arg", one))]
    return subprocess.run([TOP / "bulkhead", "devices", *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, encoding="utf-8", timeout=180, check=False)


def block(shown, address):
    """What is shown of one device: its own line and those below it, without the lines that draw the tree."""
    lines = [line.lstrip("│├└─ ") for line in shown.splitlines()]
    start = next(number for number, line in enumerate(lines) if line.startswith(f"{address}  "))
    own = [lines[start]]
    for line in lines[start + 1:]:
        if line[:2].isalnum() and line[2:3] == ":":
            break
        own.append(" ".join(line.split()))
    return own


def replayed(name):
    """What the kernel's code makes of the same machine on this one, after ./bulkhead collect in a Linux on it."""
    told = subprocess.run([make(collect.REPLAY), TOP / f"tests/replay/data/{name}.txt"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, encoding="utf-8", check=True).stdout
    return topology.tree(topology.read(told))


def shown(ran):
    """The tree, without what make says where something had to be built."""
    return ran.stdout[ran.stdout.index("00:00.0  "):]


def test_switch():
    ran = devices("--device", "nvme", hardware=SWITCH)
    assert ran.returncode == 0, ran.stderr
    assert block(ran.stdout, "00:10.0")[1:5] == ["group 1, assigned", "reset function-level", "bar0 memory 0xfe600000, 16 KiB, 64-bit",
                                                 "interrupts INTA, MSI-X 65"], ran.stdout
    assert block(ran.stdout, "00:1c.0")[0] == "00:1c.0  1b36:000c  PCI bridge, root port"
    assert "buses 02 to 04" in block(ran.stdout, "01:00.0")
    assert "with 02:00.0: no access control at port 02:00.0" in block(ran.stdout, "03:00.0")
    assert "with 02:00.0: one switch, no access control at port 02:00.0" in block(ran.stdout, "02:01.0")
    assert "bar2 io 0xd000, 32 bytes" in block(ran.stdout, "03:00.0")
    assert shown(ran).replace(", assigned", "") == replayed("q35-switch")
    # The tree: below the root port is the switch, below its second port the second card.
    assert "\n└─ 01:00.0" in ran.stdout and "\n   └─ 02:01.0" in ran.stdout and "\n      └─ 04:00.0" in ran.stdout


def test_bridge_functions_and_a_device_that_is_not_there(tmp_path):
    (tmp_path / "bulkhead.conf").write_text("device = 00:05.0\nlog-level = error\n")
    ran = devices("--config", tmp_path / "bulkhead.conf", hardware=BRIDGE)
    assert ran.returncode == 1
    assert ran.stderr.splitlines()[-1] == "bulkhead: the kernel refused to start: no such device: 00:05.0"
    assert shown(ran) == replayed("q35-bridge")
    card = block(ran.stdout, "02:03.0")
    assert "with 01:00.0: conventional bus of bridge 01:00.0" in card and "sends as 02:00.0" in card
    assert "sends as 01:00.0" in card
    assert "with 00:1b.0: one device, no access control at 00:1b.0" in block(ran.stdout, "00:1b.1")


def test_virtual_functions_and_more_than_there_are(tmp_path):
    """What cannot be had is refused when all that is there has been shown, and nothing of it is."""
    hardware = (ROOT_PORT, "nvme-subsys,id=subsystem",
                "nvme,serial=x,subsys=subsystem,bus=rp,sriov_max_vfs=2,sriov_vq_flexible=4,sriov_vi_flexible=2")
    for wanted, status in ((2, 0), (3, 1)):
        (tmp_path / "bulkhead.conf").write_text(f"device = 01:00.0 vfs={wanted}\n")
        ran = devices("--config", tmp_path / "bulkhead.conf", hardware=hardware)
        assert ran.returncode == status, ran.stderr
        assert "reset function-level" in block(ran.stdout, "01:00.0"), ran.stdout
        assert ("01:00.1  " in ran.stdout) == (status == 0), ran.stdout
    assert ran.stderr.splitlines()[-1] == \
        "bulkhead: the kernel refused to start: device 0000:01:00.0 has at most 2 virtual functions, not 3"


def test_one_of_several_by_its_class(tmp_path):
    (tmp_path / "bulkhead.conf").write_text("device = class:0200#2 # the second network card\n")
    ran = devices("--config", tmp_path / "bulkhead.conf", hardware=BRIDGE)
    assert ran.returncode == 0, ran.stderr
    assert "group 1, assigned" in block(ran.stdout, "00:1b.1") and "group 1" in block(ran.stdout, "00:1b.0")


def test_uefi():
    ran = devices("--firmware", "uefi", "--device", "edu")
    assert ran.returncode == 0, ran.stderr
    assert block(ran.stdout, "00:10.0")[:2] == ["00:10.0  1234:11e8  class 00ff00, conventional", "group 1, assigned"]


def test_a_machine_that_cannot_be_protected():
    ran = devices("--no-iommu")
    assert ran.returncode == 1 and "no VT-d IOMMU" in ran.stderr
