/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/mm/memory.h"
#include "kernel/lib/error.h"
#include "kernel/mm/frames/frames.h"
#include "kernel/mm/memmap.h"
#include "kernel/mm/paging/paging.h"

/* As little as memory-limit may say. */
#define WINDOW_LEAST (32 * MIB)

static struct memmap map;

/* Boot data becomes ordinary memory once it was read. */
static bool covers_boot_data(const struct memory_policy *policy)
{
    for (size_t i = 0; i < policy->keep_out_count; i++) {
        for (size_t j = 0; j < map.held_count; j++) {
            if (ranges_overlap(policy->keep_out[i].base, policy->keep_out[i].length,
                               map.held[j].base, map.held[j].length))
                return true;
        }
    }
    return false;
}

static uint64_t usable_bytes(void)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < map.usable_count; i++)
        sum += map.usable[i].length;
    return sum;
}

const char *memory_init(const struct boot_info *info, const struct memory_policy *policy)
{
    /* Still at its physical address: the door mapped it there. */
    const struct boot_memory *regions = (const struct boot_memory *)(uintptr_t)info->memory;
    const char *problem;
    int error = memmap_build(&map, regions, info->memory_count, policy);

    if (error)
        return error == -ENOSPC ? "the memory map has too many regions"
                                : "a region of the memory map wraps around";
    if (covers_boot_data(policy))
        return "a keep-out range covers what the boot door left in memory";
    if (policy->window.length && usable_bytes() < WINDOW_LEAST)
        return "the window that `memory` gives has less than 32 MiB of RAM that is free";
    problem = paging_init(&map);
    if (problem)
        return problem;
    if (frames_init(map.usable, map.usable_count, map.held, map.held_count))
        return "no run of memory is large enough for the frame allocator";
    paging_use_frames();
    return NULL;
}

void memory_release_boot_data(void)
{
    for (size_t i = 0; i < map.held_count; i++)
        if (frames_owned(map.held[i].base, map.held[i].length))
            frames_release(map.held[i].base, map.held[i].length);
    map.held_count = 0;
}

size_t memory_ram(const struct phys_run **out)
{
    *out = map.ram;
    return map.ram_count;
}

size_t memory_reserved(const struct phys_run **out)
{
    *out = map.reserved;
    return map.reserved_count;
}
