/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/cpu/mutex.h"
#include "kernel/cpu/time.h"
#include "kernel/lib/error.h"
#include "kernel/lib/panic.h"

struct waiting {
    struct list link; /* in the lock, until the answer is there */
    struct thread *thread;
    bool answered;
    int answer; /* 0: the lock is the thread's */
};

/*
 * A wake for something that the caller waits for around this (a futex, say) may come while it
 * sleeps here. It is passed on: the next sleep ends at once, and its condition is looked at again.
 */
int mutex_wait(struct mutex *mutex, const char *point, enum thread_hears hears)
{
    struct waiting waiting = {.thread = thread_current(), .answer = -EINTR};
    int error = 0;

    ASSERT(!mutex_held(mutex));
    list_push_back(&mutex->waiters, &waiting.link);
    while (!waiting.answered && !error)
        error = thread_sleep_hearing(point, TIME_NEVER, hears);
    if (!waiting.answered)
        list_remove(&waiting.link);
    thread_wake(waiting.thread);
    return waiting.answer;
}

static void answer(struct waiting *waiting, int value)
{
    list_remove(&waiting->link);
    waiting->answered = true;
    waiting->answer = value;
    thread_wake(waiting->thread);
}

void mutex_hand_over(struct mutex *mutex)
{
    struct waiting *next;

    ASSERT(mutex_held(mutex));
    next = list_first(&mutex->waiters, struct waiting, link);
    mutex->owner = next->thread;
    answer(next, 0);
}

void mutex_retire(struct mutex *mutex)
{
    ASSERT(mutex_held(mutex));
    while (!list_empty(&mutex->waiters))
        answer(list_first(&mutex->waiters, struct waiting, link), -ENOENT);
    mutex->owner = NULL;
}
