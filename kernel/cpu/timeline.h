/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time in nanoseconds as a line over the time-stamp counter, which can be bent: it goes on from
 * where it is at another slope, so it never steps.
 */
#ifndef KERNEL_CPU_TIMELINE_H
#define KERNEL_CPU_TIMELINE_H

#include "kernel/lib/types.h"

/* Time is `ns` at `tsc`, and goes on from there. The factors are times 2^32. */
struct timeline {
    uint64_t tsc, ns;
    uint64_t ns_per_count, counts_per_ns;
};

static inline uint64_t timeline_scale(uint64_t value, uint64_t factor)
{
    return (uint64_t)(((unsigned __int128)value * factor) >> 32);
}

/* The time when the counter is there; at the earliest line->ns: firmware may set it back. */
static inline uint64_t timeline_ns(const struct timeline *line, uint64_t tsc)
{
    return line->ns + (tsc > line->tsc ? timeline_scale(tsc - line->tsc, line->ns_per_count) : 0);
}

/* The counter at that time; at the earliest line->tsc. */
static inline uint64_t timeline_tsc(const struct timeline *line, uint64_t ns)
{
    return line->tsc + (ns > line->ns ? timeline_scale(ns - line->ns, line->counts_per_ns) : 0);
}

/* From `tsc` on, which is not before line->tsc, it counts with `hz`. */
static inline void timeline_bend(struct timeline *line, uint64_t tsc, uint64_t hz)
{
    const uint64_t second = 1000000000;

    line->ns = timeline_ns(line, tsc);
    line->tsc = tsc;
    line->ns_per_count = (second << 32) / hz;
    line->counts_per_ns = (hz / second << 32) + ((hz % second) << 32) / second;
}

#endif
