/* SPDX-License-Identifier: BSD-2-Clause */
/* Cache-line write-back, stores past the caches, and 16-byte stores. */
#include "kernel/cpu/cache.h"

void cache_flush(const volatile void *at, size_t length)
{
    const volatile char *line = (const volatile char *)ALIGN_DOWN((uintptr_t)at, CACHE_LINE);
    const volatile char *end = (const volatile char *)at + length;

    for (; line < end; line += CACHE_LINE)
        __asm__ volatile("clflush %0" : : "m"(*line) : "memory");
}

void cache_flush_line(const volatile void *at)
{
    __asm__ volatile("clflush %0" : : "m"(*(const volatile char *)at) : "memory");
}

APART void cache_zero(void *at, size_t length)
{
    char *end = (char *)at + length;

    for (char *line = at; line < end; line += CACHE_LINE)
        __asm__ volatile("movnti %1, (%0)\n\tmovnti %1, 8(%0)\n\tmovnti %1, 16(%0)\n\t"
                         "movnti %1, 24(%0)\n\tmovnti %1, 32(%0)\n\tmovnti %1, 40(%0)\n\t"
                         "movnti %1, 48(%0)\n\tmovnti %1, 56(%0)"
                         :
                         : "r"(line), "r"(UINT64_C(0))
                         : "memory");
    __asm__ volatile("sfence" : : : "memory");
}

void store_128(volatile void *at, uint64_t low, uint64_t high)
{
    volatile uint64_t *half = at;
    uint64_t old_low = half[0], old_high = half[1];
    bool stored = false;

    /* The only 16-byte store without vector registers is a compare-and-exchange that succeeds. */
    do { /* NOLINT(bugprone-infinite-loop): the assembler writes `stored` */
        __asm__ volatile("lock cmpxchg16b %1"
                         : "=@ccz"(stored), "+m"(*(volatile char(*)[16])at), "+a"(old_low),
                           "+d"(old_high)
                         : "b"(low), "c"(high)
                         : "memory");
    } while (!stored);
}
