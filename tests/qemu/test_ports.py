# SPDX-License-Identifier: BSD-2-Clause
"""Errors that QEMU injects into a port and into a device below it, told by the port's own interrupt."""

import re

ROOT_PORT = ["-device", "pcie-root-port,id=rp0,chassis=1,addr=0x1c"]
BELOW, PORT = "0000:01:00.0", "0000:00:1c.0"
VIRTIO = "virtio-rng-pci,id=rng,iommu_platform=on,disable-legacy=on,aer=on,bus=rp0"


def inject(one, times, device, error):
    """Waits until the payload listens for the last time it will, and then hurts it."""
    for time in range(times):
        one.wait_for(f"errors: {time}, waiting")
        one.qmp.monitor(f"pcie_aer_inject_error {device} {error}")
    one.wait()
    assert one.status == 0, one.log
    assert one.output("errors: ")[-1] == f"errors: {times}, all told", one.log


def test_errors_of_a_device_and_its_port_are_told(guest, payload):
    """Each time the device is reset in between: what lets it speak comes back."""
    one = guest(payload("errors"), args=[BELOW, "2"], qemu_args=ROOT_PORT, devices=[VIRTIO], qmp=True,
                trace=["vtd_ir_remap"]).start()
    inject(one, 2, "rng", "POISON_TLP")
    assert len(re.findall(rf"{PORT}: an error that is not fatal, sent first by {BELOW}", one.serial)) == 2, one.log
