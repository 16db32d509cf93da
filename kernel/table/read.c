/* SPDX-License-Identifier: BSD-2-Clause */
/* Page tables: creation and reading. */
#include "kernel/lib/error.h"
#include "kernel/table/internal.h"

int page_table_init(struct page_table *table, struct table_pool *pool)
{
    table->pool = pool;
    table->root = table_alloc(pool);
    table->tables = 0;
    table->idle = NULL;
    for (unsigned level = 1; level <= PT_LEVELS_MAX; level++)
        table->recent[level].place = PT_NOWHERE;
    for (unsigned level = 0; level <= PT_LEAF_MAX; level++) {
        table->leaves[level] = 0;
        table->removed[level] = 0;
    }
    return table->root ? 0 : -ENOMEM;
}

struct table_place page_table_seek(const struct page_table *table, uint64_t at)
{
    unsigned level = table->levels, shift = pt_shift(level);
    uint64_t *slot = &table->root[(at >> shift) % PT_ENTRIES];

    while (pt_is_table(*slot, level)) {
        level--;
        shift -= 9;
        slot = &child_table(*slot)[(at >> shift) % PT_ENTRIES];
    }
    return (struct table_place){table, at, slot, level};
}

void table_place_step(struct table_place *place)
{
    uint64_t span = pt_span(place->level);
    uint64_t at = ALIGN_DOWN(place->at, span) + span;

    if (pt_index(at, place->level) == 0 || pt_is_table(place->slot[1], place->level)) {
        *place = page_table_seek(place->table, at);
        return;
    }
    place->at = at;
    place->slot++;
}

bool table_place_leaf(struct table_place *place, uint64_t end)
{
    while (place->at < end && !*place->slot)
        table_place_step(place);
    return place->at < end;
}
