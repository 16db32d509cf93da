/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The PVH door: turns struct hvm_start_info (Xen public/arch-x86/hvm/start_info.h, version 1) into
 * struct boot_info. Everything the firmware left in low memory is copied here, before anything else
 * could use that memory; only the module stays where it is, and is marked as boot data because the
 * memory map does not reserve it.
 */
#include <bulkhead/boot_info.h>
#include "kernel/lib/string.h"
#include "kernel/lib/types.h"

#define HVM_START_MAGIC  0x336ec578
#define PVH_REGIONS_MAX  128
#define PVH_COMMAND_MAX  4096     /* one byte more than the kernel takes */
#define PVH_LOAD_ADDRESS 0x200000 /* linker/kernel.ld */

struct hvm_start_info {
    uint32_t magic;
    uint32_t version;
    uint32_t flags;
    uint32_t module_count;
    uint64_t modules;
    uint64_t command_line;
    uint64_t rsdp;
    uint64_t memory_map; /* from version 1 on */
    uint32_t memory_map_entries;
    uint32_t reserved;
};
_Static_assert(sizeof(struct hvm_start_info) == 56, "start_info layout");

struct hvm_module {
    uint64_t address;
    uint64_t size;
    uint64_t command_line;
    uint64_t reserved;
};

struct hvm_memory {
    uint64_t address;
    uint64_t size;
    uint32_t type; /* numbered as in the BIOS's E820 map */
    uint32_t reserved;
};

extern char image_start[], image_end[];

static struct boot_info info;
static struct boot_memory regions[PVH_REGIONS_MAX];
static char command_line[PVH_COMMAND_MAX];

uint64_t pvh_collect(uint32_t start_info, uint64_t entry_tsc);

/* The door's tables map the first 4 GiB at their own address. */
static const void *at_physical(uint64_t address)
{
    return (const void *)(uintptr_t)address;
}

static uint64_t low_address(const void *object)
{
    return (uint64_t)(uintptr_t)object - (uint64_t)(uintptr_t)image_start + PVH_LOAD_ADDRESS;
}

static void add_region(uint64_t base, uint64_t length, uint32_t type)
{
    if (!length || info.memory_count == PVH_REGIONS_MAX)
        return;
    regions[info.memory_count++] =
        (struct boot_memory){.base = base, .length = length, .type = type};
}

/* Ours have the same numbers, as far as these go. */
static uint32_t memory_type(uint32_t e820)
{
    return e820 >= BOOT_MEMORY_USABLE && e820 <= BOOT_MEMORY_NVS ? e820 : BOOT_MEMORY_RESERVED;
}

static void collect_memory(const struct hvm_start_info *start)
{
    const struct hvm_memory *map = at_physical(start->memory_map);

    if (start->version < 1)
        return;
    for (uint32_t i = 0; i < start->memory_map_entries; i++)
        add_region(map[i].address, map[i].size, memory_type(map[i].type));
}

static void collect_module(const struct hvm_start_info *start)
{
    const struct hvm_module *module = at_physical(start->modules);

    if (!start->module_count)
        return;
    info.archive = module->size ? module->address : 0;
    info.archive_size = module->size;
    add_region(module->address, module->size, BOOT_MEMORY_BOOT);
}

static void collect_command_line(const struct hvm_start_info *start)
{
    if (!start->command_line)
        return;
    const char *text = at_physical(start->command_line);
    /* If it is longer still, the kernel refuses what there is: a part would mean something else. */
    size_t length = strnlen(text, PVH_COMMAND_MAX);

    memcpy(command_line, text, length);
    info.command_line = length ? low_address(command_line) : 0;
    info.command_line_size = length;
}

/*
 * Fills struct boot_info and returns its physical address. With a start_info that is not one, the
 * memory map stays empty, which the kernel refuses.
 */
uint64_t pvh_collect(uint32_t start_info, uint64_t entry_tsc)
{
    const struct hvm_start_info *start = at_physical(start_info);

    info.magic = BOOT_INFO_MAGIC;
    info.version = BOOT_INFO_VERSION;
    info.size = sizeof(info);
    info.door = BOOT_DOOR_PVH;
    info.memory = low_address(regions);
    info.kernel_base = PVH_LOAD_ADDRESS;
    info.kernel_size = (uint64_t)(image_end - image_start);
    info.entry_tsc = entry_tsc;
    add_region(info.kernel_base, info.kernel_size, BOOT_MEMORY_KERNEL);
    if (start->magic != HVM_START_MAGIC)
        return low_address(&info);
    info.rsdp = start->rsdp;
    collect_module(start); /* first, lest a long memory map leave no room for it */
    collect_memory(start);
    collect_command_line(start);
    return low_address(&info);
}
