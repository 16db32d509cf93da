/* SPDX-License-Identifier: BSD-2-Clause */
/* The payload's alarm: setitimer(ITIMER_REAL) and alarm(2), which are one timer. */
#ifndef KERNEL_LINUX_CALLS_ALARM_H
#define KERNEL_LINUX_CALLS_ALARM_H

#include "kernel/lib/types.h"

#define ITIMER_REAL 0

struct alarm_setting {
    uint64_t value_ns;    /* until SIGALRM; 0: not set */
    uint64_t interval_ns; /* between later ones; 0: only one */
};

/* Not set, nothing pending. Before the payload starts, and when it has ended. */
void alarm_reset(void);
void alarm_get(struct alarm_setting *out);
void alarm_set(uint64_t value_ns, uint64_t interval_ns);

#endif
