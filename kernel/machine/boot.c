/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/machine/boot.h"
#include "kernel/lib/error.h"

/* A range that a door gives as two numbers; empty is fine, half empty or wrapping is not. */
struct given {
    const char *name;
    uint64_t base;
    uint64_t length;
    uint64_t longest;
};

static int check_range(const struct given *range, struct refusal *why)
{
    uint64_t end;

    if (!range->length)
        return 0;
    if (range->length > range->longest)
        return refuse(why, -EINVAL, "boot information: %s is longer than %lu bytes", range->name,
                      range->longest);
    if (!range->base || !range_end(range->base, range->length, &end))
        return refuse(why, -EINVAL, "boot information: %s (%lu bytes at 0x%lx) is malformed",
                      range->name, range->length, range->base);
    return 0;
}

int boot_check(const struct boot_info *info, struct refusal *why)
{
    const struct given ranges[] = {
        {"the memory map", info->memory, info->memory_count * sizeof(struct boot_memory),
         BOOT_REGIONS_MAX * sizeof(struct boot_memory)},
        {"the kernel image", info->kernel_base, info->kernel_size, GIB},
        {"the command line", info->command_line, info->command_line_size, BOOT_COMMAND_MAX},
        {"the configuration", info->config, info->config_size, BOOT_CONFIG_MAX},
        {"the boot archive", info->archive, info->archive_size, UINT64_MAX},
    };

    if (info->magic != BOOT_INFO_MAGIC)
        return refuse(why, -EINVAL, "boot information: wrong magic 0x%lx", info->magic);
    if (info->version != BOOT_INFO_VERSION || info->size < sizeof(*info))
        return refuse(why, -EINVAL, "boot information: the door speaks version %u, the kernel %u",
                      info->version, BOOT_INFO_VERSION);
    if (!info->memory_count)
        return refuse(why, -EINVAL, "boot information: there is no memory map");
    if (!info->kernel_size || !IS_ALIGNED(info->kernel_base, SIZE_2M))
        return refuse(why, -EINVAL, "boot information: the kernel's place 0x%lx is malformed",
                      info->kernel_base);
    for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
        int error = check_range(&ranges[i], why);
        if (error)
            return error;
    }
    return 0;
}

static bool is_ram(uint32_t type)
{
    return type == BOOT_MEMORY_USABLE || type == BOOT_MEMORY_BOOT || type == BOOT_MEMORY_KERNEL;
}

/* How far RAM reaches from `at` on, within one region; `at` itself if it is not RAM. */
static uint64_t ram_end(const struct boot_info *info, const struct boot_memory *regions,
                        uint64_t at)
{
    uint64_t end = at;

    for (uint32_t i = 0; i < info->memory_count; i++) {
        const struct boot_memory *r = &regions[i];
        uint64_t region_end;

        if (is_ram(r->type) && range_end(r->base, r->length, &region_end) && r->base <= at)
            end = MAX(end, region_end);
    }
    return end;
}

static bool in_ram(const struct boot_info *info, const struct boot_memory *regions, uint64_t base,
                   uint64_t length)
{
    uint64_t at = base;

    while (at < base + length) {
        uint64_t end = ram_end(info, regions, at);
        if (end == at)
            return false;
        at = end;
    }
    return true;
}

int boot_check_placement(const struct boot_info *info, const struct boot_memory *regions,
                         struct refusal *why)
{
    if (!in_ram(info, regions, info->kernel_base, info->kernel_size))
        return refuse(why, -EINVAL, "boot information: the kernel image at 0x%lx is not in RAM",
                      info->kernel_base);
    if (!in_ram(info, regions, info->archive, info->archive_size))
        return refuse(why, -EINVAL,
                      "boot information: the boot archive at 0x%lx, %lu bytes, is not in RAM",
                      info->archive, info->archive_size);
    if (ranges_overlap(info->kernel_base, info->kernel_size, info->archive, info->archive_size))
        return refuse(why, -EINVAL, "boot information: the boot archive overlaps the kernel image");
    return 0;
}

int boot_check_keep_out(const struct boot_info *info, const struct phys_run *ranges, size_t count,
                        struct refusal *why)
{
    for (size_t i = 0; i < count; i++) {
        const struct phys_run *r = &ranges[i];

        if (ranges_overlap(r->base, r->length, info->kernel_base, info->kernel_size))
            return refuse(why, -EINVAL, "keep-out range 0x%lx covers the kernel image", r->base);
        if (ranges_overlap(r->base, r->length, info->archive, info->archive_size))
            return refuse(why, -EINVAL, "keep-out range 0x%lx covers the boot archive", r->base);
    }
    return 0;
}
