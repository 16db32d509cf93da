/* SPDX-License-Identifier: BSD-2-Clause */
/* Splitting of large leaves: see the header. */
#include "kernel/table/split.h"

#include "kernel/lib/error.h"
#include "kernel/table/internal.h"

/* Replaces a large leaf by a table of the next smaller ones: filled first, then put in place. */
static int split(struct page_table *table, const struct table_place *place)
{
    struct entry_writer writer = {.flush = table->flush};
    const unsigned below = place->level - 1;
    uint64_t entry = *place->slot & (below == 1 ? ~PT_LARGE : ~UINT64_C(0));
    uint64_t *entries = table_alloc(table->pool);

    if (!entries)
        return -ENOMEM;
    for (unsigned i = 0; i < PT_ENTRIES; i++)
        entry_store(&writer, &entries[i], entry + i * pt_span(below));
    entry_store(&writer, place->slot, virt_to_phys(entries) | table->link);
    entry_flush(&writer);
    table_count(table, entries, PT_ENTRIES, 0);
    table_count(table, place->slot, 0, 1);
    table->leaves[place->level]--;
    table->leaves[below] += PT_ENTRIES;
    table->tables++;
    return 0;
}

int page_table_cut(struct splittable *table, uint64_t at)
{
    struct table_place place = page_table_seek(&table->pages, at);
    int error = 0;

    while (!error && *place.slot && table_place_offset(&place) != 0) {
        error = split(&table->pages, &place);
        place = page_table_seek(&table->pages, at);
    }
    return error;
}
