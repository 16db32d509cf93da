/* SPDX-License-Identifier: BSD-2-Clause */
/* How long something took, over many times: count, extremes, sum, and a histogram by powers of 2.
 */
#ifndef KERNEL_IOMMU_LATENCY_H
#define KERNEL_IOMMU_LATENCY_H

#include "kernel/lib/types.h"

/* The last bucket also takes what is longer; a second, where waits end, is 2^29.9 ns. */
#define LATENCY_BUCKETS 32u

struct latency {
    uint64_t count;
    uint64_t total_ns;
    uint64_t min_ns; /* with count > 0 */
    uint64_t max_ns;
    uint64_t buckets[LATENCY_BUCKETS]; /* n: from 2^n ns up to below 2^(n+1); 0 also holds 0 ns */
};

static inline void latency_add(struct latency *latency, uint64_t ns)
{
    unsigned bits = ns ? 63 - (unsigned)__builtin_clzll(ns) : 0;

    latency->min_ns = latency->count ? MIN(latency->min_ns, ns) : ns;
    latency->max_ns = MAX(latency->max_ns, ns);
    latency->total_ns += ns;
    latency->count++;
    latency->buckets[MIN(bits, LATENCY_BUCKETS - 1)]++;
}

#endif
