/* SPDX-License-Identifier: BSD-2-Clause */
/* The clock of tests that have no threads. */
#include "kernel/cpu/time.h"
#include "tests/unit/host_thread.h"

uint64_t host_now_ns = NS_PER_S;

uint64_t time_ns(void)
{
    return host_now_ns;
}

void thread_nap(const char *point, uint64_t ns)
{
    host_now_ns += ns;
}
