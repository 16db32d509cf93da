# SPDX-License-Identifier: BSD-2-Clause
"""The test kernel's tests of devices. iommu: the C interface of the IOMMU used by something that is not VFIO;
lines: that of the interrupt lines, which VFIO does not use. That they pass is worth something only if they can
fail, and only if the device is as good as new behind them."""

import pytest

from bad_input import TRACE, assert_refused
from test_hello_dma import assert_three_lines
from variant import kernel_without

DOMAIN, LINE = "kernel/iommu/domain.c", "kernel/irq/line.c"


@pytest.mark.parametrize("iommu", ["", "caching-mode=on", "aw-bits=39"])
def test_it_passes_and_leaves_no_trace(guest, hello_dma, test_kernel, iommu):
    ran = guest(hello_dma, devices=["edu"], args=["iommu"], icount=4, kernel=test_kernel, iommu=iommu).run()
    assert "test iommu: passed, 4000 bytes to edu and back, 2 interrupts, 1 write refused" in ran.serial, ran.log
    assert_three_lines(ran)
    first = ran.report["iommu"]["past_domains"][0]
    assert first["leaves_made"] == {"4K": 2, "2M": 0, "1G": 0} and first["requesters_ever"] == ["0000:00:10.0"]
    assert ran.report["memory"]["orphans"] == 0


def test_without_an_edu(guest, hello_dma, test_kernel):
    ran = guest(hello_dma, args=["iommu"], kernel=test_kernel, trace=TRACE).run()
    assert_refused(ran, r"test iommu: there is no edu device \(1234:11e8\)")


def test_it_can_fail(guest, hello_dma):
    kernel = kernel_without("after-an-unmap", [(DOMAIN, "iommu_sync", "invalidate_gather")], "test-kernel.elf")
    ran = guest(hello_dma, devices=["edu"], args=["iommu"], icount=4, kernel=kernel).run()
    assert ran.report["exit"] == {"reason": "refused", "sentence":
                                  "test iommu: a write reached memory that was unmapped"}, ran.log


# edu's interrupt pin, through an I/O APIC

def test_lines_go_through_remapping(guest, hello_dma, test_kernel):
    ran = guest(hello_dma, devices=["edu"], args=["lines"], icount=4, kernel=test_kernel, trace=("vtd_ir_remap*",)).run()
    assert "test lines: passed, 3 interrupts on line 20" in ran.serial, ran.log
    assert sum(line.startswith("vtd_ir_remap_type IOAPIC") for line in ran.trace) == 3, ran.trace
    assert_three_lines(ran)
    assert ran.report["interrupts"]["stray"] == 0


def test_lines_without_remapping(guest, hello_dma, test_kernel):
    ran = guest(hello_dma, devices=["edu"], args=["lines"], icount=4, kernel=test_kernel, iommu="intremap=off",
                settings=[("unsafe-interrupts", "yes")]).run()
    assert "test lines: passed" in ran.serial, ran.log


def test_lines_without_an_edu(guest, hello_dma, test_kernel):
    ran = guest(hello_dma, args=["lines"], kernel=test_kernel, trace=TRACE).run()
    assert_refused(ran, r"test lines: there is no edu device \(1234:11e8\)")


def test_lines_need_their_entry(guest, hello_dma):
    kernel = kernel_without("no-entry-for-lines", [(LINE, "route_remapped", "remap_write")], "test-kernel.elf")
    ran = guest(hello_dma, devices=["edu"], args=["lines"], icount=4, kernel=kernel).run()
    assert ran.report["exit"] == {"reason": "refused", "sentence":
                                  "test lines: 0 interrupts instead of 1 after the first"}, ran.log
