/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stddef.h>
#include <stdint.h>

#define LIMIT_FRAME_SHIFT 12

static inline void limit_flush(volatile void *line)
{
    __asm__ volatile("clflush (%0)" : : "r"(line) : "memory");
}

/* bench/limit.c */
void limit_pair(const uint64_t *source, uint32_t *pins, volatile uint64_t *table, size_t count);

#endif
