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

#define WINDOW_NS  NS_PER_MS
#define ALL_NS     (WINDOW_NS / 2)
#define ONE_NS     (WINDOW_NS * 3 / 8)
#define ENTRY_NS   500 /* of an interrupt beside its handler */
#define TOLD_HOLDS 20  /* in a second */

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

/* Once in a while is no storm: a hypervisor may have stopped the CPU in a handler. */
static void tell(unsigned vector, uint64_t now)
{
    static uint64_t second;
    static unsigned holds; /* in it */

    if (now - second >= NS_PER_S) {
        second = now;
        holds = 0;
    }
    if (++holds == TOLD_HOLDS)
        log_warn("interrupts take too much of the CPU, the last one with vector %u: held back",
                 vector);
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
    static struct timer end = {LIST_INIT(end.link), TIME_NEVER, window_over};
    uint64_t now = time_ns(), took = now - start + ENTRY_NS, own;

    if (now - window_start >= WINDOW_NS) {
        window_start = start;
        spent = 0;
    }
    spent += took;
    own = add_to_share(vector, took);
    if (own < ONE_NS && spent < ALL_NS)
        return;
    if (own >= ONE_NS && !shares[vector].held)
        vector_hold(vector, true);
    shares[vector].held |= own >= ONE_NS;
    if (spent >= ALL_NS)
        apic_quiet(true);
    timer_set(&end, window_start + WINDOW_NS);
    tell(vector, now);
}
