/* SPDX-License-Identifier: BSD-2-Clause */
/* What to invalidate. How it reaches the unit is in queue.c and invalidate_registers.c. */
#include "kernel/iommu/invalidate.h"

#include "kernel/cpu/time.h"
#include "kernel/iommu/queue.h"
#include "kernel/iommu/requester.h"
#include "kernel/lib/error.h"

int invalidation_start(struct iommu_unit *unit, unsigned entries, struct refusal *why)
{
    return unit->can.queue ? queue_start(unit, entries, why) : 0;
}

/* Units without a queue have done it when this returns: each request is timed by itself. */
static APART void execute_timed(struct iommu_unit *unit, enum invalidation_kind kind,
                                const struct vtd_descriptor *descriptor)
{
    uint64_t start = time_ns();

    register_execute(unit, descriptor);
    if (!unit->fenced)
        latency_add(&unit->invalidation.latency[kind], time_ns() - start);
}

static inline void add(struct iommu_unit *unit, enum invalidation_kind kind,
                       struct vtd_descriptor descriptor)
{
    if (unit->fenced)
        return;
    unit->invalidation.counts[kind]++;
    if (unit->invalidation.ring)
        queue_add(unit, descriptor);
    else
        execute_timed(unit, kind, &descriptor);
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

/* How many naturally aligned blocks a range of pages falls into; counts no further than `most`. */
static unsigned count_blocks(uint64_t first, uint64_t last, unsigned max_mask, unsigned most)
{
    unsigned count = 1, mask;

    for (; count <= most; count++) {
        mask = invalidation_mask(first, last, max_mask);
        if (last - first < BIT(mask))
            break;
        first += BIT(mask);
    }
    return count;
}

static void invalidate_block(struct iommu_unit *unit, uint16_t domain, uint64_t page, unsigned mask,
                             bool leaf_only)
{
    add(unit, INVALIDATED_PAGES,
        vtd_invalidate_iotlb(VTD_PAGES, domain, page << PAGE_SHIFT, mask, leaf_only,
                             unit->can.drain));
}

void invalidate_range(struct iommu_unit *unit, uint16_t domain, uint64_t first, uint64_t last,
                      unsigned leaf_bits, bool leaf_only)
{
    uint64_t page = first >> PAGE_SHIFT, last_page = last >> PAGE_SHIFT;
    unsigned max_mask = unit->can.max_mask;

    /* A block must be as large as the leaves in it, or it need not reach them (6.5.2.3). */
    if (!unit->can.page_selective || max_mask + PAGE_SHIFT < leaf_bits ||
        (page != last_page &&
         count_blocks(page, last_page, max_mask, INVALIDATE_BLOCKS_MAX) > INVALIDATE_BLOCKS_MAX)) {
        invalidate_domain(unit, domain);
        return;
    }
    for (;;) {
        unsigned mask = page == last_page ? 0 : invalidation_mask(page, last_page, max_mask);

        invalidate_block(unit, domain, page, mask, leaf_only);
        if (last_page - page < BIT(mask))
            return;
        page += BIT(mask);
    }
}

ALWAYS_INLINE void invalidate_leaf(struct iommu_unit *unit, uint16_t domain, uint64_t iova,
                                   unsigned leaf_bits)
{
    unsigned mask = leaf_bits - PAGE_SHIFT;

    if (unit->can.page_selective && mask <= unit->can.max_mask)
        invalidate_block(unit, domain, iova / PAGE_SIZE, mask, true);
    else
        invalidate_domain(unit, domain);
}

void invalidate_fence(struct iommu_unit *unit)
{
    const struct invalidation *queue = &unit->invalidation;

    /* Units without a queue do everything in order. */
    if (!unit->fenced && queue->ring)
        queue_add(unit, vtd_fence(queue->status_physical + sizeof(*queue->status)));
}

void invalidate_device_tlb(struct requester *requester, uint64_t first, uint64_t last)
{
    unsigned mask = invalidation_cover(first >> PAGE_SHIFT, last >> PAGE_SHIFT);
    struct vtd_descriptor descriptor = vtd_invalidate_device_tlb(
        requester->rid, requester->ats_depth, ALIGN_DOWN(first, PAGE_SIZE << mask), mask);

    if (requester->unit->can.throttles)
        descriptor.low |= vtd_physical_function(requester->physical);
    add(requester->unit, INVALIDATED_DEVICE_TLB, descriptor);
    requester->unit->invalidation.devices_asked = requester->unit->invalidation.sequence + 1;
}

void invalidate_entries(struct iommu_unit *unit, uint16_t index, unsigned mask)
{
    add(unit, INVALIDATED_ENTRIES, vtd_invalidate_entries(index, mask));
}

void invalidate_all_entries(struct iommu_unit *unit)
{
    add(unit, INVALIDATED_ENTRIES, vtd_invalidate_all_entries());
}

/* INVALIDATED_KINDS for descriptors that invalidate nothing. */
static enum invalidation_kind kind_of(const struct vtd_descriptor *descriptor)
{
    static const enum invalidation_kind iotlb[] = {
        [VTD_GLOBAL] = INVALIDATED_GLOBAL,
        [VTD_DOMAIN] = INVALIDATED_DOMAIN,
        [VTD_PAGES] = INVALIDATED_PAGES,
    };

    switch (vtd_descriptor_type(descriptor)) {
    case VTD_DESCRIPTOR_CONTEXT:
        return INVALIDATED_CONTEXT;
    case VTD_DESCRIPTOR_IOTLB:
        return iotlb[vtd_descriptor_granularity(descriptor)];
    case VTD_DESCRIPTOR_DEVICE_TLB:
        return INVALIDATED_DEVICE_TLB;
    case VTD_DESCRIPTOR_ENTRY_CACHE:
        return INVALIDATED_ENTRIES;
    default:
        return INVALIDATED_KINDS;
    }
}

/* What is in the ring behind the tail register, one bit for each kind. */
static unsigned kinds_pending(const struct invalidation *queue)
{
    unsigned kinds = 0;

    for (unsigned i = queue->pending; i; i--)
        kinds |= 1U << kind_of(&queue->ring[(queue->tail - i) & (queue->entries - 1)]);
    return kinds;
}

static int wait_timed(struct iommu_unit *unit)
{
    struct invalidation *queue = &unit->invalidation;
    unsigned kinds = kinds_pending(queue);
    uint64_t start = time_ns(), took;
    int error = queue_wait(unit);

    took = time_ns() - start;
    for (unsigned kind = 0; kind < INVALIDATED_KINDS && !error; kind++) {
        if (kinds & (1U << kind))
            latency_add(&queue->latency[kind], took);
    }
    return error;
}

/* Fenced, without a queue, or to be timed: what the usual wait need not look at. */
static APART int wait_noticed(struct iommu_unit *unit)
{
    struct invalidation *queue = &unit->invalidation;

    if (unit->fenced)
        return -EIO;
    queue->waits++;
    if (!queue->ring)
        return 0;
    queue->notice_at =
        queue->waits + (queue->waits < WAITS_TIMED_FIRST ? 0 : WAITS_TIMED_EVERY - 1);
    return wait_timed(unit);
}

ALWAYS_INLINE int invalidation_wait(struct iommu_unit *unit)
{
    struct invalidation *queue = &unit->invalidation;

    if (queue->waits >= queue->notice_at)
        return wait_noticed(unit);
    queue->waits++;
    return queue_wait(unit);
}
