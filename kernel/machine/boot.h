/* SPDX-License-Identifier: BSD-2-Clause */
/* What the door handed over, checked before anything in it is believed. */
#ifndef KERNEL_MACHINE_BOOT_H
#define KERNEL_MACHINE_BOOT_H

#include <bulkhead/boot_info.h>
#include "kernel/lib/refusal.h"
#include "kernel/lib/types.h"

#define BOOT_REGIONS_MAX 1024
#define BOOT_COMMAND_MAX 4095       /* bytes of the command line */
#define BOOT_CONFIG_MAX  (64 * KIB) /* of bulkhead.conf, wherever it was */

/*
 * Checks the fixed part of the structure: everything but what its pointers lead to. Door and kernel
 * must agree on the version. Pure. -EINVAL with a sentence.
 */
int boot_check(const struct boot_info *info, struct refusal *why);
/*
 * Checks that the kernel and the archive lie in RAM that the memory map knows, clear of each other:
 * the kernel reaches them through its map of that RAM. Pure. `regions` is the map that info->memory
 * points to. -EINVAL with a sentence.
 */
int boot_check_placement(const struct boot_info *info, const struct boot_memory *regions,
                         struct refusal *why);
/* Checks that no range to keep out of covers either. Pure. -EINVAL with a sentence. */
int boot_check_keep_out(const struct boot_info *info, const struct phys_run *ranges, size_t count,
                        struct refusal *why);

#endif
