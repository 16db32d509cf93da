/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Measures one clock by another, on a machine that may stop in between: a busy host, system
 * management mode. No hardware is touched here but through the two functions given.
 */
#ifndef KERNEL_CPU_CALIBRATE_H
#define KERNEL_CPU_CALIBRATE_H

#include "kernel/lib/types.h"

struct calibrate_clocks {
    uint64_t (*ticks)(void);  /* the clock to be known, 64 bits wide */
    uint32_t (*counts)(void); /* the clock that is known, or the other way round; it counts up */
    uint32_t mask;            /* the width of `counts` */
};

/* How long one of the samples lasts: until both have passed. There are CALIBRATE_SAMPLES of them.
 */
#define CALIBRATE_SAMPLES 4
struct calibrate_length {
    uint64_t ticks;
    uint32_t counts;
};

/* What passed on both in the same time, and by how many ticks that may be wrong. */
struct calibrate_result {
    uint64_t ticks;
    uint64_t counts;
    uint64_t error;
};

/* The counter between two looks at the ticks. */
struct calibrate_reading {
    uint64_t before, after; /* ticks */
    uint64_t counts;        /* going on where the counter wraps */
};

/*
 * The closest of some readings; its counts go on from `counts`, those of the reading before, if the
 * counter does not wrap more than once in between.
 */
struct calibrate_reading calibrate_read(const struct calibrate_clocks *clocks, uint64_t counts);
/* What passed between two of them. */
struct calibrate_result calibrate_between(const struct calibrate_reading *from,
                                          const struct calibrate_reading *to);

/*
 * Takes samples in a row until as many as wanted were undisturbed one after the other, and at most
 * sixteen times as many; then the longest row counts, or without any the least disturbed sample.
 * False if a clock stands still.
 */
bool calibrate(const struct calibrate_clocks *clocks, struct calibrate_length length,
               struct calibrate_result *out);

#endif
