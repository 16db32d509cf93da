/* SPDX-License-Identifier: BSD-2-Clause */
/* What to invalidate. How it reaches the unit is in queue.c and register.c. */
#include "kernel/iommu/invalidate.h"

#include "kernel/cpu/time.h"
#include "kernel/iommu/queue.h"
#include "kernel/iommu/unit.h"
#include "kernel/lib/error.h"

int invalidation_start(struct iommu_unit *unit, unsigned entries, struct refusal *why)
{
    if (unit->can.queue)
        return queue_start(unit, entries, why);
    unit->invalidation.ops = &register_invalidation;
    return 0;
}

static void add(struct iommu_unit *unit, enum invalidation_kind kind,
                struct vtd_descriptor descriptor)
{
    if (unit->fenced)
        return;
    unit->invalidation.counts[kind]++;
    unit->invalidation.ops->add(unit, descriptor);
}

void invalidate_context_all(struct iommu_unit *unit)
{
    add(unit, INVALIDATED_CONTEXT, vtd_invalidate_context(VTD_GLOBAL, 0, 0));
}

void invalidate_context_device(struct iommu_unit *unit, uint16_t domain, uint16_t rid)
{
    add(unit, INVALIDATED_CONTEXT, vtd_invalidate_context(VTD_DEVICE, domain, rid));
}

void invalidate_all(struct iommu_unit *unit)
{
    add(unit, INVALIDATED_GLOBAL,
        vtd_invalidate_iotlb(VTD_GLOBAL, 0, 0, 0, false, unit->can.drain));
}

void invalidate_domain(struct iommu_unit *unit, uint16_t domain)
{
    add(unit, INVALIDATED_DOMAIN,
        vtd_invalidate_iotlb(VTD_DOMAIN, domain, 0, 0, false, unit->can.drain));
}

/*
 * Cuts a range of pages into naturally aligned blocks. Returns how many, or 0 when there would be
 * more than INVALIDATE_BLOCKS_MAX.
 */
static unsigned cut_blocks(uint64_t first, uint64_t last, unsigned max_mask,
                           unsigned masks[INVALIDATE_BLOCKS_MAX])
{
    unsigned count = 0;

    for (;;) {
        if (count == INVALIDATE_BLOCKS_MAX)
            return 0;
        masks[count] = invalidation_mask(first, last, max_mask);
        if (last - first < BIT(masks[count]))
            return count + 1;
        first += BIT(masks[count++]);
    }
}

void invalidate_range(struct iommu_unit *unit, uint16_t domain, uint64_t first, uint64_t last,
                      unsigned leaf_bits, bool leaf_only)
{
    unsigned masks[INVALIDATE_BLOCKS_MAX], count = 0;
    uint64_t address = ALIGN_DOWN(first, PAGE_SIZE);

    /* A block must be as large as the leaves in it, or it need not reach them (6.5.2.3). */
    if (unit->can.page_selective && unit->can.max_mask + PAGE_SHIFT >= leaf_bits)
        count = cut_blocks(first >> PAGE_SHIFT, last >> PAGE_SHIFT, unit->can.max_mask, masks);
    if (count == 0)
        invalidate_domain(unit, domain);
    for (unsigned i = 0; i < count; i++) {
        add(unit, INVALIDATED_PAGES,
            vtd_invalidate_iotlb(VTD_PAGES, domain, address, masks[i], leaf_only, unit->can.drain));
        address += PAGE_SIZE << masks[i];
    }
}

void invalidate_fence(struct iommu_unit *unit)
{
    if (!unit->fenced)
        unit->invalidation.ops->add(unit, vtd_fence());
}

void invalidate_device_tlb(struct requester *requester, uint64_t first, uint64_t last)
{
    unsigned mask = invalidation_cover(first >> PAGE_SHIFT, last >> PAGE_SHIFT);

    add(requester->unit, INVALIDATED_DEVICE_TLB,
        vtd_invalidate_device_tlb(requester->rid, requester->ats_depth,
                                  ALIGN_DOWN(first, PAGE_SIZE << mask), mask));
}

void invalidate_entries(struct iommu_unit *unit, uint16_t index, unsigned mask)
{
    add(unit, INVALIDATED_ENTRIES, vtd_invalidate_entries(index, mask));
}

void invalidate_all_entries(struct iommu_unit *unit)
{
    add(unit, INVALIDATED_ENTRIES, vtd_invalidate_all_entries());
}

int invalidation_wait(struct iommu_unit *unit)
{
    struct invalidation *invalidation = &unit->invalidation;
    uint64_t start, took;
    int error;

    if (unit->fenced)
        return -EIO;
    start = time_ns();
    error = invalidation->ops->wait(unit);
    took = time_ns() - start;
    invalidation->waits++;
    invalidation->wait_ns_total += took;
    invalidation->wait_ns_max = MAX(invalidation->wait_ns_max, took);
    return error;
}
