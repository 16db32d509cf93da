/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files that change a page table share. */
#ifndef KERNEL_TABLE_INTERNAL_H
#define KERNEL_TABLE_INTERNAL_H

#include "kernel/table/entry.h"
#include "kernel/table/page_table.h"

/* Entries, and tables among them, that came to or went from the table with this slot. */
static inline void table_count(const struct page_table *table, const uint64_t *slot, int live,
                               int tables)
{
    struct table_page *page;

    if (table->permanent)
        return;
    page = table_page_of(slot);
    page->live = (uint16_t)(page->live + live);
    page->tables = (uint16_t)(page->tables + tables);
}

static inline bool table_is_empty(const struct page_table *table, const uint64_t *entries)
{
    return !table->permanent && table_page_of(entries)->live == 0;
}

/* Makes a table the one of its level that was used last. */
static inline void table_use(struct page_table *table, uint64_t *entries, unsigned level,
                             uint64_t at)
{
    if (table->remembers)
        table->recent[level] =
            (struct recent_table){entries, table_page_of(entries), at >> pt_shift(level + 1)};
}

/*
 * Stores runs that are one leaf of `span` bytes each, at the slots from `slot` on. Stops at the
 * first that is anything else, has one of the bits `wrong` in its base, or whose slot is taken.
 * Returns how many were stored: 0 is always right. `slot` has room for `count`.
 */
size_t table_store_runs(const struct phys_run *run, size_t count, uint64_t span, uint64_t wrong,
                        uint64_t bits, uint64_t *slot);

#endif
