/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A sweep over the region's ends in address order: between two ends the highest type that is open
 * there holds.
 */
#include "kernel/mm/memmap.h"
#include "kernel/lib/error.h"

#define TYPES  (BOOT_MEMORY_KERNEL + 1)
#define WINDOW TYPES /* no type of memory, but a region that is open */

/* BIOS and SMM write below, whatever the map says. */
#define LOW_MEMORY MIB

struct edge {
    uint64_t at;
    uint8_t type;
    int8_t change; /* +1: the region begins, -1: it ends */
};

static struct edge edges[2 * MEMMAP_REGIONS_MAX];
static size_t edge_count;

/* Firmware lists are nearly sorted, so inserting from the back is quick. */
static void add_edge(uint64_t at, unsigned type, int change)
{
    size_t i = edge_count++;

    for (; i > 0 && edges[i - 1].at > at; i--)
        edges[i] = edges[i - 1];
    edges[i] = (struct edge){at, (uint8_t)type, (int8_t)change};
}

static int add_region(uint64_t base, uint64_t length, uint32_t type)
{
    uint64_t end;

    if (type < BOOT_MEMORY_USABLE || type >= TYPES)
        type = BOOT_MEMORY_RESERVED;
    if (!range_end(base, length, &end))
        return -EINVAL;
    if (edge_count + 2 > ARRAY_SIZE(edges))
        return -ENOSPC;
    if (type == BOOT_MEMORY_USABLE) {
        base = base > UINT64_MAX - PAGE_SIZE ? end : ALIGN_UP(base, PAGE_SIZE);
        end = ALIGN_DOWN(end, PAGE_SIZE);
    } else {
        base = ALIGN_DOWN(base, PAGE_SIZE);
        end = end > UINT64_MAX - PAGE_SIZE ? ALIGN_DOWN(end, PAGE_SIZE) : ALIGN_UP(end, PAGE_SIZE);
    }
    if (base >= end)
        return 0;
    add_edge(base, type, 1);
    add_edge(end, type, -1);
    return 0;
}

/* What is between two edges lies in the window or outside of it, but not across its ends. */
static int add_window(const struct phys_run *window)
{
    uint64_t base = window->length ? MAX(window->base, LOW_MEMORY) : LOW_MEMORY;
    uint64_t end = window->length ? window->base + window->length : UINT64_MAX;

    if (edge_count + 2 > ARRAY_SIZE(edges))
        return -ENOSPC;
    if (base >= end)
        return 0;
    add_edge(base, WINDOW, 1);
    add_edge(end, WINDOW, -1);
    return 0;
}

static int add_all(const struct boot_memory *regions, size_t count,
                   const struct memory_policy *policy)
{
    const struct phys_run *keep_out = policy->keep_out;
    int error = 0;

    edge_count = 0;
    for (size_t i = 0; i < count && !error; i++)
        error = add_region(regions[i].base, regions[i].length, regions[i].type);
    for (size_t i = 0; i < policy->keep_out_count && !error; i++)
        error = add_region(keep_out[i].base, keep_out[i].length, BOOT_MEMORY_RESERVED);
    return error ? error : add_window(&policy->window);
}

static int append(struct phys_run *runs, size_t *count, uint64_t base, uint64_t length)
{
    struct phys_run *last = runs + *count;

    if (*count > 0 && last[-1].base + last[-1].length == base) {
        last[-1].length += length;
        return 0;
    }
    if (*count == MEMMAP_RUNS_MAX)
        return -ENOSPC;
    *last = (struct phys_run){base, length};
    ++*count;
    return 0;
}

/* Where the list is full its last run grows over what lies between: no BAR is placed there. */
static void append_reserved(struct memmap *map, uint64_t base, uint64_t length)
{
    struct phys_run *last = &map->reserved[MEMMAP_RUNS_MAX - 1];

    if (append(map->reserved, &map->reserved_count, base, length))
        last->length = base + length - last->base;
}

/* RAM in the window goes to its list, RAM outside of it only to the list of all. */
static int append_typed(struct memmap *map, unsigned type, bool inside, uint64_t base,
                        uint64_t length, uint64_t *limit)
{
    uint64_t taken = MIN(length, *limit);
    int error = 0;

    if (type == BOOT_MEMORY_USABLE && inside && taken > 0) {
        *limit -= taken;
        error = append(map->usable, &map->usable_count, base, taken);
    }
    if (type == BOOT_MEMORY_BOOT && inside)
        error = append(map->held, &map->held_count, base, length);
    if (type == BOOT_MEMORY_RESERVED)
        append_reserved(map, base, length);
    else if (!error && type != 0)
        error = append(map->ram, &map->ram_count, base, length);
    return error;
}

int memmap_build(struct memmap *map, const struct boot_memory *regions, size_t count,
                 const struct memory_policy *policy)
{
    unsigned open[TYPES + 1] = {0};
    uint64_t limit = policy->limit ? ALIGN_DOWN(policy->limit, PAGE_SIZE) : UINT64_MAX;
    int error = add_all(regions, count, policy);

    map->usable_count = map->held_count = map->ram_count = map->reserved_count = 0;
    for (size_t i = 0; i < edge_count && !error; i++) {
        unsigned type = TYPES - 1;

        open[edges[i].type] += (unsigned)edges[i].change;
        if (i + 1 == edge_count || edges[i + 1].at == edges[i].at)
            continue;
        while (type > 0 && open[type] == 0)
            type--;
        error = append_typed(map, type, open[WINDOW], edges[i].at, edges[i + 1].at - edges[i].at,
                             &limit);
    }
    return error;
}
