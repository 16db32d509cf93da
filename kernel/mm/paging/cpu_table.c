/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/mm/paging/cpu_table.h"
#include "kernel/lib/error.h"
#include "kernel/lib/panic.h"
#include "kernel/mm/paging/format.h"
#include "kernel/table/entry.h"

struct table_pool cpu_table_pool;

int cpu_table_init(struct splittable *table, bool gib_pages, bool permanent)
{
    *table = (struct splittable){.pages = {.levels = CPU_LEVELS,
                                           .largest = gib_pages ? 3 : 2,
                                           .address_bits = CPU_ADDRESS_BITS,
                                           .link = PTE_LINK,
                                           .permanent = permanent,
                                           .physical_limit = BIT(52)}};
    return page_table_init(&table->pages, &cpu_table_pool);
}

static uint64_t cut_off(uint64_t at)
{
    return at & (BIT(CPU_ADDRESS_BITS) - 1);
}

int cpu_table_map(struct splittable *table, uint64_t at, paddr_t base, uint64_t length,
                  unsigned flags)
{
    const struct phys_run run = {base, length};
    uint64_t mapped;
    int error;

    if (length == 0)
        return 0;
    error = page_table_map(&table->pages, cut_off(at), &run, 1, pte_bits(flags), false, &mapped);
    ASSERT(error == 0 || error == -ENOMEM);
    if (error && mapped)
        cpu_table_unmap(table, at, mapped);
    return error;
}

void cpu_table_unmap(struct splittable *table, uint64_t at, uint64_t length)
{
    struct table_gather gather = TABLE_GATHER_EMPTY;

    if (length == 0)
        return;
    page_table_unmap(&table->pages, cut_off(at), length, &gather);
    page_table_release(&table->pages, &gather);
}

void cpu_table_protect(struct splittable *table, uint64_t at, uint64_t length, unsigned flags)
{
    const uint64_t keep = PT_ADDRESS | PT_LARGE | PTE_OWNED | PTE_UNCACHED;
    uint64_t bits = pte_bits(flags & ~(unsigned)(PAGE_OWNED | PAGE_UNCACHED));
    struct table_place place = page_table_seek(&table->pages, at);
    uint64_t end = at + length;

    for (; table_place_leaf(&place, end); table_place_step(&place)) {
        ASSERT(table_place_offset(&place) == 0 && pt_span(place.level) <= end - place.at);
        entry_put(place.slot, (*place.slot & keep) | bits);
    }
}

bool cpu_table_find(const struct splittable *table, uint64_t at, uint64_t end,
                    struct cpu_mapping *out)
{
    struct table_place place = page_table_seek(&table->pages, at);
    unsigned leaves = 0;

    if (!table_place_leaf(&place, end))
        return false;
    *out = (struct cpu_mapping){place.at, 0, table_place_physical(&place), pte_flags(*place.slot)};
    do {
        out->length += pt_span(place.level) - table_place_offset(&place);
        if (++leaves == PT_ENTRIES || out->length >= end - out->at)
            break;
        table_place_step(&place);
    } while (*place.slot && table_place_physical(&place) == out->base + out->length &&
             pte_flags(*place.slot) == out->flags);
    out->length = MIN(out->length, end - out->at);
    return true;
}

int cpu_table_hold(struct splittable *table, uint64_t at)
{
    int error = page_table_hold(&table->pages, cut_off(at));

    ASSERT(error == 0 || error == -ENOMEM);
    return error;
}

void cpu_table_unhold(struct splittable *table, uint64_t at)
{
    struct table_gather gather = TABLE_GATHER_EMPTY;

    page_table_unhold(&table->pages, cut_off(at), &gather);
    page_table_release(&table->pages, &gather);
}
