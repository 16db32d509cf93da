# SPDX-License-Identifier: BSD-2-Clause
"""<bulkhead/device.h>: every call through every family, and the sentences of what fails."""

import pytest

EDU, UIO = "edu", "edu,kernel.uio=yes,kernel.dma-memory=yes"
SENTENCES = {
    "none": "no device of nobody is assigned",
    "uio": "0000:00:10.0 has no file in /sys/class/uio: it is not a device of UIO (option uio=yes)",
    "early": "a container takes memory only after a device was opened in it",
    "bar": "0000:00:10.0: BAR 0 is smaller than 2097152 bytes",
    "interrupts": "0000:00:10.0: it has 1 MSI interrupts, and not 2",
}


@pytest.mark.parametrize("library", ["sdk", "musl", "glibc"])
def test_every_family(guest, payload, library):
    one, other = "0000:01:00.0", "0000:00:11.0"
    ran = guest(payload("library", library), args=["group", "iommufd", "group", "uio"], devices=[f"{EDU},bus=rp", f"{UIO},addr=0x11"],
                qemu_args=["-device", "pcie-root-port,id=rp,chassis=1,addr=0x1c"],
                settings=[("env", f"VFIO_DEVICE={one}"), ("env", f"UIO_DEVICE={other}")]).run()
    assert ran.output("library: ") == [f"library: group: {one} ok", f"library: iommufd: {one} ok", f"library: group: {one} ok",
                                       f"library: uio: {other} ok"], ran.log
    assert ran.status == 0, ran.log


@pytest.mark.parametrize("what", SENTENCES)
def test_sentences(guest, payload, what):
    ran = guest(payload("library"), args=["fail", what], devices=[EDU, UIO]).run()
    assert ran.status == 1 and f": {SENTENCES[what]}\n" in ran.serial, ran.log
