/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/cpu/thread.h"

#define WAKE_WORK 30 /* of one waiter, for whoever wakes many queues: breathe_after() */

void waitq_init(struct waitq *queue)
{
    list_init(&queue->waiters);
}

static void wake_thread(struct waiter *waiter)
{
    thread_wake(waiter->thread);
}

void waiter_init_thread(struct waiter *waiter)
{
    list_init(&waiter->link);
    waiter->wake = wake_thread;
    waiter->thread = thread_current();
}

void wait_add(struct waitq *queue, struct waiter *waiter)
{
    list_push_back(&queue->waiters, &waiter->link);
}

void wait_remove(struct waiter *waiter)
{
    list_remove(&waiter->link);
}

bool wait_added_last(const struct waitq *queue)
{
    const struct waiter *last = list_entry(queue->waiters.prev, struct waiter, link);

    return !list_empty(&queue->waiters) && last->wake == wake_thread &&
           last->thread == thread_current();
}

void waitq_wake(struct waitq *queue)
{
    struct waiter *waiter, *next;

    list_for_each_entry_safe (waiter, next, &queue->waiters, link) {
        waiter->wake(waiter);
        breath_left -= WAKE_WORK;
    }
}
