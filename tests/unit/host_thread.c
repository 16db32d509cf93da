/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/host_thread.h"
#include <stdio.h>
#include <stdlib.h>
#include "kernel/cpu/thread.h"
#include "kernel/cpu/timer.h"
#include "kernel/lib/error.h"

struct thread {
    void *owner;
};

int (*host_sleep)(const char *point, uint64_t deadline_ns);
int (*host_breath)(const char *point, enum thread_hears hears);
int64_t breath_left = BREATH_WORK;
int64_t host_breath_work = BREATH_WORK;
uint64_t host_now_ns = NS_PER_S;
unsigned host_wakes, host_sleeps;

static struct thread threads[HOST_THREADS];
static struct thread *current = &threads[0];
static struct list timers = LIST_INIT(timers);

struct thread *thread_current(void)
{
    return current;
}

void host_thread_be(unsigned number)
{
    current = &threads[number];
}

void thread_set_owner(struct thread *thread, void *owner)
{
    thread->owner = owner;
}

void *thread_owner(const struct thread *thread)
{
    return thread->owner;
}

int thread_sleep_hearing(const char *point, uint64_t deadline_ns, enum thread_hears hears)
{
    host_sleeps++;
    if (host_sleep)
        return host_sleep(point, deadline_ns);
    if (deadline_ns == TIME_NEVER) {
        fprintf(stderr, "slept for ever at: %s\n", point);
        abort();
    }
    if (deadline_ns > host_now_ns)
        host_time_to(deadline_ns);
    return -ETIMEDOUT;
}

int thread_breathe_hearing(const char *point, enum thread_hears hears)
{
    int error = host_breath ? host_breath(point, hears) : 0;

    breath_left = host_breath_work;
    return hears == HEARS_NOTHING ? 0 : error;
}

void thread_nap(const char *point, uint64_t ns)
{
    host_sleeps++;
    host_time_to(host_now_ns + ns);
}

void thread_wake(struct thread *thread)
{
    host_wakes++;
}

uint64_t time_ns(void)
{
    return host_now_ns;
}

void timer_init(struct timer *timer, void (*expired)(struct timer *timer))
{
    list_init(&timer->link);
    timer->expired = expired;
}

void timer_set(struct timer *timer, uint64_t deadline_ns)
{
    list_remove(&timer->link);
    timer->deadline_ns = deadline_ns;
    list_push_back(&timers, &timer->link);
}

void timer_cancel(struct timer *timer)
{
    list_remove(&timer->link);
}

bool timer_pending(const struct timer *timer)
{
    return !list_empty(&timer->link);
}

void host_time_to(uint64_t ns)
{
    struct timer *timer, *next;
    host_now_ns = ns;
    list_for_each_entry_safe (timer, next, &timers, link) {
        if (timer->deadline_ns > ns)
            continue;
        list_remove(&timer->link);
        timer->expired(timer);
    }
}
