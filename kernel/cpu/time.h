/* SPDX-License-Identifier: BSD-2-Clause */
/* Time from the time-stamp counter, calibrated at boot. */
#ifndef KERNEL_CPU_TIME_H
#define KERNEL_CPU_TIME_H

#include "kernel/lib/types.h"

#define NS_PER_US  UINT64_C(1000)
#define NS_PER_MS  UINT64_C(1000000)
#define NS_PER_S   UINT64_C(1000000000)
#define TIME_NEVER (~UINT64_C(0))

/* Nanoseconds since boot; never goes backwards. */
uint64_t time_ns(void);
/* The time-stamp counter's value at a time in time_ns() terms. */
uint64_t time_to_tsc(uint64_t ns);
/*
 * Learns the counter's frequency: from CPUID if it tells, else against the PIT, in less than 1 ms
 * unless the machine stops meanwhile. `boot_tsc` is the counter's value that becomes time 0. NULL,
 * or a sentence saying what is wrong.
 */
const char *time_init(uint64_t boot_tsc);
/*
 * Compares the frequency with a second clock, the ACPI power-management timer at an I/O port
 * (ACPI specification 4.8.3.3), and mends it if they differ by more than 1 %. Before timers are
 * set. `mask`: the bits that the timer has.
 */
void time_check(uint16_t port, uint32_t mask);
/* What is known of the counter's frequency. */
struct frequency {
    uint64_t hz;        /* 0: not known */
    const char *source; /* how: a word for the report */
    bool exact;         /* or as good as can be had */
};
const struct frequency *time_known(void);
/* Busy wait; for hardware delays below a tick. */
void time_delay_ns(uint64_t ns);

/* Bounded waiting on hardware: `while (!done()) if (time_expired(deadline)) return -ETIMEDOUT;` */
static inline bool time_expired(uint64_t deadline_ns)
{
    return time_ns() >= deadline_ns;
}

#endif
