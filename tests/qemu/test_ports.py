# SPDX-License-Identifier: BSD-2-Clause
"""Errors that QEMU injects into ports above a device, told by the root port's own interrupt.

Of errors of a device itself QEMU 7.2 sends nothing unless SERR is on in its command register, which is what an
assigned device never has, and it has no masks; tests/unit/test_port.c tries both as the specification has them."""

import re
import struct

import pytest

ROOT_PORT = ["-device", "pcie-root-port,id=rp0,chassis=1,addr=0x1c"]
BELOW, PORT = "0000:01:00.0", "0000:00:1c.0"
VIRTIO = "virtio-rng-pci,id=rng,iommu_platform=on,disable-legacy=on,aer=on,bus=rp0"


SWITCH = ["-device", "x3130-upstream,id=up,bus=rp0,addr=0", "-device", "xio3130-downstream,id=down0,bus=up,chassis=2,addr=0"]

REMAPPABLE = 1 << 4  # the format of a message


def inject(one, *errors, silent=()):
    """Hurts a port each time the payload listens, and sees it to its end. Of some errors nobody hears."""
    one.wait_for("errors: 0, waiting")
    for error in silent:
        assert one.qmp.monitor(f"pcie_aer_inject_error {error}").startswith("OK"), error
    for time, error in enumerate(errors):
        one.wait_for(f"errors: {time}, waiting")
        assert one.qmp.monitor(f"pcie_aer_inject_error {error}").startswith("OK"), error
    one.wait()
    assert one.output("errors: ")[-1] == f"errors: {len(errors)}, all told", one.log
    assert one.status == 0, one.log
    return re.findall(rf"{PORT}: (.*)\n", one.serial)


def test_errors_of_a_port_are_told(guest, payload):
    """Each time the device is reset in between: what lets it speak comes back."""
    one = guest(payload("errors"), args=[BELOW, "3"], qemu_args=ROOT_PORT, devices=[VIRTIO], qmp=True,
                trace=["vtd_ir_remap_msi"]).start()
    told = inject(one, "rp0 POISON_TLP", "rp0 MALF_TLP", "rp0 ECRC",
                  silent=["rng UNSUP", "rng ACSV", "rng MALF_TLP"])
    assert told == [f"an error that is not fatal, sent first by {PORT}; 1 so far",
                    f"a fatal error, sent first by {PORT}; 2 so far",
                    f"an error that is not fatal, sent first by {PORT}; 3 so far"], one.log
    assert "(_OSC is byte code): errors are reported to the kernel" in one.serial, one.log
    addresses = [int(re.search(r"addr (0x\w+)", line)[1], 16) for line in one.trace]
    assert sum(bool(address & REMAPPABLE) for address in addresses) == 3  # no device sends any


def test_errors_pass_through_a_switch(guest, payload):
    """QEMU's devices in one: all ports on the way have to let them through."""
    below, down = "0000:03:00.0", "0000:02:00.0"
    one = guest(payload("errors"), args=[below, "1"], qemu_args=[*ROOT_PORT, *SWITCH], qmp=True,
                devices=[VIRTIO.replace("rp0", "down0")]).start()
    assert inject(one, "down0 MALF_TLP") == [f"a fatal error, sent first by {down}; 1 so far"], one.log


def hest(flags):
    """A HEST with one source: the root port's errors."""
    source = struct.pack("<HHHBBIIIHHH", 6, 0, 0, flags, 1, 1, 1, 0, 0x1c, 0, 0)
    return struct.pack("<I", 1) + source.ljust(48, b"\0")


@pytest.mark.parametrize("flags, whose", [(0, "reported"), (1, "kept by the firmware (HEST)")])
def test_the_firmware_may_keep_errors(guest, payload, tmp_path, flags, whose):
    """Then the root port is left as it was, and shown so."""
    (tmp_path / "hest").write_bytes(hest(flags))
    ran = guest(payload("errors"), qemu_args=[*ROOT_PORT, "-acpitable", f"sig=HEST,data={tmp_path / 'hest'}"],
                devices=[VIRTIO], config="show = devices\n").run()
    assert f"\n  errors {whose}\n" in ran.serial, ran.log
