# SPDX-License-Identifier: BSD-2-Clause
"""A device with a TLB of its own (PCIe address translation services). QEMU's devices keep no translations,
but its IOMMU checks every request, and its trace shows which came in which order."""

import re

import pytest

from test_hello_dma import ROOT_PORT
from test_stale_translation import UNSEEN
from variant import kernel_without

BDF = "0000:01:00.0"
RNG = "virtio-rng-pci,iommu_platform=on,ats=on,disable-legacy=on,bus=rp0"
SWITCHED_ON, SWITCHED_OFF = "0x8000", "0x0"
ALL_PAGES, TWO_MIB = 0x7ffffffff000 | 1, 0xff000 | 1
# In the order the specification demands (6.5.2.5): only behind the IOTLB can a device not fetch it again.
UNMAPPED = ["iotlb", "iotlb", "iotlb", "fence", "device", "wait"]
DETACHED = ["context-cache", "iotlb", "fence", "device", "wait"]


def run(guest, payload, ats, iommu="device-iotlb=on", **options):
    ran = guest(payload("type1"), qemu_args=ROOT_PORT, devices=[RNG], args=[BDF, "unmap_all"], iommu=iommu,
                settings=[("memlock", "512M"), ("ats", ats)], trace=("vtd_*", "pci_cfg_write"), **options).run()
    assert ran.status == 0 and ran.output("ok unmap_all"), ran.log
    return ran


def control(ran):
    """What the kernel wrote to the device's ATS control register (the capability lies at 0x100)."""
    return re.findall(r"pci_cfg_write virtio-rng-pci 01:00.0 @0x106 <- (\S+)$", "\n".join(ran.trace), re.MULTILINE)


def requests(ran):
    """[(type, high half, low half)] in order; a wait that holds up what comes after it is a fence."""
    found = re.findall(r"vtd_inv_desc invalidate desc type (\S+) high (\S+) low (\S+)$", "\n".join(ran.trace), re.MULTILINE)
    return [("fence" if word == "wait" and int(low, 16) & 0x40 else word, int(high, 16), int(low, 16))
            for word, high, low in found]


def missing(ran):
    """What is not as it has to be, of the requests between the start of the unit and its end."""
    types = [word for word, _, _ in requests(ran)]
    at = [index for index, word in enumerate(types) if word == "wait"]
    between = [types[first + 1:last + 1] for first, last in zip(at, at[1:])]
    return [wanted for wanted in (UNMAPPED, DETACHED) if wanted not in between]


def test_on_request(guest, payload):
    ran = run(guest, payload, "yes")
    assert control(ran) == [SWITCHED_ON, SWITCHED_OFF]
    assert not missing(ran), ran.log
    device = [(high, low) for word, high, low in requests(ran) if word == "device"]
    # Both pieces in one power of two, then everything. The device queues 32 requests, written as 0.
    assert device == [(0x100000000 | TWO_MIB, 0x100 << 32 | 3), (ALL_PAGES, 0x100 << 32 | 3)]
    invalidation = ran.report["iommu"]["units"][0]["invalidations"]
    assert invalidation["device-tlb"] == len(device)
    assert invalidation["queue_errors"] == invalidation["time_outs"] == 0
    assert not ran.report["iommu"]["units"][0]["fenced"]


@pytest.mark.parametrize("ats,iommu", (("no", "device-iotlb=on"), ("yes", "device-iotlb=off")))
def test_off_unless_asked_for_and_possible(guest, payload, ats, iommu):
    ran = run(guest, payload, ats, iommu)
    assert control(ran) == []
    words = {word for word, _, _ in requests(ran)}
    assert "wait" in words and not {"device", "fence"} & words


def test_without_the_calls_it_is_missing(guest, payload):
    ran = run(guest, payload, "yes", kernel=kernel_without("unseen", UNSEEN))
    assert missing(ran) == [UNMAPPED, DETACHED]
