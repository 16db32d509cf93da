# SPDX-License-Identifier: BSD-2-Clause
"""Each call in kernel/ that asks for an invalidation, or waits for one, taken out in turn: a host test
fails without it. QEMU sees part of that, too (test_stale_translation.py); here nothing may be left out."""

import os
import re
import shutil
import subprocess

import pytest

from bulkhead import cli
from conftest import TOP
from variant import host_test_without

ATTACH, DOMAIN, FAULT, INVALIDATE, REMAP, START = (f"kernel/iommu/{name}.c" for name in (
    "attach", "domain", "fault", "invalidate", "remap", "start"))
# (file, function, callee) -> the test that fails without the call
NEEDED = {
    (ATTACH, "entry_appears", "invalidate_context_device"): "iommu_domain",
    (ATTACH, "entry_appears", "invalidate_domain"): "iommu_domain",
    (ATTACH, "entry_appears", "invalidation_wait"): "iommu_domain",
    (ATTACH, "forget", "invalidate_context_device"): "iommu_domain",
    (ATTACH, "forget", "invalidate_device_tlb"): "iommu_device_tlb",
    (ATTACH, "forget", "invalidate_domain"): "iommu_domain",
    (ATTACH, "forget", "invalidate_fence"): "iommu_device_tlb",
    (ATTACH, "forget", "invalidation_wait"): "iommu_domain",
    (DOMAIN, "domain_invalidate", "domain_invalidate_device_tlbs"): "iommu_device_tlb",
    (DOMAIN, "domain_invalidate", "invalidate_domain"): "iommu_domain",
    (DOMAIN, "domain_invalidate", "invalidation_wait"): "iommu_domain",
    (DOMAIN, "domain_invalidate_device_tlbs", "invalidate_device_tlb"): "iommu_device_tlb",
    (DOMAIN, "domain_invalidate_device_tlbs", "invalidate_fence"): "iommu_device_tlb",
    (DOMAIN, "invalidate_gather", "domain_invalidate_device_tlbs"): "iommu_device_tlb",
    (DOMAIN, "invalidate_gather", "invalidate_range"): "iommu_domain",
    (DOMAIN, "iommu_domain_destroy", "domain_invalidate"): "iommu_queue",
    (DOMAIN, "iommu_sync", "invalidate_gather"): "iommu_domain",
    (DOMAIN, "iommu_sync", "invalidation_wait"): "iommu_domain",
    (DOMAIN, "iommu_unmap_now", "invalidate_leaf"): "iommu_inplace",
    (DOMAIN, "iommu_unmap_now", "invalidation_wait"): "iommu_inplace",
    (DOMAIN, "map_any", "domain_invalidate"): "iommu_domain",
    (DOMAIN, "pages_appear", "invalidate_range"): "iommu_domain",
    (DOMAIN, "pages_appear", "invalidation_wait"): "iommu_domain",
    (FAULT, "set_silence", "invalidate_context_device"): "iommu_fault",
    (FAULT, "set_silence", "invalidation_wait"): "iommu_fault",
    (INVALIDATE, "invalidate_leaf", "invalidate_block"): "iommu_domain",
    (INVALIDATE, "invalidate_leaf", "invalidate_domain"): "iommu_domain",
    (INVALIDATE, "invalidate_range", "invalidate_block"): "iommu_domain",
    (INVALIDATE, "invalidate_range", "invalidate_domain"): "iommu_domain",
    (REMAP, "remap_commit", "invalidate_entries"): "irq_entries",
    (REMAP, "remap_commit", "invalidation_wait"): "irq_entries",
    (START, "unit_start", "invalidate_all"): "iommu_unit",
    (START, "unit_start", "invalidate_all_entries"): "iommu_unit",
    (START, "unit_start", "invalidate_context_all"): "iommu_unit",
    (START, "unit_start", "invalidation_wait"): "iommu_unit",
}
FUNCTION = re.compile(r"^[A-Za-z][^\n;{}]*\b(\w+)\([^;{}]*?\)\n\{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
CALL = re.compile(r"\b(invalidate_\w+|domain_invalidate\w*|invalidation_wait)\(")


def test_no_call_is_left_out():
    found = {(str(path.relative_to(TOP)), function, callee)
             for path in TOP.glob("kernel/**/*.c")
             for function, body in FUNCTION.findall(path.read_text()) for callee in CALL.findall(body)}
    assert found == set(NEEDED)


if os.environ.get("BULKHEAD_LONG"):  # compiles a test program for each
    @pytest.mark.parametrize("call", NEEDED, ids="-".join)
    def test_the_host_notices(call):
        name = "-".join(call[1:])
        try:
            program = host_test_without(name, [call], NEEDED[call])
            done = subprocess.run([program], cwd=TOP, stdin=subprocess.DEVNULL, capture_output=True, timeout=280, check=False)
        finally:
            shutil.rmtree(cli.BUILD / "variants" / name, ignore_errors=True)
        assert done.returncode != 0
