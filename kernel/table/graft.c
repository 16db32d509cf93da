/* SPDX-License-Identifier: BSD-2-Clause */
/* Moving what one page table holds into another. */
#include "kernel/lib/panic.h"
#include "kernel/table/internal.h"

/* Moves the first `count` entries of one table into another of the same level. */
static void graft(struct page_table *table, uint64_t *to, uint64_t *from, unsigned level,
                  unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (from[i] == 0)
            continue;
        if (to[i] == 0) {
            to[i] = from[i];
            table_count(table, to, 1, pt_is_table(to[i], level));
        } else {
            ASSERT(pt_is_table(to[i], level) && pt_is_table(from[i], level));
            graft(table, child_table(to[i]), child_table(from[i]), level - 1, PT_ENTRIES);
            table_release(table->pool, child_table(from[i]));
            table->tables--;
        }
        from[i] = 0;
    }
}

void page_table_graft(struct page_table *table, struct page_table *from, unsigned count)
{
    ASSERT(table->levels == from->levels);
    graft(table, table->root, from->root, table->levels, count);
    *table_page_of(from->root) = (struct table_page){0};
    for (unsigned level = 1; level <= PT_LEAF_MAX; level++) {
        table->leaves[level] += from->leaves[level];
        from->leaves[level] = 0;
    }
    table->tables += from->tables;
    from->tables = 0;
}
