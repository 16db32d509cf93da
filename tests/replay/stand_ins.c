/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time, threads and vectors for the kernel's code in a replay. Every look at the clock takes 100
 * us; there is one thread, and what would need another one is never reached.
 */
#include <stdlib.h>

#include "kernel/cpu/thread.h"
#include "kernel/cpu/time.h"
#include "kernel/cpu/timer.h"
#include "kernel/cpu/trap.h"

static uint64_t now;
static unsigned vectors = 32;

int64_t breath_left = BREATH_WORK;

uint64_t time_ns(void)
{
    return now += 100 * NS_PER_US;
}

void time_delay_ns(uint64_t ns)
{
    now += ns;
}

void thread_nap(const char *point, uint64_t ns)
{
    now += ns;
}

struct thread *thread_current(void)
{
    static char one;

    return (struct thread *)(void *)&one;
}

int thread_breathe_hearing(const char *point, enum thread_hears hears)
{
    breath_left = BREATH_WORK;
    return 0;
}

int thread_sleep_hearing(const char *point, uint64_t deadline_ns, enum thread_hears hears)
{
    abort();
}

int thread_create(struct thread **out, struct cpu_space *space, void (*entry)(void *),
                  void *argument)
{
    abort();
}

void thread_start(struct thread *thread)
{
    abort();
}

void thread_wake(struct thread *thread)
{
}

void timer_init(struct timer *timer, void (*expired)(struct timer *timer))
{
}

void timer_set(struct timer *timer, uint64_t deadline_ns)
{
    abort();
}

int vector_alloc(vector_handler handler, void (*hold)(void *context, bool on), void *context)
{
    return (int)vectors++;
}

void vector_free(unsigned vector)
{
}

uint32_t cpu_apic_id(void)
{
    return 0;
}
