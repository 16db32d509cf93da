/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts of devices get half of the CPU at most. A device may send them without end, and a
 * pending one is taken before the first instruction of whatever it interrupted: nobody else would
 * run any more. So the time they take is summed up over a window. A vector that has taken three
 * eighths of it is held back at its source until it is over, for the CPU takes higher vectors
 * first, and lower ones would never come. When all together have taken half, the local APIC holds
 * them back: that needs no help of a device, and none is lost, as it keeps one of each vector. The
 * timer goes on, and with it everything that the kernel promises about time.
 */
#include "kernel/cpu/apic.h"
#include "kernel/cpu/internal.h"
#include "kernel/cpu/timer.h"
#include "kernel/lib/log.h"

#define WINDOW_NS NS_PER_MS
#define ALL_NS    (WINDOW_NS / 2)
#define ONE_NS    (WINDOW_NS * 3 / 8)
#define ENTRY_NS  500 /* of an interrupt beside its handler */

static uint64_t window_start;
static uint64_t spent; /* in the window */
static struct {
    uint64_t window, spent;
    bool held;
} shares[VECTOR_TIMER];

static void window_over(struct timer *timer)
{
    apic_quiet(false);
    for (unsigned v = VECTOR_FIRST; v < VECTOR_TIMER; v++) {
        if (shares[v].held)
            vector_hold(v, false);
        shares[v].held = false;
    }
}

static void until_window_ends(void)
{
    static struct timer end = {LIST_INIT(end.link), TIME_NEVER, window_over};

    timer_set(&end, window_start + WINDOW_NS);
}

static void hold_one(unsigned vector)
{
    static struct log_limit limit = {.window_ns = NS_PER_S, .burst = 1};

    shares[vector].held = true;
    vector_hold(vector, true);
    until_window_ends();
    if (log_admit(&limit))
        log_warn("interrupts with vector %u take more than 3/8 of the CPU: held back (%lu "
                 "times before)",
                 vector, limit.suppressed);
}

static uint64_t add_to_share(unsigned vector, uint64_t ns)
{
    if (shares[vector].window != window_start)
        shares[vector].spent = 0;
    shares[vector].window = window_start;
    shares[vector].spent += ns;
    return shares[vector].spent;
}

void storm_count(unsigned vector, uint64_t start)
{
    uint64_t now = time_ns();

    if (now - window_start >= WINDOW_NS) {
        window_start = start;
        spent = 0;
    }
    spent += now - start + ENTRY_NS;
    if (add_to_share(vector, now - start + ENTRY_NS) >= ONE_NS && !shares[vector].held)
        hold_one(vector);
    if (spent < ALL_NS)
        return;
    apic_quiet(true);
    until_window_ends();
}
