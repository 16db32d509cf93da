/* SPDX-License-Identifier: BSD-2-Clause */
/* Clearing memory before a payload gets it, the one way for all of its memory. */
#ifndef KERNEL_MM_ZERO_H
#define KERNEL_MM_ZERO_H

#include "kernel/lib/types.h"

/* Whole pages. Nothing of what was there can be read any more, by the CPU or a device. */
void memory_zero(paddr_t base, uint64_t length);
/*
 * A device of the payload may read past the caches (no-snoop requests), and its IOMMU cannot make
 * it look there. From now on zeros are in memory before anybody maps it, so that mapping needs no
 * flush. Call before the payload gets memory.
 */
void memory_zero_past_caches(void);

#endif
