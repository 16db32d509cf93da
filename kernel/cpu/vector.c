// SPDX-License-Identifier: BSD-2-Clause
/* Who owns which interrupt vector. */
#include "kernel/cpu/apic.h"
#include "kernel/cpu/trap_internal.h"
#include "kernel/lib/error.h"
#include "kernel/lib/panic.h"

#define VECTOR_FIRST 32
#define VECTOR_LAST  254 /* 255 is the local APIC's spurious vector */

struct owner {
    vector_handler handler;
    void *context;
};

static struct owner owners[VECTOR_LAST + 1];
static uint64_t strays;

/*
 * Higher vectors have higher priority, which matters to nobody here; the search starts at the
 * bottom so that numbers are stable from run to run.
 */
int vector_alloc(vector_handler handler, void *context)
{
    for (unsigned v = VECTOR_FIRST; v <= VECTOR_LAST; v++) {
        if (owners[v].handler)
            continue;
        owners[v] = (struct owner){handler, context};
        return (int)v;
    }
    return -ENOSPC;
}

void vector_free(unsigned vector)
{
    ASSERT(vector >= VECTOR_FIRST && vector <= VECTOR_LAST && owners[vector].handler);
    owners[vector] = (struct owner){0};
}

uint64_t vector_strays(void)
{
    return strays;
}

/*
 * A vector that nobody owns is counted and otherwise ignored: without interrupt remapping (or where
 * hardware lets compatibility-format messages pass) a device can send any of them.
 */
void vector_dispatch(unsigned vector)
{
    if (vector == APIC_SPURIOUS_VECTOR) {
        strays++;
        return;
    }
    if (vector >= VECTOR_FIRST && owners[vector].handler)
        owners[vector].handler(owners[vector].context);
    else
        strays++;
    apic_end_of_interrupt();
}
