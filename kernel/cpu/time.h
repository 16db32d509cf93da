/* SPDX-License-Identifier: BSD-2-Clause */
/* Time from the time-stamp counter, calibrated at boot. */
#ifndef KERNEL_CPU_TIME_H
#define KERNEL_CPU_TIME_H

#include "kernel/lib/types.h"

#define NS_PER_US  UINT64_C(1000)
#define NS_PER_MS  UINT64_C(1000000)
#define NS_PER_S   UINT64_C(1000000000)
#define TIME_NEVER (~UINT64_C(0))

/* Nanoseconds since boot; never goes backwards. */
uint64_t time_ns(void);
/* Busy wait; for hardware delays below a tick. */
void time_delay_ns(uint64_t ns);

/* Bounded waiting on hardware: `while (!done()) if (time_expired(deadline)) return -ETIMEDOUT;` */
static inline bool time_expired(uint64_t deadline_ns)
{
    return time_ns() >= deadline_ns;
}

#endif
