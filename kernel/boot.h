/* SPDX-License-Identifier: BSD-2-Clause */
/* What the door handed over, checked before anything in it is believed. */
#ifndef KERNEL_BOOT_H
#define KERNEL_BOOT_H

#include <bulkhead/boot_info.h>
#include "kernel/lib/refusal.h"
#include "kernel/lib/types.h"

#define BOOT_REGIONS_MAX 1024
#define BOOT_TEXT_MAX    (64 * KIB) /* of the command line, and of the configuration */

/*
 * Checks the fixed part of the structure: everything but what its pointers lead to. Door and kernel
 * must agree on the version. Pure. -EINVAL with a sentence.
 */
int boot_check(const struct boot_info *info, struct refusal *why);
/*
 * Checks that the kernel and the archive lie in RAM that the memory map knows, clear of each other
 * and of the `keep_out` ranges: the kernel reaches them through its map of that RAM. Pure.
 * `regions` is the map that info->memory points to. -EINVAL with a sentence.
 */
int boot_check_placement(const struct boot_info *info, const struct boot_memory *regions,
                         const struct phys_run *keep_out, size_t keep_out_count,
                         struct refusal *why);

#endif
