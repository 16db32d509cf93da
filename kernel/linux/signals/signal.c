/* SPDX-License-Identifier: BSD-2-Clause */
/* Sending signals, and taking them on the way back to user mode. */
#include "kernel/linux/signals/signal.h"
#include "kernel/cpu/layout.h"
#include "kernel/lib/error.h"
#include "kernel/lib/log.h"
#include "kernel/linux/program/crash.h"
#include "kernel/linux/calls/syscall.h"
#include "kernel/linux/threads/task.h"
#include "kernel/machine/console/trace.h"

#define CALL_RT_SIGRETURN 15
#define SYSCALL_INSN_SIZE 2

bool action_ignores(int number)
{
    uaddr_t handler = payload.actions[number].handler;
    if (handler == HANDLER_IGNORE)
        return true;
    return handler == HANDLER_DEFAULT && !signal_default_ends(number);
}

/* Will one of its pending signals end the payload? */
static bool about_to_end(const struct task *task)
{
    uint64_t set = (task->pending.set | payload.pending.set) & ~task->mask;
    for (; set; set &= set - 1) {
        int number = __builtin_ctzll(set) + 1;
        if (payload.actions[number].handler == HANDLER_DEFAULT && signal_default_ends(number))
            return true;
    }
    return false;
}

/*
 * Makes the thread look at its signals soon, whatever it is doing. One that ends the payload also
 * stops calls that other signals do not.
 */
static void nudge(struct task *task)
{
    if (about_to_end(task))
        thread_ask_end(task->thread);
    else
        thread_interrupt(task->thread);
    user_request_work(task->thread);
}

static bool task_wants(const struct task *task, int number)
{
    return !(task->mask & SIGNAL_BIT(number)) || (task->waits & SIGNAL_BIT(number));
}

bool signal_deliverable(const struct task *task)
{
    return (task->pending.set | payload.pending.set) & ~task->mask;
}

int signal_send_task(struct task *task, const struct siginfo *info)
{
    if (info->number == SIG_KILL) {
        payload_end(crash_report_kill(info->number, "killed by itself"));
        return 0;
    }
    if (action_ignores(info->number) && !((task->mask | task->waits) & SIGNAL_BIT(info->number)))
        return 0;
    int error = pending_add(&task->pending, info);
    signal_fd_wake();
    if (!error && task_wants(task, info->number))
        nudge(task);
    return error;
}

/* The thread that should take a signal sent to all: the current one if it would, else any. */
static struct task *choose_taker(int number)
{
    struct task *current = task_current();
    struct task *task;
    if (current && task_wants(current, number))
        return current;
    list_for_each_entry (task, &payload.tasks, link) {
        if (task_wants(task, number))
            return task;
    }
    return NULL;
}

int signal_send(const struct siginfo *info)
{
    struct task *taker = choose_taker(info->number);
    if (info->number == SIG_KILL)
        return list_empty(&payload.tasks)
                   ? 0
                   : signal_send_task(list_first(&payload.tasks, struct task, link), info);
    if (action_ignores(info->number) && taker && !(taker->waits & SIGNAL_BIT(info->number)))
        return 0;
    int error = pending_add(&payload.pending, info);
    signal_fd_wake();
    if (!error && taker)
        nudge(taker);
    return error;
}

void signal_force(const struct siginfo *info)
{
    struct task *task = task_current();
    struct sigaction *action = &payload.actions[info->number];
    bool blocked = task->mask & SIGNAL_BIT(info->number);
    if (blocked || action->handler == HANDLER_IGNORE)
        action->handler = HANDLER_DEFAULT;
    task->mask &= ~SIGNAL_BIT(info->number);
    pending_drop(&task->pending, SIGNAL_BIT(info->number));
    pending_add(&task->pending, info);
    user_request_work(task->thread);
}

void signal_pass_on(void)
{
    for (uint64_t set = payload.pending.set; set; set &= set - 1) {
        struct task *taker = choose_taker(__builtin_ctzll(set) + 1);
        if (taker && taker != task_current())
            nudge(taker);
    }
}

void signal_set_mask(struct task *task, uint64_t mask)
{
    task->mask = mask & ~SIGNALS_HARD;
    if (signal_deliverable(task))
        nudge(task);
    signal_pass_on();
}

void mask_begin(struct task *task, uint64_t mask)
{
    task->saved_mask = task->mask;
    task->mask_saved = true;
    signal_set_mask(task, mask);
}

int64_t mask_end(struct task *task, int64_t result)
{
    if (result != -EINTR && task->mask_saved) {
        task->mask_saved = false;
        signal_set_mask(task, task->saved_mask);
    }
    return result;
}

/*
 * Did a system call end with -EINTR here? What rt_sigreturn "returns" is the interrupted program's
 * own register.
 */
static bool call_interrupted(const struct trap_frame *frame)
{
    return frame->vector == TRAP_SYSCALL && frame->rax == (uint64_t)-EINTR &&
           frame->error != CALL_RT_SIGRETURN;
}

/* Goes back to the SYSCALL instruction. */
static void restart_call(struct trap_frame *frame)
{
    frame->rax = frame->error;
    frame->rip -= SYSCALL_INSN_SIZE;
}

static void enter_handler(struct task *task, struct trap_frame *frame, const struct siginfo *info)
{
    struct sigaction *slot = &payload.actions[info->number];
    struct sigaction action = *slot;
    if (call_interrupted(frame) && (action.flags & ACTION_RESTART) &&
        syscall_restarts(frame->error))
        restart_call(frame);
    frame->vector = 0; /* from here on the frame is the handler's, not the call's */
    uint64_t mask = task->mask_saved ? task->saved_mask : task->mask;
    task->mask_saved = false;
    if (action.flags & ACTION_RESETHAND)
        slot->handler = HANDLER_DEFAULT;
    if (signal_frame_push(task, frame, &action, info, mask)) {
        /* No room for the frame: the payload gets SIGSEGV, and if it was that one, ends. */
        struct siginfo fault = {.number = SIG_SEGV, .code = CODE_KERNEL};
        if (info->number == SIG_SEGV)
            slot->handler = HANDLER_DEFAULT;
        signal_force(&fault);
        return;
    }
    task->mask |= action.mask & ~SIGNALS_HARD;
    if (!(action.flags & ACTION_NODEFER))
        task->mask |= SIGNAL_BIT(info->number);
}

int signal_take(struct task *task, uint64_t set, struct siginfo *info)
{
    int number = pending_take(&task->pending, set, info);
    return number ? number : pending_take(&payload.pending, set, info);
}

static void deliver(struct task *task, struct trap_frame *frame)
{
    struct siginfo info;
    while (!payload.ending && signal_take(task, ~task->mask, &info)) {
        TRACE(TRACE_CALLS, TRACE_SIGNAL, task->id, info.number, (uint64_t)info.code, info.address);
        if (action_ignores(info.number))
            continue;
        if (payload.actions[info.number].handler != HANDLER_DEFAULT) {
            enter_handler(task, frame, &info);
            continue;
        }
        payload_end(crash_report(task, frame, &info));
    }
}

void task_work(struct trap_frame *frame)
{
    struct task *task = task_current();
    deliver(task, frame);
    if (payload.ending)
        task_exit(0);
    /* No handler ran: the interrupted call goes on as if nothing had happened. */
    if (call_interrupted(frame))
        restart_call(frame);
    frame->vector = 0;
    if (task->mask_saved) {
        task->mask_saved = false;
        task->mask = task->saved_mask;
    }
    signal_pass_on(); /* handlers have masks, too */
    if (!signal_deliverable(task))
        thread_clear_interrupt(task->thread);
    else
        user_request_work(task->thread);
}
