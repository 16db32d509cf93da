/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stand-in for threads and time: a clock the test sets, and functions of the test that play the
 * other threads whenever this one sleeps or breathes.
 */
#ifndef TESTS_UNIT_HOST_THREAD_H
#define TESTS_UNIT_HOST_THREAD_H

#include "kernel/cpu/thread.h"
#include "kernel/lib/types.h"

#define HOST_THREADS 4

/*
 * Called in thread_sleep(); its result is that of the sleep. NULL: a sleep with a deadline lasts
 * until then, one without is a test that would hang, and fails.
 */
extern int (*host_sleep)(const char *point, uint64_t deadline_ns);
extern uint64_t host_now_ns;
/*
 * Called when a breath is due, after every `host_breath_work` units of work (0: at every step). Its
 * result is that of the breath, but for those that hear nothing. NULL: nobody else is there.
 */
extern int (*host_breath)(const char *point, enum thread_hears hears);
extern int64_t host_breath_work;
/* Goes on as another thread, 0 at the start. It is up to the test to come back. */
void host_thread_be(unsigned number);
/* Calls of thread_wake(), and sleeps. */
extern unsigned host_wakes, host_sleeps;

/* Moves the clock and runs the timers that have expired. */
void host_time_to(uint64_t ns);

#endif
