/* SPDX-License-Identifier: BSD-2-Clause */
/* Time by the time-stamp counter: what is known of its frequency, and how it is known better. */
#ifndef KERNEL_CPU_FREQUENCY_H
#define KERNEL_CPU_FREQUENCY_H

#include "kernel/cpu/calibrate.h"
#include "kernel/cpu/cpu.h"
#include "kernel/cpu/time.h"

/* crystal.c: from leaf 1 (EAX), 15h and 16h, which are all zero where the CPU has them not. */
struct frequency frequency_by_cpuid(uint32_t signature, struct cpuid ratio, struct cpuid base);

/* time.c: the clock that the counter is compared with; NULL: there is none. */
const struct calibrate_clocks *time_second_clock(void);
#define SECOND_CLOCK_HZ UINT64_C(3579545) /* the ACPI timer */
/* As that one measured it. */
static inline uint64_t frequency_of(const struct calibrate_result *r)
{
    return r->ticks * SECOND_CLOCK_HZ / r->counts;
}

/* From now on; time itself makes no jump. */
void time_set_frequency(struct frequency better);

/*
 * refine.c: compares the two clocks while everything else goes on, from now for some seconds at
 * most, and bends time to what is found, which is good to 100 parts in a million. Needs timers.
 */
void frequency_refine(void);

/*
 * Time in nanoseconds as a line over the time-stamp counter, which can be bent: it goes on from
 * where it is at another slope, so it never steps.
 */

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
    line->ns = timeline_ns(line, tsc);
    line->tsc = tsc;
    line->ns_per_count = (NS_PER_S << 32) / hz;
    line->counts_per_ns = (hz / NS_PER_S << 32) + ((hz % NS_PER_S) << 32) / NS_PER_S;
}

#endif
