/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The short way through a page table: one page in the level 1 table that was used last. No other
 * leaf size is possible there, no table has to be made or retired, and there is nothing to walk.
 * Everything else is left to pagetable_map.c and pagetable_unmap.c.
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
/*@ requires \valid_read(run);
    assigns \nothing; */
static inline uint64_t wrong_bits(const struct phys_run *run, paddr_t limit)
{
    uint64_t rest = run->length - PAGE_SIZE;

    return (run->base | rest | (run->base + rest)) & (~(limit - 1) | (PAGE_SIZE - 1));
}

/* The slot of the page in the table used last, or NULL. */
static inline uint64_t *slot_in_place(const struct page_table *table, uint64_t iova)
{
    return iova / SIZE_2M == table->recent_place ? &table->recent[pt_index(iova, 1)] : NULL;
}

static inline void store_in_place(const struct page_table *table, uint64_t *slot, uint64_t leaf)
{
    entry_put(slot, leaf);
    if (table->flush)
        cache_flush_line(slot);
}

/* Maps a page. False: not a case for the short way, and nothing is changed. */
static inline bool map_in_place(struct page_table *table, uint64_t iova, const struct phys_run *run,
                                unsigned permissions)
{
    uint64_t *slot = slot_in_place(table, iova);

    if (!slot || *slot || permissions - 1 >= PT_PERMISSIONS || run->length != PAGE_SIZE ||
        !IS_ALIGNED(run->base | iova, PAGE_SIZE) || run->base >= table->physical_limit)
        return false;
    store_in_place(table, slot, run->base | pt_leaf_bits(1, permissions, table->snoop));
    table->leaves[1]++;
    if (table->recent_page->live++ == 0)
        table->idle = NULL;
    return true;
}

/* Unmaps a page. False: not a case for the short way, and nothing is changed. */
static inline bool unmap_in_place(struct page_table *table, uint64_t iova)
{
    uint64_t *slot = slot_in_place(table, iova);
    struct iommu_table_page *page = table->recent_page;

    if (!slot || !*slot || (page->live == 1 && table->idle))
        return false;
    store_in_place(table, slot, 0);
    table->leaves[1]--;
    table->removed[1]++;
    if (--page->live == 0) {
        table->idle = page;
        table->idle_iova = iova;
    }
    return true;
}

#endif
