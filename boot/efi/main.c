/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The UEFI door: read the files, put the kernel in place, end the firmware's DMA, leave the
 * firmware, enter the kernel (include/bulkhead/boot_info.h).
 */
#include "boot/efi/internal.h"

#include "boot/efi/elf.h"
#include "boot/efi/load_options.h"
#include "boot/efi/paging.h"
#include "boot/efi/seal.h"

#define CONFIG_MOST  (UINT64_C(64) << 10)
#define OPTIONS_MOST UINT64_C(4095)
#define ANY_SIZE     (~UINT64_C(0))

/* The test of an armed device needs a loader that forgets this step: see efi.mk. */
#ifndef LOADER_STOPS_DMA
#define LOADER_STOPS_DMA 1
#endif

extern char __ImageBase; /* the linker's name for the start of the loader */

EFI_HANDLE loader_image;
EFI_SYSTEM_TABLE *firmware;

/* What is read before anything is changed. */
struct files {
    struct file kernel;
    struct file config;
    struct file options;
    struct file payload;
    struct file archive;
};

/* A row per file of \bulkhead. The seal has its digests in this order. */
static const struct wanted {
    const char *name;
    size_t where;
    uint64_t most;
} wanted[] = {
    {"bulkhead.conf", offsetof(struct files, config), CONFIG_MOST},
    {"options", offsetof(struct files, options), OPTIONS_MOST},
    {"kernel.elf", offsetof(struct files, kernel), ANY_SIZE},
    {"payload.elf", offsetof(struct files, payload), ANY_SIZE},
    {"archive.cpio", offsetof(struct files, archive), ANY_SIZE},
};

_Static_assert(LENGTH(wanted) == SEAL_FILES, "a digest per file");

static uint64_t read_tsc(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

static EFI_STATUS read_wanted(unsigned index, struct files *files)
{
    struct file *file = (struct file *)((char *)files + wanted[index].where);
    EFI_STATUS status = volume_read(wanted[index].name, wanted[index].most, file);

    if (!EFI_ERROR(status) && !seal_fits(index, file->found, file->data, file->size))
        return refuse("\\bulkhead\\%s %s", wanted[index].name,
                      file->found ? "is not the one this loader is sealed for" : "is missing");
    return status;
}

static EFI_STATUS read_files(struct files *files)
{
    EFI_STATUS status = volume_open();

    if (EFI_ERROR(status))
        return status;
    for (unsigned i = 0; i < LENGTH(wanted) && !EFI_ERROR(status); i++)
        status = read_wanted(i, files);
    volume_close();
    if (EFI_ERROR(status))
        return status;
    if (!files->kernel.found)
        return refuse("\\bulkhead\\kernel.elf is missing");
    if (files->payload.found == files->archive.found)
        return refuse("there %s: \\bulkhead\\payload.elf %s archive.cpio",
                      files->payload.found ? "are two payloads" : "is no payload",
                      files->payload.found ? "and" : "or");
    return EFI_SUCCESS;
}

/* Puts the kernel at any 2 MiB boundary and gives its file back. */
static EFI_STATUS load_kernel(struct file *file, struct elf_image *image, struct boot_info *info)
{
    const char *wrong = elf_check(file->data, file->size, &kernel_rules, image);
    uint64_t size = image->high - image->low;
    void *at;

    if (wrong)
        return refuse("\\bulkhead\\kernel.elf cannot be loaded: %s", wrong);
    at = pages_allocate_aligned(size);
    if (!at)
        return refuse("there are no %llu bytes of memory for the kernel", size);
    elf_load(file->data, image, at);
    info->kernel_base = (uint64_t)at;
    info->kernel_size = size;
    file_free(file);
    return EFI_SUCCESS;
}

/* Those of the boot entry, which nobody has signed, are not for a sealed loader. */
static EFI_STATUS append_load_options(char *text, size_t *used)
{
    EFI_GUID guid = LOADED_IMAGE_PROTOCOL;
    EFI_LOADED_IMAGE *image;

    if (EFI_ERROR(firmware->BootServices->HandleProtocol(loader_image, &guid, (void **)&image)) ||
        !image->LoadOptions)
        return EFI_SUCCESS;
    if (seal_is_set()) {
        remark("sealed: the boot entry's load options are not used");
        return EFI_SUCCESS;
    }
    switch (load_options_append(image->LoadOptions, image->LoadOptionsSize / sizeof(CHAR16), text,
                                used, OPTIONS_MOST)) {
    case LOAD_OPTIONS_NOT_TEXT:
        remark("the boot entry's load options are not text and are not used");
        return EFI_SUCCESS;
    case LOAD_OPTIONS_TOO_LONG:
        return refuse("the boot entry's load options are too long");
    default:
        return EFI_SUCCESS;
    }
}

/* The words of \bulkhead\options, then the load options of the boot entry. */
static EFI_STATUS collect_command_line(const struct file *options, struct boot_info *info)
{
    size_t used = 0;
    char *text = pages_allocate(1);
    EFI_STATUS status;

    if (!text)
        return refuse("there is no memory for the command line");
    for (; used < options->size; used++)
        text[used] = ((const char *)options->data)[used];
    while (used && (text[used - 1] == '\n' || text[used - 1] == '\r'))
        used--;
    status = append_load_options(text, &used);
    info->command_line = used ? (uint64_t)text : 0;
    info->command_line_size = used;
    return status;
}

static void collect(const struct files *files, struct boot_info *info)
{
    const struct file *payload = files->payload.found ? &files->payload : &files->archive;

    info->magic = BOOT_INFO_MAGIC;
    info->version = BOOT_INFO_VERSION;
    info->size = sizeof(*info);
    info->door = BOOT_DOOR_UEFI;
    info->rsdp = find_rsdp();
    info->config = (uint64_t)files->config.data;
    info->config_size = files->config.size;
    info->archive = (uint64_t)payload->data;
    info->archive_size = payload->size;
    find_framebuffer(&info->framebuffer);
}

/* The first 4 GiB and whatever lies above them that is used until the kernel has its own tables. */
static EFI_STATUS build_paging(struct paging *paging, const struct elf_image *image,
                               const struct boot_info *info, const struct memory_map *map)
{
    const struct {
        uint64_t at;
        uint64_t size;
    } ranges[] = {
        {0, GIB_4},
        {(uint64_t)&__ImageBase, PAGING_LEAF}, /* the loader itself, which is smaller */
        {(uint64_t)info, sizeof(*info)},
        {(uint64_t)map->regions, map->region_room * sizeof(*map->regions)},
        {info->kernel_base, info->kernel_size},
        {info->rsdp, PAGE},
        {info->command_line, info->command_line_size},
        {info->config, info->config_size},
        {info->archive, info->archive_size},
        {info->framebuffer.base, info->framebuffer.size},
    };

    paging_init(paging, page_allocate_low);
    for (size_t i = 0; i < LENGTH(ranges); i++)
        paging_map(paging, ranges[i].at, ranges[i].at, ranges[i].size);
    paging_map(paging, image->low, info->kernel_base, info->kernel_size);
    if (paging->failed)
        return refuse("there is no memory for page tables");
    return EFI_SUCCESS;
}

static EFI_STATUS run(struct boot_info *info)
{
    struct files files = {0};
    struct elf_image image;
    struct memory_map map;
    struct paging paging;
    void *levels = NULL;
    EFI_STATUS status = read_files(&files);

    if (!EFI_ERROR(status))
        status = load_kernel(&files.kernel, &image, info);
    if (!EFI_ERROR(status))
        status = collect_command_line(&files.options, info);
    if (!EFI_ERROR(status)) {
        collect(&files, info);
        status = memory_map_prepare(&map);
    }
    if (!EFI_ERROR(status))
        status = build_paging(&paging, &image, info, &map);
    if (!EFI_ERROR(status))
        status = handoff_prepare(&levels);
    if (!EFI_ERROR(status) && LOADER_STOPS_DMA) {
        status = dma_stop(info);
        info->flags |= BOOT_BUS_MASTERS_CLEARED;
    }
    if (EFI_ERROR(status))
        return status;
    remark("starting the kernel");
    status = memory_map_leave(&map, info);
    if (EFI_ERROR(status))
        return status;
    handoff(levels, paging.top, image.entry, info);
}

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table);

/* Returns to the firmware, which tries its next boot entry, if the kernel cannot be started. */
EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table)
{
    uint64_t entry_tsc = read_tsc();
    struct boot_info *info;

    loader_image = image;
    firmware = table;
    info = pages_allocate(1);
    if (!info)
        return refuse("there is no memory at all");
    info->entry_tsc = entry_tsc;
    return run(info);
}
