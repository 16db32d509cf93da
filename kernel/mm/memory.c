/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/mm/memory.h"
#include "kernel/lib/error.h"
#include "kernel/mm/frames/frames.h"
#include "kernel/mm/memmap.h"
#include "kernel/mm/paging/paging.h"

static struct memmap map;

const char *memory_init(const struct boot_info *info, const struct memory_policy *policy)
{
    /* Still at its physical address: the door mapped it there. */
    const struct boot_memory *regions = (const struct boot_memory *)(uintptr_t)info->memory;
    const char *problem;
    int error = memmap_build(&map, regions, info->memory_count, policy->keep_out,
                             policy->keep_out_count, policy->limit);

    if (error)
        return error == -ENOSPC ? "the memory map has too many regions"
                                : "a region of the memory map wraps around";
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
