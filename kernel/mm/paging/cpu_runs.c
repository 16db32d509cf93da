/* SPDX-License-Identifier: BSD-2-Clause */
/* The physical runs behind a range of virtual memory, which is what a device is given. */
#include "kernel/mm/paging/cpu_table.h"
#include "kernel/mm/paging/format.h"

struct run_list {
    struct phys_run *runs;
    size_t count;
    size_t capacity;
};

/* Adds a leaf to the runs: to the last one, which ends at `next`, or as one more behind it. */
static inline struct phys_run *add_leaf(struct phys_run *run, paddr_t next, paddr_t base,
                                        uint64_t size)
{
    if (base == next) {
        run[-1].length += size;
        return run;
    }
    *run = (struct phys_run){base, size};
    return run + 1;
}

/*
 * Adds `count` leaves from `slot` on, which are expected to differ from the first in their address
 * only: they have its `marks`. Returns how many do.
 */
static inline size_t add_leaves(struct run_list *list, const uint64_t *slot, size_t count,
                                uint64_t marks, uint64_t size)
{
    struct phys_run *run = list->runs + list->count;
    paddr_t next = list->count ? run[-1].base + run[-1].length : PADDR_NONE;
    size_t done = 0;

#pragma clang loop unroll_count(8)
    for (; done < count; done++) {
        paddr_t base = slot[done] ^ marks;

        if (base & ~PT_ADDRESS)
            break;
        run = add_leaf(run, next, base, size);
        next = base + size;
    }
    list->count = (size_t)(run - list->runs);
    return done;
}

/*
 * Collects whole leaves of one table from the cursor on, and moves it behind them. Short per leaf,
 * because scattered memory has many. True if the cursor stands where a new walk must go on.
 */
static bool runs_in_table(struct table_place *c, uint64_t end, uint64_t mask, uint64_t want,
                          struct run_list *list)
{
    const uint64_t size = pt_span(c->level);
    const uint64_t at = ALIGN_DOWN(c->at, size);
    const uint64_t marks = *c->slot & ~PT_ADDRESS;
    /* One leaf makes one run at most, so the list cannot overflow. */
    const uint64_t fits =
        MIN((end - at + size - 1) >> pt_shift(c->level), list->capacity - list->count);
    const uint64_t count = MIN(PT_ENTRIES - pt_index(at, c->level), fits);

    if ((marks & mask) != want)
        return false;
    c->at = at + add_leaves(list, c->slot, count, marks, size) * size;
    return c->at < end && list->count < list->capacity;
}

size_t cpu_table_runs(const struct splittable *table, uint64_t at, uint64_t end, unsigned need,
                      struct phys_run *out, size_t capacity, bool *device)
{
    struct run_list list = {out, 0, capacity};
    struct table_place c = page_table_seek(&table->pages, at);
    const uint64_t skip = table_place_offset(&c);
    const uint64_t want = need | (*c.slot & PTE_CACHE_OFF);

    if ((*c.slot & need) != need || at >= end)
        return 0;
    *device = *c.slot & PTE_CACHE_OFF;
    while (runs_in_table(&c, end, need | PTE_CACHE_OFF, want, &list))
        c = page_table_seek(&table->pages, c.at);
    /* The first and the last leaf may stick out of the range. */
    if (c.at > end)
        out[list.count - 1].length -= c.at - end;
    out[0].length -= skip;
    out[0].base += skip;
    return list.count;
}
