# SPDX-License-Identifier: BSD-2-Clause
"""selftest=iommu: the C interface of the IOMMU used by something that is not VFIO. That it passes is worth
something only if it can fail, and only if the device is as good as new behind it."""

import pytest

from bad_input import TRACE, assert_refused
from test_hello_dma import assert_three_lines
from variant import kernel_without

SELFTEST = [("selftest", "iommu")]
DOMAIN, FAULT = "kernel/iommu/domain.c", "kernel/iommu/fault.c"


@pytest.mark.parametrize("iommu", ["", "caching-mode=on", "aw-bits=39"])
def test_it_passes_and_leaves_no_trace(guest, hello_dma, iommu):
    ran = guest(hello_dma, devices=["edu"], settings=SELFTEST, iommu=iommu).run()
    assert "selftest iommu: passed, 4000 bytes to edu and back, 2 interrupts, 1 write refused" in ran.serial, ran.log
    assert_three_lines(ran)
    first = ran.report["iommu"]["past_domains"][0]
    assert first["leaves_made"] == {"4K": 2, "2M": 0, "1G": 0} and first["requesters_ever"] == ["0000:00:10.0"]
    assert ran.report["memory"]["orphans"] == 0


def test_without_an_edu(guest, hello_dma):
    ran = guest(hello_dma, settings=SELFTEST, trace=TRACE).run()
    assert_refused(ran, r"selftest iommu: there is no edu device \(1234:11e8\)")


@pytest.mark.parametrize("name, call, sentence", [
    ("after-an-unmap", (DOMAIN, "iommu_sync", "invalidate_gather"), "a write reached memory that was unmapped"),
    ("unrecorded", (FAULT, "collect_records", "record"), "a refused write was not reported"),
])
def test_it_can_fail(guest, hello_dma, name, call, sentence):
    ran = guest(hello_dma, devices=["edu"], settings=SELFTEST, kernel=kernel_without(name, [call])).run()
    assert ran.report["exit"] == {"reason": "refused", "sentence": f"selftest iommu: {sentence}"}, ran.log
