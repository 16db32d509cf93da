# SPDX-License-Identifier: BSD-2-Clause
"""The rules of VFIO device files, on devices that differ in every capability that matters."""

import re

import pytest

from test_interfaces import cases
from variant import kernel_with

EDU = "edu,dma_mask=0xffffffffffffffff"
ROOT_PORT = ["-device", "pcie-root-port,id=rp0,chassis=1,addr=0x1c"]
PCI_BRIDGE = ["-device", "pcie-pci-bridge,id=bridge,addr=0x1d"]

PAIR = ["e1000e,romfile=,bus=rp0,addr=0.0,multifunction=on", "e1000e,romfile=,bus=rp0,addr=0.1"]

RESETS = {"edu": "none", "ivshmem": "none", "nvme": "function-level", "e1000e": "power-management", "e1000e-pair": "power-management",
          "edu-root-port": "secondary-bus", "edu-pci-bridge": "secondary-bus"}

# name -> (what differs from the plain machine, the device's address)
DEVICES = {
    # MSI, no reset; what no table names can be written
    "edu": ({"devices": ["edu,kernel.raw-config=yes"], "icount": 4}, "0000:00:10.0"),
    "nvme": ({"devices": ["nvme"]}, "0000:00:10.0"),      # MSI-X, function-level reset, a vector table to leave out
    # MSI and MSI-X, I/O ports; it throttles its messages by a clock
    "e1000e": ({"devices": ["e1000e"], "icount": 4}, "0000:00:10.0"),
    # registers in less than a page
    "ivshmem": ({"qemu_args": ["-object", "memory-backend-ram,id=m,size=1M"], "devices": ["ivshmem-plain,memdev=m"]},
                "0000:00:10.0"),
    # alone behind a port: secondary-bus reset; with an alias, though it sends with its own id
    "edu-root-port": ({"qemu_args": ROOT_PORT, "devices": [f"{EDU},bus=rp0,kernel.alias=00.1"], "icount": 4}, "0000:01:00.0"),
    # two functions of one group, and of one bus: hot reset
    "e1000e-pair": ({"qemu_args": ROOT_PORT, "devices": PAIR, "icount": 4}, "0000:01:00.0"),
    # each reset of its bus takes more than a second, which passes at once under icount
    "edu-pci-bridge": ({"qemu_args": PCI_BRIDGE, "devices": [f"{EDU},bus=bridge,addr=3"], "icount": 4}, "0000:01:03.0"),
}


# An expansion ROM that firmware does not run: its checksum is wrong.
ROM = b"\x55\xaa" + bytes(i * i % 251 for i in range(8190))


def sum_of(image):
    total = 0
    for byte in image:
        total = (total * 31 + byte) & 0xffffffff
    return total


def resets(ran):
    """How the assigned devices are reset, as the report says."""
    return {device["reset"] for group in ran.report["groups"] for device in group["devices"] if device["assigned"]}


@pytest.mark.parametrize("name", DEVICES)
def test_vfio_device(guest, payload, name, tmp_path):
    options, address = DEVICES[name]
    if name == "e1000e":
        (tmp_path / "rom").write_bytes(ROM)
        options = {**options, "devices": [f"e1000e,romfile={tmp_path / 'rom'}"]}
    ran = guest(payload("vfio_device"), args=[address], **options).run()
    assert ran.status == 0, ran.log
    assert "FAIL" not in ran.serial and "as Linux" not in ran.serial
    assert f"{len(cases('vfio_device'))} passed, 0 failed" in ran.serial
    assert ("the vector table is mapped" in ran.serial) == name.startswith(("nvme", "e1000e"))
    assert ("mapped 256 bytes" in ran.serial) == (name == "ivshmem")
    assert ("unnamed bytes can be written" in ran.serial) == (name == "edu")
    assert ("raw-config: the payload may write" in ran.serial) == (name == "edu")
    assert ("is taken to send as 0000:01:00.1, too: its option" in ran.serial) == (name == "edu-root-port")
    assert ("registers by ports" in ran.serial) == name.startswith("e1000e")
    if name == "e1000e":
        assert f"expansion ROM: {len(ROM)} bytes, sum {sum_of(ROM):08x}" in ran.serial
        assert "extended capabilities: 0001 0003\n" in ran.serial  # errors, serial number
    assert resets(ran) == {RESETS[name]}
    assert ("the bus has" in ran.serial) == ("bus=" in str(options)) == ("reset through an iommufd" in ran.serial)
    assert ("the bus has 2 functions" in ran.serial) == name.endswith("pair")


@pytest.mark.parametrize("name", ["nvme", "edu-root-port"])
def test_by_the_device_s_own_file(guest, payload, name):
    """The same rules, but for those of groups and containers."""
    options, address = DEVICES[name]
    ran = guest(payload("vfio_device"), args=[f"own:{address}"], **options).run()
    assert ran.status == 0, ran.log
    assert f"{len(cases('vfio_device'))} passed, 0 failed" in ran.serial and "as Linux" not in ran.serial
    assert ran.report["memory"]["pins"] == 0


def test_function_level_reset_of_virtio(guest, payload):
    ran = guest(payload("vfio_device"), args=["0000:01:00.0", "reset", "hot_reset_info", "hot_reset_keeps_what_was_set"],
                qemu_args=ROOT_PORT, devices=["virtio-rng-pci,iommu_platform=on,disable-legacy=on,bus=rp0"], icount=4).run()
    assert ran.status == 0, ran.log
    assert resets(ran) == {"function-level"}


def test_without_remapping_the_vector_table_is_left_out(guest, payload):
    ran = guest(payload("vfio_device"), args=["0000:00:10.0"], devices=["nvme,kernel.uio=yes"],
                iommu="intremap=off", config="unsafe-interrupts = yes\n").run()
    assert ran.status == 0, ran.log
    assert "the vector table is left out" in ran.serial


@pytest.mark.parametrize("library", ["musl", "glibc"])
def test_other_libraries(guest, payload, library):
    """Programs that know nothing of this system: the same source, linked for Linux."""
    ran = guest(payload("vfio_device", library), args=["0000:00:10.0"], devices=["nvme"]).run()
    assert ran.status == 0, ran.log


def test_resets_while_other_threads_work(guest, payload):
    ran = guest(payload("reset_race", "glibc"), args=["0000:00:10.0", "5"], devices=["nvme"]).run()
    assert ran.output("reset_race: ") == ["reset_race: ok, all worked"], ran.log
    assert ran.status == 0


def test_two_threads_reset_one_bus(guest, payload):
    """Each holds its own device when it asks for both: they must not wait for each other."""
    ran = guest(payload("hot_race", "glibc"), args=["0000:01:00.0", "0000:01:00.1", "5"], qemu_args=ROOT_PORT,
                devices=PAIR, icount=4).run()
    assert ran.output("hot_race: ") == ["hot_race: ok"], ran.log
    assert ran.status == 0


# Firmware that gave an e1000e no address: a kernel that clears its BARs before it learns them.
FORGET = """PCI_CLASS_HOST_BRIDGE || ({
    for (unsigned i = 0; d->device == 0x10d3 && i < PCI_BARS; i++)
        pci_write32(d, PCI_BAR0 + 4 * i, 0);
    false; })"""
E1000E = "e1000e,romfile="


def run_forgetful(guest, payload, qemu_args, device, address):
    kernel = kernel_with("forgets-bars", [("kernel/pci/bar.c", "PCI_CLASS_HOST_BRIDGE", FORGET)])
    return guest(payload("vfio_device"), args=[address], qemu_args=qemu_args, devices=[device], kernel=kernel, icount=4).run()


def test_bars_without_an_address_are_placed(guest, payload):
    """Into the windows of the port; the third is ports."""
    ran = run_forgetful(guest, payload, ROOT_PORT, f"{E1000E},bus=rp0", "0000:01:00.0")
    assert ran.status == 0, ran.log
    placed = re.findall(r"0000:01:00.0: BAR (\d) had no address: placed at 0x[0-9a-f]+", ran.serial)
    assert sorted(placed) == ["0", "1", "2", "3"], ran.log


def test_a_bar_that_fits_nowhere_is_refused(guest, payload):
    ran = run_forgetful(guest, payload, [], E1000E, "0000:00:10.0")
    assert "BAR 0 of device 0000:00:10.0 (128 KiB) was given no address by the firmware" in ran.report["exit"]["sentence"]


def test_each_vector_of_msi_has_its_eventfd(guest, payload):
    """The one device of QEMU that has more than one: its messages differ in their data alone."""
    ran = guest(payload("many_msi"), args=["0000:00:10.0"], devices=["nec-usb-xhci,msi=on,msix=off"], icount=4).run()
    assert ran.output("many_msi: ") == ["many_msi: each of 16 came alone"], ran.log
    assert ran.report["interrupts"]["devices"] == 16
    assert ran.status == 0
