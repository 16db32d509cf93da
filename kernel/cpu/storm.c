/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts of devices get half of the CPU at most. A device may send them without end, and a
 * pending one is taken before the first instruction of whatever it interrupted: nobody else would
 * run any more. So the time they take is summed up over a window, and when half of it is gone the
 * local APIC holds them back until it is over. None is lost: it keeps one of each vector. The timer
 * goes on, and with it everything that the kernel promises about time.
 */
#include "kernel/cpu/apic.h"
#include "kernel/cpu/internal.h"
#include "kernel/cpu/timer.h"
#include "kernel/lib/log.h"

#define WINDOW_NS NS_PER_MS
#define SHARE_NS  (WINDOW_NS / 2)
#define ENTRY_NS  1000 /* of an interrupt beside its handler, generously */

static uint64_t window_start;
static uint64_t spent; /* in the window */

static void window_over(struct timer *timer)
{
    apic_quiet(false);
}

static void tell(unsigned vector)
{
    static struct log_limit limit = {.window_ns = NS_PER_S, .burst = 1};

    if (log_admit(&limit))
        log_warn("interrupts of devices take more than half of the CPU, the last one with vector "
                 "%u: held back, here and %lu times before",
                 vector, limit.suppressed);
}

void storm_count(unsigned vector, uint64_t start)
{
    static struct timer end = {LIST_INIT(end.link), TIME_NEVER, window_over};
    uint64_t now = time_ns();

    if (now - window_start >= WINDOW_NS) {
        window_start = start;
        spent = 0;
    }
    spent += now - start + ENTRY_NS;
    if (spent < SHARE_NS)
        return;
    apic_quiet(true);
    timer_set(&end, window_start + WINDOW_NS);
    tell(vector);
}
