/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The short way through a page table: changes inside the level 1 table that was used last. No other
 * leaf size is possible there, no table has to be made or retired, and there is nothing to walk.
 * Everything unusual is left to pagetable_map.c and pagetable_unmap.c.
 */
#ifndef KERNEL_IOMMU_INPLACE_H
#define KERNEL_IOMMU_INPLACE_H

#include "kernel/iommu/entry.h"
#include "kernel/iommu/pagetable.h"

/*
 * The bits that a run must not have. Its first page, the distance from there to its last page, and
 * its last page are all aligned and below the limit; the distance of an empty run is not, and sums
 * of numbers below the limit do not wrap.
 */
static inline uint64_t wrong_bits(const struct phys_run *run, paddr_t limit)
{
    uint64_t rest = run->length - PAGE_SIZE;

    return (run->base | rest | (run->base + rest)) & (~(limit - 1) | (PAGE_SIZE - 1));
}

/* The slot of the first page if the whole range, which must not be all of it, is in that table. */
static inline uint64_t *slot_in_place(const struct page_table *table, uint64_t iova,
                                      uint64_t length)
{
    uint64_t last = iova + (length - 1);

    if (iova / SIZE_2M != table->recent_place || last / SIZE_2M != table->recent_place ||
        length >= SIZE_2M)
        return NULL;
    return &table->recent[pt_index(iova, 1)];
}

/* Stores `count` (not 0) leaves from `leaf` on, or `count` zeros, and flushes their lines. */
static inline void store_in_place(struct page_table *table, uint64_t *slot, uint64_t count,
                                  uint64_t leaf, uint64_t step)
{
    struct entry_writer writer = {slot, slot + count, table->flush};

    do {
        entry_put(slot++, leaf);
        leaf += step;
    } while (slot < writer.end);
    entry_flush(&writer);
}

/* Maps a run, all of it or nothing. False: not a case for the short way. */
static inline bool map_in_place(struct page_table *table, uint64_t iova, const struct phys_run *run,
                                unsigned permissions)
{
    uint64_t *slot = slot_in_place(table, iova, run->length);
    uint64_t count = run->length / PAGE_SIZE, taken = 0;
    struct iommu_table_page *page = table->recent_page;

    if (!slot || permissions - 1 >= PT_PERMISSIONS || !IS_ALIGNED(iova, PAGE_SIZE) ||
        wrong_bits(run, table->physical_limit))
        return false;
    for (uint64_t i = 0; i < count; i++)
        taken |= slot[i];
    if (taken)
        return false;
    store_in_place(table, slot, count, run->base | pt_leaf_bits(1, permissions, table->snoop),
                   PAGE_SIZE);
    table->leaves[1] += count;
    if (page->live == 0)
        table->idle = NULL;
    page->live += (uint32_t)count;
    return true;
}

/* Unmaps a page-aligned range that is not empty. False: not a case for the short way. */
static inline bool unmap_in_place(struct page_table *table, uint64_t iova, uint64_t length,
                                  struct iommu_gather *gather)
{
    uint64_t *slot = slot_in_place(table, iova, length);
    uint64_t count = length / PAGE_SIZE, cleared = 0;
    struct iommu_table_page *page = table->recent_page;

    if (!slot)
        return false;
    for (uint64_t i = 0; i < count; i++)
        cleared += slot[i] != 0;
    /* The table gets empty while another one is the idle one. */
    if (cleared == page->live && table->idle)
        return false;
    if (cleared == 0)
        return true;
    store_in_place(table, slot, count, 0, 0);
    table->leaves[1] -= cleared;
    table->removed[1] += cleared;
    gather->leaves += cleared;
    gather->leaf_bits = MAX(gather->leaf_bits, PAGE_SHIFT);
    gather->first = MIN(gather->first, iova);
    gather->last = MAX(gather->last, iova + (length - 1));
    page->live -= (uint32_t)cleared;
    if (page->live == 0) {
        table->idle = page;
        table->idle_iova = iova;
    }
    return true;
}

#endif
