/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of the UEFI loader share. boot/efi/main.c tells the story. */
#ifndef BOOT_EFI_INTERNAL_H
#define BOOT_EFI_INTERNAL_H

#include <efi.h>
#include <efilib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <bulkhead/boot_info.h>

#define PAGE          UINT64_C(4096)
#define GIB_4         (UINT64_C(4) << 30)
#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* The firmware, for every file of the loader; set first thing in efi_main(). */
extern EFI_HANDLE loader_image;
extern EFI_SYSTEM_TABLE *firmware;

/* console.c */

/*
 * Prints "bulkhead: cannot start: " and a text (kernel/lib/format.h) as one line on the firmware's
 * console, and returns EFI_LOAD_ERROR, so that `return refuse(...)` ends a step.
 */
EFI_STATUS refuse(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The same, as "bulkhead: ", for a fact that does not stop the start. */
void remark(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* volume.c */

/* A file in memory, in pages of its own (EfiLoaderData). data is NULL if size is 0. */
struct file {
    bool found;
    void *data;
    uint64_t size;
};

/* Opens the folder \bulkhead of the volume that the loader itself came from. */
EFI_STATUS volume_open(void);
/*
 * Reads a file whole; its name is one of our ASCII literals. A missing file is `found` = false and
 * EFI_SUCCESS; anything else that is wrong (unreadable, longer than `most` bytes, no memory) was
 * told by refuse().
 */
EFI_STATUS volume_read(const char *name, uint64_t most, struct file *out);
void volume_close(void);
void file_free(struct file *file);

/* memory.c */

/* Pages of EfiLoaderData, zeroed; NULL if there are not that many together. */
void *pages_allocate(uint64_t count);
/* The same below 4 GiB: one page, for page tables that 32-bit code loads. */
void *page_allocate_low(void);
/* One page of code below 4 GiB. */
void *code_page_allocate_low(void);
/* 2 MiB aligned memory of `size` bytes (a multiple of 4096), not zeroed; NULL if there is none. */
void *pages_allocate_aligned(uint64_t size);
void pages_free(void *at, uint64_t count);

/* Room for the firmware's memory map and for the kernel's view of it, while both still grow. */
struct memory_map {
    void *raw;
    UINTN raw_size; /* bytes there is room for */
    struct boot_memory *regions;
    size_t region_room;
};

EFI_STATUS memory_map_prepare(struct memory_map *map);
/*
 * Gets the memory map and leaves boot services; tries again while the map changes in between. From
 * the first try on nothing may be printed or allocated. Stores the regions in *info.
 */
EFI_STATUS memory_map_leave(struct memory_map *map, struct boot_info *info);

/* dma.c */

/*
 * Ends all DMA of the firmware: disconnects the drivers of every PCI function that is neither a
 * bridge nor a display, then clears the bus-master bit of all functions, bridges last, but for what
 * the configuration in *info wants left. Files cannot be read afterwards.
 */
EFI_STATUS dma_stop(const struct boot_info *info);

/* tables.c */

/* Physical address of the RSDP, the newest revision there is; 0 if there is none. */
uint64_t find_rsdp(void);
/* Leaves *out zero if there is no linear framebuffer with 32-bit pixels. */
void find_framebuffer(struct boot_framebuffer *out);

/* handoff.c */

/*
 * A firmware may run with five levels of page tables, ours have four. *levels becomes the code that
 * leads from one to the other, or NULL where it is not needed.
 */
EFI_STATUS handoff_prepare(void **levels);
/* Switches to the page tables and enters the kernel with `info` in RDI. */
_Noreturn void handoff(void *levels, const uint64_t *page_tables, uint64_t entry,
                       const struct boot_info *info);

#endif
