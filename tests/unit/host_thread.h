/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stand-in for threads and time: one thread, a clock the test sets, and a function of the test that
 * plays the other threads whenever this one sleeps.
 */
#ifndef TESTS_UNIT_HOST_THREAD_H
#define TESTS_UNIT_HOST_THREAD_H

#include "kernel/lib/types.h"

/*
 * Called in thread_sleep(); its result is that of the sleep. NULL: a sleep with a deadline lasts
 * until then, one without is a test that would hang, and fails.
 */
extern int (*host_sleep)(const char *point, uint64_t deadline_ns);
extern uint64_t host_now_ns;
/* Calls of thread_wake(), and sleeps. */
extern unsigned host_wakes, host_sleeps;

/* Moves the clock and runs the timers that have expired. */
void host_time_to(uint64_t ns);

#endif
