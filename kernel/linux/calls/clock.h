/* SPDX-License-Identifier: BSD-2-Clause */
/* Clocks and the time structures of the interface. */
#ifndef KERNEL_LINUX_CALLS_CLOCK_H
#define KERNEL_LINUX_CALLS_CLOCK_H

#include "kernel/cpu/time.h"
#include "kernel/lib/types.h"

enum clock_id {
    CLOCK_REALTIME = 0,
    CLOCK_MONOTONIC = 1,
    CLOCK_PROCESS_CPUTIME = 2,
    CLOCK_THREAD_CPUTIME = 3,
    CLOCK_MONOTONIC_RAW = 4,
    CLOCK_REALTIME_COARSE = 5,
    CLOCK_MONOTONIC_COARSE = 6,
    CLOCK_BOOTTIME = 7,
    CLOCK_TAI = 11,
};

/* struct timespec of the interface. */
struct user_time {
    int64_t seconds;
    int64_t nanoseconds;
};

#define CLOCK_TICKS 100 /* USER_HZ: what times(2) and /proc count in, per second */

/* Reads the battery-backed clock once. */
void clock_init(void);
/* Nanoseconds from 1970-01-01 00:00 UTC to boot, that is to time_ns() = 0. */
uint64_t clock_boot_ns(void);

/* Seconds from 1970 of a date of the Gregorian calendar, from 1970 on. */
uint64_t clock_from_date(unsigned year, unsigned month, unsigned day, unsigned hour,
                         unsigned minute, unsigned second);

struct user_time user_time_from_ns(uint64_t ns);
/* -EINVAL for negative or unnormalised values; what 64 bits cannot hold becomes TIME_NEVER. */
int user_time_to_ns(const struct user_time *time, uint64_t *ns);
/*
 * A timeout argument as a deadline in time_ns() terms: a pointer to a relative time, 0 meaning
 * never. -EFAULT, -EINVAL.
 */
int deadline_from_user(uaddr_t timeout, uint64_t *deadline_ns);
/* The same for a count of milliseconds, negative meaning never; 0 gives 0. */
uint64_t deadline_from_ms(int ms);
/* now + ns, at most TIME_NEVER. */
uint64_t deadline_after(uint64_t ns);
/* A time of the given clock in time_ns() terms: -EINVAL when it cannot be waited for. */
int clock_to_ns(int clock, uint64_t at_ns, uint64_t *ns);
/* -EINVAL for an unknown clock. */
int clock_read(int clock, uint64_t *ns);

#endif
