# SPDX-License-Identifier: BSD-2-Clause
"""DMA right after every way of taking memory from a device: QEMU caches translations, so each write is
refused only because the kernel invalidated. And the other way round: with an invalidation taken out
of the kernel's source, the same write lands."""

import re

import pytest

from variant import kernel_without

BDF = "0000:00:10.0"
CASES = ("page", "range", "far-apart", "everything", "large-leaf", "large-to-small", "small-to-large", "read-only",
         "reading", "detach", "replace-ioas", "replace-table", "close", "unmap-all")
FIRST, APART, PAGE = 0x8000000, 0x400000, 4096
# Physical pages of the same numbers as IOVAs, one of each case: where DMA would land untranslated.
PROBED = {"range": 1, "far-apart": 1, "large-leaf": 511, "large-to-small": 1, "small-to-large": 1, "unmap-all": 1}
CANARIES = tuple(FIRST + i * APART + PROBED.get(case, 0) * PAGE for i, case in enumerate(CASES))


def run(guest, payload, *cases, **options):
    return guest(payload("stale"), devices=["edu"], args=[BDF, *cases], icount=8, **options).run()


def answers(ran):
    """[(case, address, what became of the second write)]"""
    return [(case, int(address, 16), word) for case, address, word in
            (line.removeprefix("stale: ").split() for line in ran.output("stale: "))]


def cached(ran, address):
    """Did the IOTLB hold a translation of the page?"""
    return any(re.search(rf"vtd_iotlb_page_(update|hit) .* iova {address:#x} ", line) for line in ran.trace)


def refused(ran, address):
    """How many accesses to the page QEMU refused."""
    return sum(bool(re.search(rf"vtd_dmar_fault .* addr {address >> 12:#x}[0-9a-f]{{3}} ", line)) for line in ran.trace)


@pytest.fixture(scope="module")
def traced(tmp_path_factory, payload):
    from guest import Guest
    ran = Guest(payload("stale"), tmp_path_factory.mktemp("stale"), devices=["edu"], args=[BDF, "all"], icount=8,
                canaries=CANARIES, trace=("vtd_*",))
    try:
        yield ran.run()
    finally:
        (ran.folder / "memory.img").unlink(missing_ok=True)


@pytest.mark.parametrize("case", CASES)
def test_dma_after_the_memory_was_taken(traced, case):
    found = [(address, word) for name, address, word in answers(traced) if name == case]
    assert found and not any(word == "LANDED" for _, word in found), traced.log
    for address, word in found:
        assert cached(traced, address), traced.log
        assert (refused(traced, address) > 0) == (word == "refused"), traced.log


def test_nothing_landed_elsewhere(traced):
    assert traced.status == 0, traced.log
    assert traced.canaries_touched() == []
    assert {case for case, _, _ in answers(traced)} == set(CASES)
    assert traced.report["memory"]["pins"] == 0 and traced.report["memory"]["orphans"] == 0


@pytest.mark.parametrize("iommu", ("caching-mode=on", "aw-bits=39", "x-scalable-mode=on"))
def test_on_other_units(guest, payload, iommu):
    ran = run(guest, payload, "all", iommu=iommu)
    assert ran.status == 0, ran.log
    assert {case for case, _, _ in answers(ran)} == set(CASES), ran.log
    assert all(word != "LANDED" for _, _, word in answers(ran)), ran.log


def test_large_leaves_were_large(traced):
    for case in ("large-leaf", "large-to-small", "unmap-all"):
        address = next(address for name, address, _ in answers(traced) if name == case) & ~0x1fffff
        assert any(re.search(rf"vtd_dmar_translate .* iova {address:#x} .* mask 0x1fffff$", line)
                   for line in traced.trace), case


INVALIDATE, ATTACH, DOMAIN = (f"kernel/iommu/{name}.c" for name in ("invalidate", "attach", "domain"))
# What is taken out -> the calls, and the cases that fail then.
NEEDED = {
    "page-selective": ([(INVALIDATE, "invalidate_range", "invalidate_block"), (INVALIDATE, "invalidate_leaf", "invalidate_block")],
                       ("page", "range", "everything", "large-leaf", "large-to-small", "small-to-large", "read-only",
                        "reading", "unmap-all")),
    "domain-selective": ([(INVALIDATE, "invalidate_range", "invalidate_domain")], ("far-apart",)),
    "after-an-unmap": ([(DOMAIN, "iommu_sync", "invalidate_gather")], ("range", "far-apart")),
    "after-an-unmap-of-a-leaf": ([(DOMAIN, "iommu_unmap_now", "invalidate_leaf")], ("page", "large-leaf")),
    "context": ([(ATTACH, "forget", "invalidate_context_device")], ("detach", "replace-ioas", "replace-table")),
    "domain-of-a-context": ([(ATTACH, "forget", "invalidate_domain")], ("detach", "replace-ioas", "replace-table")),
}


@pytest.mark.parametrize("name,case", [(name, case) for name, (_, cases) in NEEDED.items() for case in cases])
def test_without_the_invalidation_it_lands(guest, payload, name, case):
    ran = run(guest, payload, case, kernel=kernel_without(name, NEEDED[name][0]))
    assert "LANDED" in {word for _, _, word in answers(ran)}, ran.log


FAULT, REMAP, START = (f"kernel/iommu/{name}.c" for name in ("fault", "remap", "start"))
# QEMU keeps no absent entries, no interrupt entries, no device TLBs and no paging-structure entries, and
# forgets everything when translation is switched on. Each of these calls is needed all the same: test_needed_invalidations.py.
UNSEEN = [
    (DOMAIN, "pages_appear", "invalidate_range"),
    (DOMAIN, "domain_invalidate", "invalidate_domain"),
    (DOMAIN, "domain_invalidate", "domain_invalidate_device_tlbs"),
    (DOMAIN, "domain_invalidate_device_tlbs", "invalidate_fence"),
    (DOMAIN, "domain_invalidate_device_tlbs", "invalidate_device_tlb"),
    (DOMAIN, "invalidate_gather", "domain_invalidate_device_tlbs"),
    (ATTACH, "entry_appears", "invalidate_context_device"),
    (ATTACH, "entry_appears", "invalidate_domain"),
    (ATTACH, "forget", "invalidate_fence"),
    (ATTACH, "forget", "invalidate_device_tlb"),
    (FAULT, "set_silence", "invalidate_context_device"),
    (REMAP, "remap_commit", "invalidate_entries"),
    (START, "unit_start", "invalidate_context_all"),
    (START, "unit_start", "invalidate_all"),
    (START, "unit_start", "invalidate_all_entries"),
]


# Switching this on needs what was invalidated since the table's address was last set.
NEEDS = {"vtd_dmar_enable enable 1": {"contexts", "iotlb"}, "vtd_ir_enable enable 1": {"entries"}}
LOADS = {"vtd_reg_dmar_root": {"contexts", "iotlb"}, "vtd_reg_ir_root": {"entries"}}
REQUESTS = {"vtd_inv_desc_cc_global": {"contexts"}, "vtd_inv_desc_iotlb_global": {"iotlb"},
            "vtd_inv_desc_iec granularity 0x0": {"entries"}}


def not_forgotten(ran):
    """What QEMU's trace shows to be used before it was invalidated and waited for; and, in the end, the interrupt
    entries that were not invalidated after their last use."""
    asked, done, missing, used = set(), set(), set(), set()
    for line in ran.trace:
        for words, what in REQUESTS.items():
            asked |= what if line.startswith(words) else set()
        for words, what in LOADS.items():
            done -= what if line.startswith(words) else set()
        for words, what in NEEDS.items():
            missing |= what - done if line.startswith(words) else set()
        if found := re.match(r"vtd_inv_desc_iec granularity 0x1 index (0x[0-9a-f]+) mask (0x[0-9a-f]+)", line):
            first, mask = (int(word, 16) for word in found.groups())
            asked |= set(range(first, first + (1 << mask)))
            used -= asked
        if line.startswith("vtd_inv_desc_wait_sw"):
            done, asked = done | asked, set()
        if found := re.match(r"vtd_ir_irte_get index (\d+) ", line):
            missing |= {int(found[1])} - done
            used.add(int(found[1]))
    return missing, used


def test_requests_come_before_the_use(guest, hello_dma):
    ran = guest(hello_dma, devices=["edu"], trace=("vtd_*",)).run()
    assert any("vtd_ir_irte_get index 0 " in line for line in ran.trace)
    assert not_forgotten(ran) == (set(), set())


def test_what_qemu_cannot_notice(guest, payload, hello_dma):
    without = kernel_without("unseen", UNSEEN)
    iommu = "caching-mode=on,device-iotlb=on"
    ran = run(guest, payload, "all", kernel=without, iommu=iommu)
    assert ran.status == 0 and "LANDED" not in ran.serial, ran.log
    ran = guest(hello_dma, devices=["edu"], kernel=without, iommu=iommu, trace=("vtd_*",)).run()
    assert ran.status == 0
    assert not_forgotten(ran) == ({"contexts", "iotlb", "entries", 0}, {0})
