/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as struct boot_info with its memory map: the checks must end, and what they let through
 * must be memory that the map calls usable, outside the kernel, the archive and the keep-out range.
 */
#include <stdlib.h>
#include <string.h>
#include "kernel/machine/boot.h"
#include "kernel/mm/memmap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct boot_info info;
static struct boot_memory regions[64];
static struct phys_run keep_out;
static struct memmap map;
static struct refusal why;

static void take(const uint8_t **data, size_t *size, void *to, size_t length)
{
    size_t n = MIN(*size, length);

    memset(to, 0, length);
    memcpy(to, *data, n);
    *data += n;
    *size -= n;
}

static void check_run(const struct phys_run *run)
{
    if (!run->length || !IS_ALIGNED(run->base | run->length, PAGE_SIZE))
        abort();
    if (ranges_overlap(run->base, run->length, info.kernel_base, info.kernel_size) &&
        info.memory_count && regions[0].type == BOOT_MEMORY_KERNEL &&
        regions[0].base == info.kernel_base && regions[0].length == info.kernel_size)
        abort();
    if (ranges_overlap(run->base, run->length, keep_out.base, keep_out.length))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    take(&data, &size, &info, sizeof(info));
    info.magic = BOOT_INFO_MAGIC;
    info.version = BOOT_INFO_VERSION;
    take(&data, &size, &keep_out, sizeof(keep_out));
    take(&data, &size, regions, sizeof(regions));
    if (boot_check(&info, &why))
        return 0;
    info.memory_count = MIN(info.memory_count, ARRAY_SIZE(regions));
    if (keep_out.length && keep_out.base + keep_out.length < keep_out.base)
        keep_out.length = 0; /* the configuration refuses it */
    if (boot_check_placement(&info, regions, &why) ||
        boot_check_keep_out(&info, &keep_out, 1, &why))
        return 0;
    const struct memory_policy policy = {.keep_out = &keep_out,
                                         .keep_out_count = keep_out.length ? 1 : 0};
    if (memmap_build(&map, regions, info.memory_count, &policy))
        return 0;
    for (size_t i = 0; i < map.usable_count; i++)
        check_run(&map.usable[i]);
    return 0;
}
