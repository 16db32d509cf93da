/* SPDX-License-Identifier: BSD-2-Clause */
/* The payload's threads and what they share. */
#ifndef KERNEL_LINUX_THREADS_TASK_H
#define KERNEL_LINUX_THREADS_TASK_H

#include "kernel/cpu/thread.h"
#include "kernel/cpu/trap.h"
#include "kernel/lib/list.h"
#include "kernel/lib/types.h"
#include "kernel/linux/program/payload.h"
#include "kernel/linux/program/start_stack.h"
#include "kernel/linux/signals/signal.h"

#define TASKS_MAX     512   /* threads of the payload */
#define TASK_NAME_MAX 16    /* with the terminating zero */
#define TIMER_SLACK   50000 /* ns: what Linux begins with */
#define PAYLOAD_PID   1     /* also the thread id of the first thread */

struct node;
struct space;

/* One thread. */
struct task {
    struct list link; /* in payload.tasks */
    struct thread *thread;
    int id;
    char name[TASK_NAME_MAX];
    struct trap_frame start; /* registers to enter user mode with */
    uaddr_t clear_id;        /* zeroed and woken at exit (set_tid_address(2)); 0: nothing */
    uaddr_t robust_list;     /* head of the locks it may hold at exit; 0: none */

    int nice;
    unsigned policy; /* of the scheduler, which knows no difference */
    unsigned mempolicy;
    uint64_t slack; /* of timers, which have none: prctl(2) */

    uint64_t mask;  /* blocked signals */
    uint64_t waits; /* signals that a sigtimedwait is waiting for */
    struct pending pending;
    struct sigaltstack altstack;
    bool mask_saved; /* a call changed the mask for its own duration */
    uint64_t saved_mask;
    uint64_t fault_vector; /* the last exception, for signal frames and the log */
    uint64_t fault_error;
    uint64_t fault_address;
};

/* Resource limits, by Linux RLIMIT_ number. */
enum limit_number {
    LIMIT_CPU,
    LIMIT_FSIZE,
    LIMIT_DATA,
    LIMIT_STACK,
    LIMIT_CORE,
    LIMIT_RSS,
    LIMIT_NPROC,
    LIMIT_NOFILE,
    LIMIT_MEMLOCK,
    LIMIT_AS,
    LIMIT_LOCKS,
    LIMIT_SIGPENDING,
    LIMIT_MSGQUEUE,
    LIMIT_NICE,
    LIMIT_RTPRIO,
    LIMIT_RTTIME,
    LIMIT_COUNT,
};
#define LIMIT_INFINITY UINT64_MAX

struct limit {
    uint64_t soft, hard;
};

/* What all threads share. There is one payload. */
struct payload {
    struct space *space;
    struct list tasks;
    unsigned task_count;
    int last_id;
    struct waitq ended; /* woken when the last thread is gone, or `held` changes */
    bool ending;
    bool held; /* ended by a signal: its threads stay where they are, for who tells of them */
    struct payload_exit exit;
    struct sigaction actions[SIGNAL_MAX + 1]; /* by number */
    struct pending pending;
    struct node *directory; /* working directory, referenced */
    uint32_t umask;
    struct limit limits[LIMIT_COUNT];
    uint64_t start_ns;
    bool dumpable; /* what prctl(2) was told */
    bool barriers; /* membarrier(2): registered */
    struct start_layout layout;
    uint64_t out_limit;   /* bytes of files under /out that the host gets; 0: none are sent */
    uint64_t crash_limit; /* bytes of memory that it gets after a signal; 0: nothing is sent */
};
extern struct payload payload;

static inline struct task *task_current(void)
{
    return thread_owner(thread_current());
}

/*
 * A new thread that will enter user mode with the given registers. It is in payload.tasks, not yet
 * started. -EAGAIN (too many), -ENOMEM.
 */
int task_create(const struct trap_frame *start, struct task **out);
/* NULL: there is no thread of this id. */
struct task *task_find(int id);
/* Ends the current thread; the last one ends the payload with this status. */
_Noreturn void task_exit(int status);
/*
 * Makes every thread leave the kernel and end. The first call decides the result. After a signal
 * whose crash the host wants to know of they are held first: none comes to user mode or to its end
 * until payload_let_go().
 */
void payload_end(struct payload_exit result);
void payload_let_go(void);

/* user_ops.work: signals and the end, before every return to user mode that asked for it. */
void task_work(struct trap_frame *frame);
/* user_ops.exception */
void task_exception(struct trap_frame *frame, uint64_t address);

/*
 * Sets a signal mask for the duration of one call (ppoll, epoll_pwait, sigsuspend). At its end
 * mask_end() puts the old one back; after -EINTR that is left to the signal frame.
 */
void mask_begin(struct task *task, uint64_t mask);
int64_t mask_end(struct task *task, int64_t result);

/* signal_frame.c: is the thread on its alternate stack? */
bool on_altstack(const struct task *task, uaddr_t sp);
/* Makes the frame enter the handler. -EFAULT when the stack cannot be written. */
int signal_frame_push(struct task *task, struct trap_frame *frame, const struct sigaction *action,
                      const struct siginfo *info, uint64_t mask);
/* Undoes it; the mask is in *mask. -EFAULT. */
int signal_frame_pop(struct task *task, struct trap_frame *frame, uint64_t *mask);

#endif
