/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/linux/calls/alarm.h"
#include "kernel/cpu/timer.h"
#include "kernel/linux/calls/clock.h"
#include "kernel/linux/signals/signal.h"

/* A shorter interval would let the payload spend the machine's time in timer interrupts. */
#define INTERVAL_MIN (100 * NS_PER_US)

static struct timer timer;
static uint64_t interval_ns;

static void expired(struct timer *t)
{
    const struct siginfo info = {.number = SIG_ALRM, .code = CODE_KERNEL};
    if (interval_ns)
        timer_set(t, deadline_after(MAX(interval_ns, INTERVAL_MIN)));
    signal_send(&info);
}

void alarm_reset(void)
{
    if (timer.expired)
        timer_cancel(&timer);
    timer_init(&timer, expired);
    interval_ns = 0;
}

void alarm_get(struct alarm_setting *out)
{
    uint64_t now = time_ns();
    out->interval_ns = interval_ns;
    out->value_ns = 0;
    if (timer_pending(&timer))
        out->value_ns = timer.deadline_ns > now ? timer.deadline_ns - now : 1;
}

void alarm_set(uint64_t value, uint64_t interval)
{
    timer_cancel(&timer);
    interval_ns = value ? interval : 0;
    if (value)
        timer_set(&timer, deadline_after(value));
}
