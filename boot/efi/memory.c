/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory from the firmware, its memory map, and the end of boot services (UEFI spec., 7.2, 7.4). */
#include "boot/efi/internal.h"

#include "kernel/lib/string.h"

#define ALIGNMENT (UINT64_C(2) << 20)
#define TRIES     8
/* Descriptors that may appear between measuring the map and leaving. */
#define SLACK 64

/* Memory attributes newer than the headers: for special purposes (HBM), not yet accepted. */
#define MEMORY_SPECIAL_PURPOSE UINT64_C(0x40000)

static void *allocate(EFI_ALLOCATE_TYPE where, EFI_MEMORY_TYPE type, uint64_t count)
{
    EFI_PHYSICAL_ADDRESS at = GIB_4 - 1; /* for AllocateMaxAddress */

    if (EFI_ERROR(firmware->BootServices->AllocatePages(where, type, count, &at)))
        return NULL;
    memset((void *)at, 0, count * PAGE);
    return (void *)at;
}

void *pages_allocate(uint64_t count)
{
    return allocate(AllocateAnyPages, EfiLoaderData, count);
}

void *page_allocate_low(void)
{
    return allocate(AllocateMaxAddress, EfiLoaderData, 1);
}

void *code_page_allocate_low(void)
{
    return allocate(AllocateMaxAddress, EfiLoaderCode, 1);
}

void pages_free(void *at, uint64_t count)
{
    if (count)
        firmware->BootServices->FreePages((EFI_PHYSICAL_ADDRESS)at, count);
}

void *pages_allocate_aligned(uint64_t size)
{
    uint64_t count = size / PAGE;
    uint64_t slack = ALIGNMENT / PAGE - 1;
    EFI_PHYSICAL_ADDRESS at, aligned;

    if (EFI_ERROR(firmware->BootServices->AllocatePages(AllocateAnyPages, EfiLoaderData,
                                                        count + slack, &at)))
        return NULL;
    aligned = (at + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
    pages_free((void *)at, (aligned - at) / PAGE);
    pages_free((void *)(aligned + size), slack - (aligned - at) / PAGE);
    return (void *)aligned;
}

EFI_STATUS memory_map_prepare(struct memory_map *map)
{
    UINTN size = 0, key, descriptor;
    UINT32 version;

    if (firmware->BootServices->GetMemoryMap(&size, NULL, &key, &descriptor, &version) !=
        EFI_BUFFER_TOO_SMALL)
        return refuse("the firmware has no memory map");
    map->raw_size = size + SLACK * descriptor;
    map->region_room = map->raw_size / descriptor + 1;
    map->raw = pages_allocate((map->raw_size + PAGE - 1) / PAGE);
    map->regions = pages_allocate((map->region_room * sizeof(*map->regions) + PAGE - 1) / PAGE);
    if (!map->raw || !map->regions)
        return refuse("there is no memory for the memory map");
    return EFI_SUCCESS;
}

/*
 * Boot services' memory is free once they are left. Everything the loader allocated or runs in is
 * EfiLoaderData or EfiLoaderCode, and the kernel still needs it.
 */
static uint32_t region_type(const EFI_MEMORY_DESCRIPTOR *descriptor)
{
    static const uint32_t types[EfiMaxMemoryType] = {
        [EfiLoaderCode] = BOOT_MEMORY_BOOT,           [EfiLoaderData] = BOOT_MEMORY_BOOT,
        [EfiBootServicesCode] = BOOT_MEMORY_USABLE,   [EfiBootServicesData] = BOOT_MEMORY_USABLE,
        [EfiConventionalMemory] = BOOT_MEMORY_USABLE, [EfiACPIReclaimMemory] = BOOT_MEMORY_ACPI,
        [EfiACPIMemoryNVS] = BOOT_MEMORY_NVS,
    };

    if (descriptor->Type >= EfiMaxMemoryType || !types[descriptor->Type] ||
        (descriptor->Attribute & MEMORY_SPECIAL_PURPOSE))
        return BOOT_MEMORY_RESERVED;
    return types[descriptor->Type];
}

/* The map as the kernel reads it: neighbours of one type joined, the kernel's own range marked. */
static void translate(const struct memory_map *map, UINTN size, UINTN step, struct boot_info *info)
{
    struct boot_memory *last = NULL;
    size_t count = 0;

    for (UINTN at = 0; at + step <= size && count < map->region_room - 1; at += step) {
        const EFI_MEMORY_DESCRIPTOR *from =
            (const EFI_MEMORY_DESCRIPTOR *)((const char *)map->raw + at);
        uint32_t type = region_type(from);

        if (!from->NumberOfPages)
            continue;
        if (last && last->type == type && last->base + last->length == from->PhysicalStart) {
            last->length += from->NumberOfPages * PAGE;
            continue;
        }
        last = &map->regions[count++];
        *last = (struct boot_memory){
            .base = from->PhysicalStart, .length = from->NumberOfPages * PAGE, .type = type};
    }
    map->regions[count++] = (struct boot_memory){
        .base = info->kernel_base, .length = info->kernel_size, .type = BOOT_MEMORY_KERNEL};
    info->memory = (uint64_t)map->regions;
    info->memory_count = (uint32_t)count;
}

EFI_STATUS memory_map_leave(struct memory_map *map, struct boot_info *info)
{
    EFI_STATUS status = EFI_INVALID_PARAMETER;

    for (int i = 0; i < TRIES && status == EFI_INVALID_PARAMETER; i++) {
        UINTN size = map->raw_size, key, step;
        UINT32 version;

        status = firmware->BootServices->GetMemoryMap(&size, map->raw, &key, &step, &version);
        if (EFI_ERROR(status))
            break;
        translate(map, size, step, info);
        status = firmware->BootServices->ExitBootServices(loader_image, key);
    }
    /* Once it has failed the firmware need not print any more, but there is nobody else to ask. */
    return EFI_ERROR(status) ? refuse("the firmware does not let go of the machine") : status;
}
