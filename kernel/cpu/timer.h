/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls at a given time, from the timer interrupt: sleeps with a deadline, alarms, timeouts. */
#ifndef KERNEL_CPU_TIMER_H
#define KERNEL_CPU_TIMER_H

#include "kernel/cpu/time.h"
#include "kernel/lib/list.h"

struct timer {
    struct list link;
    uint64_t deadline_ns;
    /* Runs once, in the timer interrupt, with the timer no longer set; may set it again. */
    void (*expired)(struct timer *timer);
};

void timer_init(struct timer *timer, void (*expired)(struct timer *timer));
/* Sets or moves the timer. A deadline in the past expires at the next interrupt. */
void timer_set(struct timer *timer, uint64_t deadline_ns);
/* Harmless when it is not set. */
void timer_cancel(struct timer *timer);
bool timer_pending(const struct timer *timer);

/* Hooks the local APIC's timer up. Called once, after apic_init(). */
void timer_start(void);

#endif
