/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads and sleeping. One CPU; the kernel runs with interrupts off and is never preempted, so
 * between two sleep points kernel code owns everything it looks at. A thread gives up the CPU only
 * in thread_sleep(), thread_yield() and thread_breathe(), which name the place, and in user mode to
 * the tick. Interrupt handlers run only from user mode and from the idle loop. A handler may wake
 * threads and must not sleep.
 */
#ifndef KERNEL_CPU_THREAD_H
#define KERNEL_CPU_THREAD_H

#include "kernel/lib/list.h"
#include "kernel/lib/types.h"

struct thread;
struct cpu_space;
struct trap_frame;

/* Makes what runs now the first thread. Needs the heap, fpu_init() and timer_start(). -ENOMEM. */
int threads_init(void);

/*
 * A new thread with a kernel stack, not yet runnable. It starts in entry(argument) in the kernel
 * with `space` active (NULL: none). -ENOMEM.
 */
int thread_create(struct thread **out, struct cpu_space *space, void (*entry)(void *),
                  void *argument);
void thread_start(struct thread *thread);
struct thread *thread_current(void);
/* Ends the current thread; its stack is freed by whoever runs next. */
_Noreturn void thread_exit(void);
void thread_yield(const char *point);
/*
 * For calls that may work for long, between two pieces: handles the interrupts that have piled up
 * and lets other threads run. -EINTR when the call should stop where it is.
 */
int thread_breathe(const char *point);

/* Where the thread sleeps or last yielded, for messages. NULL: it never did. */
const char *thread_point(const struct thread *thread);
/* Switches from one thread to another since boot. */
uint64_t thread_switches(void);

/* A word for the layer above: the payload's own structure for this thread. */
void thread_set_owner(struct thread *thread, void *owner);
void *thread_owner(const struct thread *thread);

/* Base of the FS segment (thread-local storage) in user mode. */
void thread_set_fs_base(struct thread *thread, uint64_t base);
uint64_t thread_fs_base(const struct thread *thread);

/*
 * Enters user mode with the given registers and never comes back; system calls and traps arrive
 * through struct user_ops (kernel/cpu/trap.h).
 */
_Noreturn void thread_enter_user(const struct trap_frame *frame);

/*
 * Sleeps until thread_wake(), the deadline (time_ns() terms, TIME_NEVER), or thread_interrupt().
 * Returns 0, -ETIMEDOUT or -EINTR. A wake that came before the sleep is not lost as long as the
 * waiter was queued with wait_add() first: check the condition, then sleep, in a loop.
 */
int thread_sleep(const char *point, uint64_t deadline_ns);
void thread_wake(struct thread *thread);
/* Makes the thread's current or next sleep return -EINTR, until thread_clear_interrupt(). */
void thread_interrupt(struct thread *thread);
void thread_clear_interrupt(struct thread *thread);

/* A queue of those who want to hear that something changed. */
struct waitq {
    struct list waiters;
};

struct waiter {
    struct list link;
    void (*wake)(struct waiter *waiter); /* may run in an interrupt handler */
    struct thread *thread;               /* for waiter_init_thread() */
};

void waitq_init(struct waitq *queue);
/* A waiter that wakes the current thread. */
void waiter_init_thread(struct waiter *waiter);
void wait_add(struct waitq *queue, struct waiter *waiter);
void wait_remove(struct waiter *waiter);
/* Calls every waiter; they stay queued. */
void waitq_wake(struct waitq *queue);

#endif
