/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads and sleeping. One CPU; the kernel runs with interrupts off and is never preempted, so
 * between two sleep points kernel code owns everything it looks at. A thread gives up the CPU only
 * in thread_sleep(), thread_yield(), thread_breathe() and their variants (also inside mutex_lock()
 * and breathe_after()), which name the place, and in user mode to the tick. Interrupt handlers run
 * only from user mode, from the idle loop and while a thread breathes. A handler may wake threads
 * and must not sleep.
 *
 * No call holds the machine: after at most 1 ms of work it lets interrupts and other threads in.
 * Loops count what they do (breathe_after()). What a call is changing stays locked meanwhile by a
 * mutex (kernel/cpu/mutex.h); everything else that it looked at before a breath may be gone after.
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
/* The `point` that it gave when it last let others in, for who must tell; NULL: it never did. */
const char *thread_point(void);
/* Ends the current thread; its stack is freed by whoever runs next. */
_Noreturn void thread_exit(void);
void thread_yield(const char *point);

/* What makes a wait, or the work of a call, end early with -EINTR. */
enum thread_hears {
    HEARS_SIGNALS, /* all that wants the thread's attention: for calls that Linux cuts short */
    HEARS_END,     /* only that its calls are to end: exit_group, a fatal signal, payload-timeout */
    HEARS_NOTHING, /* undoing and teardown, which must be finished */
};

/* ---- long work ---- */

/*
 * Between two pieces of work: handles the interrupts that have piled up and lets other threads run.
 * -EINTR when the call should stop where it is.
 */
int thread_breathe_hearing(const char *point, enum thread_hears hears);
static inline int thread_breathe(const char *point)
{
    return thread_breathe_hearing(point, HEARS_SIGNALS);
}

/*
 * Work, in units of about one instruction or one nanosecond, between two breaths. Short of the
 * bound of 1 ms by what a step may cost that is counted after it was done, and by what nobody
 * counts.
 */
#define BREATH_WORK 300000
/* Units of work until the next breath is due, whoever does it: time passes for all. */
extern int64_t breath_left;

/* The form for loops: counts `units` of work just done, and breathes when that is due. -EINTR. */
static inline int breathe_hearing_after(uint32_t units, const char *point, enum thread_hears hears)
{
    breath_left -= units;
    return breath_left > 0 ? 0 : thread_breathe_hearing(point, hears);
}

static inline int breathe_after(uint32_t units, const char *point)
{
    return breathe_hearing_after(units, point, HEARS_END);
}

/* The same for undoing and teardown: lets others in, and goes on. */
static inline void breathe_deaf_after(uint32_t units, const char *point)
{
    (void)breathe_hearing_after(units, point, HEARS_NOTHING);
}

/* Switches from one thread to another since boot. */
uint64_t thread_switches(void);

/* A word for the layer above: the payload's own structure for this thread. */
void thread_set_owner(struct thread *thread, void *owner);
void *thread_owner(const struct thread *thread);

/* How a thread stands that is not running, for who tells of it. */
struct thread_view {
    const void *fpu;   /* its floating-point state: fpu_size() bytes */
    const void *stack; /* what is on its kernel stack, from the registers of thread_switch() on */
    size_t stack_used; /* in bytes */
    const struct trap_frame
        *user; /* the end of that: what it goes back to user mode with, once it was there */
};
struct thread_view thread_look(const struct thread *thread);

/* Base of the FS segment (thread-local storage) in user mode. */
void thread_set_fs_base(struct thread *thread, uint64_t base);
uint64_t thread_fs_base(const struct thread *thread);

/*
 * trap.S: enters user mode with the given registers and never comes back; system calls and traps
 * arrive through struct user_ops (kernel/cpu/trap.h).
 */
_Noreturn void thread_enter_user(const struct trap_frame *frame);

/*
 * Sleeps until thread_wake(), the deadline (time_ns() terms, TIME_NEVER), or thread_interrupt().
 * Returns 0, -ETIMEDOUT or -EINTR. A wake that came before the sleep is not lost as long as the
 * waiter was queued with wait_add() first: check the condition, then sleep, in a loop.
 */
int thread_sleep_hearing(const char *point, uint64_t deadline_ns, enum thread_hears hears);
static inline int thread_sleep(const char *point, uint64_t deadline_ns)
{
    return thread_sleep_hearing(point, deadline_ns, HEARS_SIGNALS);
}
/* Sleeps for so long, whatever is asked of the thread: for times that hardware must be given. */
void thread_nap(const char *point, uint64_t ns);
void thread_wake(struct thread *thread);
/* Makes the thread's current or next sleep return -EINTR, until thread_clear_interrupt(). */
void thread_interrupt(struct thread *thread);
/* The same for everything that hears the end: the thread's calls stop at their next breath. */
void thread_ask_end(struct thread *thread);
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
/* Is the last one that was added the current thread's own? */
bool wait_added_last(const struct waitq *queue);
void wait_remove(struct waiter *waiter);
/* Calls every waiter; they stay queued. Counted as work (breathe_after()). */
void waitq_wake(struct waitq *queue);

#endif
