/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The direct map: all RAM, writable and not executable, at one offset in kernel space.
 * Host builds of kernel code bring their own definitions of these two functions.
 */
#ifndef KERNEL_MM_DIRECT_H
#define KERNEL_MM_DIRECT_H

#include "kernel/lib/types.h"

/* Only for RAM. Device memory is reached through mmio_map(). */
void *phys_to_virt(paddr_t address);
/* For direct-map pointers and for objects inside the kernel image. */
paddr_t virt_to_phys(const void *pointer);

#endif
