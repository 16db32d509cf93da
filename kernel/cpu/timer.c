/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/cpu/timer.h"
#include "kernel/cpu/apic.h"

/* Sorted by deadline. The payload's limits keep it short enough to be searched. */
static struct list pending = LIST_INIT(pending);
/* What the hardware is set to, so that it is only touched when the first deadline changes. */
static uint64_t programmed = TIME_NEVER;
static bool serving;        /* in the interrupt, which programs the hardware at its end */
static uint64_t rest_until; /* no interrupt before: the last one was long */

/* What an interrupt may take for timers, and what everybody else then has before the next. */
#define WORK_NS (200 * NS_PER_US)
#define REST_NS (100 * NS_PER_US)

static void program(void)
{
    uint64_t first = TIME_NEVER;

    if (serving)
        return;
    if (!list_empty(&pending))
        first = MAX(list_first(&pending, struct timer, link)->deadline_ns, rest_until);
    if (first == programmed)
        return;
    programmed = first;
    apic_timer_set(first);
}

void timer_init(struct timer *timer, void (*expired)(struct timer *timer))
{
    list_init(&timer->link);
    timer->expired = expired;
    timer->deadline_ns = TIME_NEVER;
}

static void insert(struct timer *timer)
{
    struct list *at = pending.prev;

    while (at != &pending && list_entry(at, struct timer, link)->deadline_ns > timer->deadline_ns)
        at = at->prev;
    list_add_after(at, &timer->link);
}

void timer_set(struct timer *timer, uint64_t deadline_ns)
{
    list_remove(&timer->link);
    timer->deadline_ns = deadline_ns;
    if (deadline_ns != TIME_NEVER)
        insert(timer);
    program();
}

void timer_cancel(struct timer *timer)
{
    timer_set(timer, TIME_NEVER);
}

bool timer_pending(const struct timer *timer)
{
    return !list_empty(&timer->link);
}

/*
 * One interrupt may serve several timers; the hardware is off until programmed again. The payload
 * decides how many expire at once and how many threads each of them wakes.
 */
static void interrupt(void *context)
{
    uint64_t start = time_ns(), now = start;

    programmed = TIME_NEVER;
    serving = true;
    while (!list_empty(&pending)) {
        struct timer *first = list_first(&pending, struct timer, link);

        if (first->deadline_ns > start)
            break;
        if (now - start > WORK_NS) {
            rest_until = now + REST_NS;
            break;
        }
        list_remove(&first->link);
        first->expired(first);
        now = time_ns();
    }
    serving = false;
    program();
}

void timer_start(void)
{
    apic_timer_start(interrupt);
    program();
}
