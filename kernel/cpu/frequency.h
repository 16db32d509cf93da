/* SPDX-License-Identifier: BSD-2-Clause */
/* What is known of the time-stamp counter's frequency, and how it is known better. */
#ifndef KERNEL_CPU_FREQUENCY_H
#define KERNEL_CPU_FREQUENCY_H

#include "kernel/cpu/calibrate.h"
#include "kernel/cpu/cpu.h"

struct frequency {
    uint64_t hz; /* 0: not known */
    const char *source;
    bool exact; /* or as good as can be had */
};

/* crystal.c: from leaf 1 (EAX), 15h and 16h, which are all zero where the CPU has them not. */
struct frequency frequency_by_cpuid(uint32_t signature, struct cpuid ratio, struct cpuid base);

/* time.c: the clock that the counter is compared with; NULL: there is none. */
const struct calibrate_clocks *time_second_clock(void);
#define SECOND_CLOCK_HZ UINT64_C(3579545) /* the ACPI timer */
const struct frequency *time_known(void);
/* From now on; time itself makes no jump. */
void time_set_frequency(struct frequency better);

/*
 * refine.c: compares the two clocks while everything else goes on, from now for some seconds at
 * most, and bends time to what is found, which is good to 100 parts in a million. Needs timers.
 */
void frequency_refine(void);

#endif
