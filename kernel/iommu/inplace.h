/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The short way through a page table: a single leaf in the table of its level that was used last.
 * No table has to be made or retired, and there is nothing to walk. Everything else is left to
 * pagetable_map.c and pagetable_unmap.c.
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

/* The slot for an IOVA in the table of a level that was used last, or NULL. */
static inline uint64_t *slot_in_place(const struct page_table *table, uint64_t iova, unsigned level)
{
    const struct recent_table *recent = &table->recent[level];

    return iova >> pt_shift(level + 1) == recent->place ? &recent->entries[pt_index(iova, level)]
                                                        : NULL;
}

static inline void store_in_place(const struct page_table *table, uint64_t *slot, uint64_t leaf)
{
    entry_put(slot, leaf);
    if (table->flush)
        cache_flush_line(slot);
}

/* Maps a run that is one leaf of this level. */
static inline bool map_leaf_in_place(struct page_table *table, uint64_t iova,
                                     const struct phys_run *run, unsigned permissions,
                                     unsigned level)
{
    uint64_t *slot = slot_in_place(table, iova, level);
    uint64_t span = pt_span(level);

    if (!slot || *slot || permissions - 1 >= PT_PERMISSIONS || run->length != span ||
        !IS_ALIGNED(run->base | iova, span) ||
        (run->base | (span - PAGE_SIZE)) >= table->physical_limit)
        return false;
    store_in_place(table, slot, run->base | pt_leaf_bits(level, permissions, table->snoop));
    table->leaves[level]++;
    if (table->recent[level].page->live++ == 0)
        table->idle = NULL;
    return true;
}

/* Unmaps one leaf of this level. */
static inline bool unmap_leaf_in_place(struct page_table *table, uint64_t iova, unsigned level)
{
    uint64_t *slot = slot_in_place(table, iova, level);
    struct iommu_table_page *page = table->recent[level].page;

    if (!slot || !*slot || (page->live == 1 && table->idle))
        return false;
    if (level > 1 && (!pt_is_leaf(*slot, level) || !IS_ALIGNED(iova, pt_span(level))))
        return false;
    store_in_place(table, slot, 0);
    table->leaves[level]--;
    table->removed[level]++;
    if (--page->live == 0 && (level < PT_LEVELS_MIN || page != table->root)) {
        table->idle = page;
        table->idle_iova = iova;
    }
    return true;
}

/* Maps a page. False: not a case for the short way, and nothing is changed. */
static inline bool map_in_place(struct page_table *table, uint64_t iova, const struct phys_run *run,
                                unsigned permissions)
{
    return map_leaf_in_place(table, iova, run, permissions, 1);
}

/* Unmaps a page. False: not a case for the short way, and nothing is changed. */
static inline bool unmap_in_place(struct page_table *table, uint64_t iova)
{
    return unmap_leaf_in_place(table, iova, 1);
}

/* The level whose leaves have so many bytes, more than a page; 0: there is none. */
static inline unsigned large_level(const struct page_table *table, uint64_t length)
{
    unsigned level = length == SIZE_1G ? 3 : length == SIZE_2M ? 2 : 0;

    return level <= table->largest ? level : 0;
}

/* The same as the two above for a run that is one large leaf. */
static inline bool map_large_in_place(struct page_table *table, uint64_t iova,
                                      const struct phys_run *run, unsigned permissions)
{
    unsigned level = large_level(table, run->length);

    /* The root may stand for more than the aperture. */
    return level && iova < BIT(table->address_bits) &&
           map_leaf_in_place(table, iova, run, permissions, level);
}

static inline bool unmap_large_in_place(struct page_table *table, uint64_t iova, uint64_t length)
{
    unsigned level = large_level(table, length);

    return level && unmap_leaf_in_place(table, iova, level);
}

#endif
