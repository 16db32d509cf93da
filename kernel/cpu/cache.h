/* SPDX-License-Identifier: BSD-2-Clause */
/* Cache lines and 16-byte stores, for what devices read from memory. */
#ifndef KERNEL_CPU_CACHE_H
#define KERNEL_CPU_CACHE_H

#include "kernel/lib/types.h"

#define CACHE_LINE 64u

/*
 * Writes the lines of [at, at + length) back to memory, ordered after earlier and before later
 * stores, device registers included (CLFLUSH is ordered with writes: SDM volume 2). Host builds
 * bring their own, which is how tests see what a device without snooping would see.
 */
void cache_flush(const volatile void *at, size_t length);

/* The same for the one line that `at` is in. */
void cache_flush_line(const volatile void *at);

/*
 * Zeroes whole lines in memory itself: what caches hold of them goes (SDM volume 1, 10.4.6.2). In
 * memory before any later store. For so much that flushing line by line would take too long.
 */
void cache_zero(void *at, size_t length);

/* Stores 16 aligned bytes in one access, low half first in memory order. */
void store_128(volatile void *at, uint64_t low, uint64_t high);

#endif
