/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel image in memory: sections from the link script, and where the door put it. Each
 * section begins and ends on a page boundary; text is executable, rodata read-only, data (with bss)
 * writable.
 */
#ifndef KERNEL_LIB_IMAGE_H
#define KERNEL_LIB_IMAGE_H

#include "kernel/lib/types.h"

/* Link address of the first byte. The physical base is 2 MiB aligned as well. */
#define IMAGE_BASE UINT64_C(0xffffffff80200000)

extern char image_start[]; /* == IMAGE_BASE */
extern char image_text_end[];
extern char image_rodata_end[];
extern char image_end[];

/* Physical address of image_start. Set before anything else runs. */
extern paddr_t image_physical;

static inline uint64_t image_size(void)
{
    return (uint64_t)(image_end - image_start);
}

/* For addresses of objects inside the image. */
static inline paddr_t image_to_phys(const void *pointer)
{
    return image_physical + ((uintptr_t)pointer - IMAGE_BASE);
}

#endif
