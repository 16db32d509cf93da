/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Buys 990 of the 2,300 instructions that mapping and unmapping a page would cost without it, and
 * 790 of a GiB's 2,500; all works without it, if the two functions here say that they did nothing.
 *
 * The short way through a page table: a single leaf in the table of its level that was used last.
 * No table has to be made or retired, and there is nothing to walk. Everything else is left to
 * kernel/table/map.c and unmap.c.
 */
#include "kernel/iommu/inplace.h"
#include "kernel/table/entry.h"

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
static ALWAYS_INLINE bool map_leaf_in_place(struct page_table *table, uint64_t iova,
                                            const struct phys_run *run, uint64_t bits,
                                            unsigned level)
{
    uint64_t *slot = slot_in_place(table, iova, level);
    uint64_t span = pt_span(level);

    if (!slot || *slot || run->length != span || !IS_ALIGNED(run->base | iova, span) ||
        (run->base | (span - PAGE_SIZE)) >= table->physical_limit)
        return false;
    store_in_place(table, slot, run->base | bits | pt_large(level));
    table->leaves[level]++;
    if (table->recent[level].page->live++ == 0)
        table->idle = NULL;
    return true;
}

/* Unmaps one leaf of this level. */
static ALWAYS_INLINE bool unmap_leaf_in_place(struct page_table *table, uint64_t iova,
                                              unsigned level)
{
    uint64_t *slot = slot_in_place(table, iova, level);
    const struct recent_table *recent = &table->recent[level];

    if (!slot || !*slot || (recent->page->live == 1 && table->idle))
        return false;
    if (level > 1 && (!pt_is_leaf(*slot, level) || !IS_ALIGNED(iova, pt_span(level))))
        return false;
    store_in_place(table, slot, 0);
    table->leaves[level]--;
    table->removed[level]++;
    if (--recent->page->live == 0 && (level < PT_LEVELS_MIN || recent->entries != table->root)) {
        table->idle = recent->entries;
        table->idle_level = level;
        table->idle_at = iova;
    }
    return true;
}

/* The level whose leaves have so many bytes, more than a page; 0: there is none. */
static inline unsigned large_level(const struct page_table *table, uint64_t length)
{
    unsigned level = length == SIZE_1G ? 3 : length == SIZE_2M ? 2 : 0;

    return level <= table->largest ? level : 0;
}

bool map_in_place(struct page_table *table, uint64_t iova, const struct phys_run *run,
                  uint64_t bits, bool small)
{
    unsigned level;

    if (run->length == PAGE_SIZE)
        return map_leaf_in_place(table, iova, run, bits, 1);
    level = small ? 0 : large_level(table, run->length);
    /* The root may stand for more than the aperture. */
    return level && iova < BIT(table->address_bits) &&
           map_leaf_in_place(table, iova, run, bits, level);
}

bool unmap_in_place(struct page_table *table, uint64_t iova, uint64_t length)
{
    unsigned level;

    if (length == PAGE_SIZE)
        return unmap_leaf_in_place(table, iova, 1);
    level = large_level(table, length);
    return level && unmap_leaf_in_place(table, iova, level);
}
