/* SPDX-License-Identifier: BSD-2-Clause */
/* How kernel/mm starts. */
#ifndef KERNEL_MM_MEMORY_H
#define KERNEL_MM_MEMORY_H

#include <bulkhead/boot_info.h>
#include "kernel/lib/types.h"

/* What the configuration says about RAM. */
struct memory_policy {
    const struct phys_run *keep_out; /* left alone: not used, not mapped */
    size_t keep_out_count;
    uint64_t limit;         /* bytes of RAM to use, 0: all */
    struct phys_run window; /* whole pages: RAM to use is there; length 0: anywhere */
};

/*
 * Builds and activates the kernel's own page tables (after which the door's mappings are gone: use
 * phys_to_virt() for the boot data), then starts the frame allocator; the heap works from here on.
 * Boot data stays in place until memory_release_boot_data(), and the kernel's image where the door
 * put it, also outside of the window. cpu_init() must have run, and
 * image_physical must be set. Returns NULL, or a sentence saying what is wrong with the memory.
 */
const char *memory_init(const struct boot_info *info, const struct memory_policy *policy);

/* Gives the boot data (archive, configuration, boot_info) to the frame allocator. */
void memory_release_boot_data(void);

/* All RAM as memory_init() found it, whoever uses it: sorted, disjoint runs. Returns how many. */
size_t memory_ram(const struct phys_run **out);
/* The same for what the firmware reserved, or the policy keeps out. */
size_t memory_reserved(const struct phys_run **out);

#endif
