/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files about CPU page tables share. Host tests have stand-ins for the hardware part. */
#ifndef KERNEL_MM_PAGING_INTERNAL_H
#define KERNEL_MM_PAGING_INTERNAL_H

#include "kernel/mm/paging/cpu_table.h"

/* Kernel space. The direct map and the image: kernel/mm/direct.h. One root entry is 512 GiB. */
#define DIRECT_BASE        UINT64_C(0xffff800000000000)
#define DIRECT_END         UINT64_C(0xffffc00000000000)
#define MMIO_BASE          UINT64_C(0xffffe00000000000)
#define STACKS_BASE        UINT64_C(0xffffe08000000000)
#define KERNEL_WINDOW      (512 * GIB) /* size of the mmio and of the stack window */
#define FIRST_KERNEL_ENTRY 256u        /* first entry of the root that belongs to kernel space */

extern struct splittable kernel_table;

/* Hardware: the current root, and forgetting translations of [at, at + length). */
void paging_set_root(paddr_t root);
void tlb_flush(uint64_t at, uint64_t length);

#endif
