/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A lock that sleeps, for what a call changes piece by piece with breaths in between
 * (breathe_after()). First come, first served: an owner that unlocks hands over to whoever has
 * waited longest, so that nobody starves. Not for interrupt handlers, not recursive.
 */
#ifndef KERNEL_CPU_MUTEX_H
#define KERNEL_CPU_MUTEX_H

#include "kernel/cpu/thread.h"

struct mutex {
    struct thread *owner; /* NULL: free */
    struct list waiters;
};

static inline void mutex_init(struct mutex *mutex)
{
    mutex->owner = NULL;
    list_init(&mutex->waiters);
}

/* Held by the current thread? */
static inline bool mutex_held(const struct mutex *mutex)
{
    return mutex->owner == thread_current();
}

/* mutex.c: the ways that have to wait, and to wake. */
int mutex_wait(struct mutex *mutex, const char *point, enum thread_hears hears);
void mutex_hand_over(struct mutex *mutex);

static inline int mutex_lock_hearing(struct mutex *mutex, const char *point,
                                     enum thread_hears hears)
{
    if (mutex->owner)
        return mutex_wait(mutex, point, hears);
    mutex->owner = thread_current();
    return 0;
}

/*
 * -EINTR: the thread's calls are to end; -ENOENT: what the lock guards is gone (mutex_retire()) and
 * must not be touched. The lock is held only on 0.
 */
static inline int mutex_lock(struct mutex *mutex, const char *point)
{
    return mutex_lock_hearing(mutex, point, HEARS_END);
}

/* For undoing and teardown, which cannot be ended. -ENOENT only. */
static inline int mutex_lock_deaf(struct mutex *mutex, const char *point)
{
    return mutex_lock_hearing(mutex, point, HEARS_NOTHING);
}

/* The current thread must hold it. */
static inline void mutex_unlock(struct mutex *mutex)
{
    if (mutex_held(mutex) && list_empty(&mutex->waiters))
        mutex->owner = NULL;
    else
        mutex_hand_over(mutex);
}

/* What `call` returns, an int or int64_t, evaluated under the lock; errors of mutex_lock(). */
#define mutex_run(lock, point, call)                                                               \
    ({                                                                                             \
        struct mutex *held_ = (lock);                                                              \
        __typeof__(call) result_ = mutex_lock(held_, point);                                       \
        if (!result_) {                                                                            \
            result_ = (call);                                                                      \
            mutex_unlock(held_);                                                                   \
        }                                                                                          \
        result_;                                                                                   \
    })

/*
 * Ends a lock that the current thread holds: all who wait are told that it is gone, and none of
 * them touches it again, so that its memory can be freed at once.
 */
void mutex_retire(struct mutex *mutex);

#endif
