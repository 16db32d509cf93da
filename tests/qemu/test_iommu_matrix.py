# SPDX-License-Identifier: BSD-2-Clause
"""Every kind of IOMMU that QEMU can be: the demo, and a mapping with leaves of each size that DMA goes
through, and that DMA right after the unmap no longer goes through (QEMU caches translations)."""

import itertools

import pytest

OPTIONS = (("aw-bits=39", "aw-bits=48"), ("caching-mode=off", "caching-mode=on"),
           ("device-iotlb=off", "device-iotlb=on"), ("snoop-control=off", "snoop-control=on"))
MACHINES = [",".join(words) for words in itertools.product(*OPTIONS)]
MACHINES += ["dma-drain=off", "pt=off", "x-scalable-mode=on", "x-scalable-mode=on,x-pasid-mode=on"]
# Not every QEMU has these: tests/skips.txt says what is asked.
MACHINES += ["x-scalable-mode=on,x-flts=on", "x-scalable-mode=on,x-flts=on,fs1gp=off", "stale-tm=on"]


@pytest.mark.parametrize("iommu", MACHINES)
def test_demo(guest, hello_dma, iommu):
    ran = guest(hello_dma, devices=["edu"], iommu=iommu).run()
    assert ran.status == 0, ran.log
    assert len(ran.output("hello-dma: ")) == 3


@pytest.mark.parametrize("iommu", MACHINES)
def test_leaves_of_every_size(guest, payload, iommu):
    ran = guest(payload("leaves"), devices=["edu"], args=["0000:00:10.0"], iommu=iommu, memory="4G",
                settings=[("memlock", "2G")], icount=8).run()
    assert ran.status == 0, ran.log
    for size, found in (("4K", "leaves 1 4K 0 2M 0 1G"), ("2M", "leaves 0 4K 1 2M 0 1G"), ("1G", "leaves 0 4K 0 2M 1 1G")):
        assert ran.output(f"leaves: {size} ok"), ran.log
        assert any(found in line for line in ran.output(f"leaves: {size}:")), ran.log
        assert ran.output(f"leaves: {size} after unmap untouched"), ran.log
    assert ran.report["memory"]["pins"] == 0
    assert ran.report["iommu"]["units"][0]["leaves_made"] == {"4K": 1, "2M": 1, "1G": 1}
