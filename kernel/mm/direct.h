/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The direct map: all RAM, writable and not executable, at one offset in kernel space. The kernel's
 * own code and constants are left out of it.
 */
#ifndef KERNEL_MM_DIRECT_H
#define KERNEL_MM_DIRECT_H

#include "kernel/lib/types.h"

/* Kernel space from here on is the image, which has an offset of its own. */
#define IMAGE_SPACE UINT64_C(0xffffffff80000000)

/*
 * Virtual minus physical address. Set by memory_init(), and by the stand-in for the direct map in
 * host tests: one definition of the two functions below serves both.
 */
extern uint64_t direct_offset;
extern uint64_t image_offset;

/* Only for RAM. Device memory is reached through mmio_map(). */
static inline void *phys_to_virt(paddr_t address)
{
    return (void *)(uintptr_t)(address + direct_offset);
}

/* For direct-map pointers and for objects inside the kernel image. */
static inline paddr_t virt_to_phys(const void *pointer)
{
    uint64_t address = (uintptr_t)pointer;

    return address - (address >= IMAGE_SPACE ? image_offset : direct_offset);
}

#endif
