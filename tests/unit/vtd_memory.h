/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory as a remapping unit sees it: the RAM behind the direct map, and a second copy that only
 * gets the cache lines the kernel flushed, which is what a unit without snooping reads in the worst
 * case. Also the frame allocator of the IOMMU tests.
 */
#ifndef TESTS_UNIT_VTD_MEMORY_H
#define TESTS_UNIT_VTD_MEMORY_H

#include "kernel/lib/types.h"

#define VTD_MEMORY_BASE (16 * MIB)
#define VTD_MEMORY_SIZE (64 * MIB)

/* Forgets everything: all frames free, both copies full of ones. */
void vtd_memory_reset(void);
/* frames_alloc() fails while denied. */
void vtd_memory_deny_frames(bool denied);
/* Frames handed out and not given back. */
uint64_t vtd_memory_used(void);

/* The content at a physical address as seen by a unit, with or without the flushed copy. */
const void *vtd_memory_seen(paddr_t address, bool flushed);
/* The unit writes, to both copies. */
void vtd_memory_write32(paddr_t address, uint32_t value);
/* All of memory becomes visible (a write-buffer flush). */
void vtd_memory_drain(void);

/* Called before every flush and 16-byte store; NULL: nobody. */
extern void (*vtd_memory_on_flush)(void);

/* Lines flushed since the reset. */
extern uint64_t vtd_memory_flushes;

#endif
