/* SPDX-License-Identifier: BSD-2-Clause */
/* Who owns which interrupt vector. */
#include "kernel/cpu/apic.h"
#include "kernel/cpu/internal.h"
#include "kernel/cpu/time.h"
#include "kernel/lib/error.h"
#include "kernel/lib/log.h"
#include "kernel/lib/panic.h"

#define VECTORS 256
#define LINES   10 /* of the log, in a second */

struct owner {
    vector_handler handler;
    void *context;
    void (*hold)(void *context, bool on);
};

static struct owner owners[VECTORS];
static uint64_t strays;

/*
 * Higher vectors have higher priority, which matters to nobody here; the search starts at the
 * bottom so that numbers are stable from run to run.
 */
int vector_alloc(vector_handler handler, void (*hold)(void *context, bool on), void *context)
{
    for (unsigned v = VECTOR_FIRST; v < VECTOR_TIMER; v++) {
        if (owners[v].handler)
            continue;
        owners[v] = (struct owner){handler, context, hold};
        return (int)v;
    }
    return -ENOSPC;
}

void vector_own(unsigned vector, vector_handler handler)
{
    owners[vector] = (struct owner){handler, NULL, NULL};
}

void vector_free(unsigned vector)
{
    ASSERT(vector >= VECTOR_FIRST && vector < VECTOR_TIMER && owners[vector].handler);
    owners[vector] = (struct owner){0};
}

unsigned vector_used(void)
{
    unsigned used = 0;

    for (unsigned v = 0; v < VECTORS; v++)
        used += owners[v].handler != NULL;
    return used;
}

void vector_hold(unsigned vector, bool on)
{
    if (owners[vector].hold)
        owners[vector].hold(owners[vector].context, on);
}

uint64_t vector_strays(void)
{
    return strays;
}

/*
 * Without interrupt remapping, or where hardware lets messages of the old format pass, a device can
 * send any vector.
 */
static void stray(unsigned vector)
{
    static struct log_limit limit = {.window_ns = NS_PER_S, .burst = LINES};

    strays++;
    if (!log_admit(&limit))
        return;
    log_warn("interrupt with vector %u, which nobody owns (and %lu more since the last line)",
             vector, limit.suppressed);
    limit.suppressed = 0;
}

/*
 * What is not in service did not come by a message of its own (it is the APIC's spurious vector, or
 * the legacy controller's): it is nobody's, and to end it would end another one.
 */
void vector_dispatch(unsigned vector)
{
    uint64_t start = time_ns();

    if (!apic_in_service(vector)) {
        stray(vector);
        return;
    }
    if (owners[vector].handler)
        owners[vector].handler(owners[vector].context);
    else
        stray(vector);
    apic_end_of_interrupt();
    if (vector < VECTOR_TIMER)
        storm_count(vector, start);
}
