/* SPDX-License-Identifier: BSD-2-Clause */
/* From the boot door's memory regions to page-aligned lists of runs. */
#ifndef KERNEL_MM_MEMMAP_H
#define KERNEL_MM_MEMMAP_H

#include <bulkhead/boot_info.h>
#include "kernel/lib/types.h"
#include "kernel/mm/memory.h"

#define MEMMAP_REGIONS_MAX 512
#define MEMMAP_RUNS_MAX    256

/* Each list is sorted, disjoint and without empty runs. */
struct memmap {
    struct phys_run usable[MEMMAP_RUNS_MAX]; /* RAM nobody uses */
    size_t usable_count;
    struct phys_run held[MEMMAP_RUNS_MAX]; /* boot data: may be released once it has been read */
    size_t held_count;
    struct phys_run ram[MEMMAP_RUNS_MAX]; /* all of it, for the direct map */
    size_t ram_count;
    struct phys_run reserved[MEMMAP_RUNS_MAX]; /* by the firmware, or kept out */
    size_t reserved_count;
};

/*
 * Where regions overlap, or share a page, the higher type wins; a page that is usable only in part
 * is not usable. What is kept out counts as reserved. Outside of the window nothing is usable, nor
 * in the first MiB, and boot data is not to be released; elsewhere the lowest bytes are usable, up
 * to the limit. -ENOSPC: more regions or runs than the tables hold. -EINVAL: a region wraps.
 */
int memmap_build(struct memmap *map, const struct boot_memory *regions, size_t count,
                 const struct memory_policy *policy);

#endif
