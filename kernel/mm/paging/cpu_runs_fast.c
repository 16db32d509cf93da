/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Buys 150 of the 1,300 instructions of mapping and unmapping a page for a device; all works
 * without it, if the function here says that there is no such run.
 *
 * One leaf that covers everything is the usual case: no place in the tree to be kept for that.
 */
#include "kernel/mm/paging/cpu_table.h"
#include "kernel/mm/paging/format.h"

bool cpu_table_run_of_leaf(const struct splittable *table, uint64_t at, uint64_t end, unsigned need,
                           struct phys_run *out)
{
    uint64_t entry = table->pages.root[pt_index(at, CPU_LEVELS)];
    unsigned level = CPU_LEVELS;
    uint64_t inside;

    /* Unrolled, the levels are constants. */
#pragma clang loop unroll(full)
    while (level > 1) {
        if (!pt_is_table(entry, level))
            break;
        level--;
        entry = child_table(entry)[pt_index(at, level)];
    }
    inside = at & (pt_span(level) - 1);
    if ((entry & (need | PTE_CACHE_OFF)) != need || at >= end || end - at > pt_span(level) - inside)
        return false;
    *out = (struct phys_run){(entry & PT_ADDRESS) + inside, end - at};
    return true;
}
