/* SPDX-License-Identifier: BSD-2-Clause */
/* Signal calls. The payload is the only process, so kill reaches itself or nobody. */
#include "kernel/cpu/thread.h"
#include "kernel/cpu/trap.h"
#include "kernel/cpu/user.h"
#include "kernel/lib/error.h"
#include "kernel/linux/calls/syscall_table.h"
#include "kernel/linux/calls/clock.h"
#include "kernel/linux/threads/task.h"

#define MASK_SIZE      8
#define ALTSTACK_LEAST 2048 /* MINSIGSTKSZ */

enum mask_how {
    MASK_BLOCK,
    MASK_UNBLOCK,
    MASK_SET,
};

static bool valid_signal(int number)
{
    return number > 0 && number <= SIGNAL_MAX;
}

/* A signal that is ignored from now on is no longer pending anywhere. */
static void drop_everywhere(int number)
{
    struct task *task;
    pending_drop(&payload.pending, SIGNAL_BIT(number));
    list_for_each_entry (task, &payload.tasks, link) {
        pending_drop(&task->pending, SIGNAL_BIT(number));
    }
}

int64_t sys_rt_sigaction(int number, uaddr_t action, uaddr_t old, size_t mask_size)
{
    struct sigaction new;
    if (mask_size != MASK_SIZE || !valid_signal(number))
        return -EINVAL;
    if (action && (SIGNAL_BIT(number) & SIGNALS_HARD))
        return -EINVAL;
    int error = action ? copy_from_user(&new, action, sizeof(new)) : 0;
    struct sigaction before = payload.actions[number];
    if (!error && action) {
        new.mask &= ~SIGNALS_HARD;
        payload.actions[number] = new;
        if (action_ignores(number))
            drop_everywhere(number);
    }
    if (!error && old)
        error = copy_to_user(old, &before, sizeof(before));
    return error;
}

int64_t sys_rt_sigprocmask(int how, uaddr_t user_set, uaddr_t old, size_t mask_size)
{
    struct task *task = task_current();
    uint64_t before = task->mask;
    uint64_t set;
    if (mask_size != MASK_SIZE)
        return -EINVAL;
    if (user_set) {
        int error = copy_from_user(&set, user_set, sizeof(set));
        if (error)
            return error;
        if (how == MASK_BLOCK)
            set |= before;
        else if (how == MASK_UNBLOCK)
            set = before & ~set;
        else if (how != MASK_SET)
            return -EINVAL;
        signal_set_mask(task, set);
    }
    return old ? copy_to_user(old, &before, sizeof(before)) : 0;
}

int64_t sys_rt_sigpending(uaddr_t out, size_t mask_size)
{
    const struct task *task = task_current();
    uint64_t set = (task->pending.set | payload.pending.set) & task->mask;
    if (mask_size > MASK_SIZE)
        return -EINVAL;
    return copy_to_user(out, &set, mask_size);
}

/* Until a handler has run; what does nothing does not wake it. */
static int64_t sleep_for_signal(const char *point)
{
    int error = 0;
    while (!error)
        error = thread_sleep(point, TIME_NEVER);
    return -EINTR;
}

int64_t sys_rt_sigsuspend(uaddr_t mask, size_t mask_size)
{
    uint64_t set;
    if (mask_size != MASK_SIZE)
        return -EINVAL;
    int error = copy_from_user(&set, mask, sizeof(set));
    if (error)
        return error;
    mask_begin(task_current(), set);
    return sleep_for_signal("sigsuspend");
}

int64_t sys_pause(void)
{
    return sleep_for_signal("pause");
}

static int64_t wait_for_signal(struct task *task, uint64_t set, uint64_t deadline,
                               struct siginfo *info)
{
    int number = signal_take(task, set, info);
    int error = 0;
    task->waits = set;
    while (!number && !error) {
        error = deadline ? thread_sleep("sigtimedwait", deadline) : -ETIMEDOUT;
        number = signal_take(task, set, info);
    }
    task->waits = 0;
    signal_pass_on();
    if (number) /* its arrival interrupted the sleep; that is over */
        return number;
    return error == -ETIMEDOUT ? -EAGAIN : error;
}

int64_t sys_rt_sigtimedwait(uaddr_t user_set, uaddr_t user_info, uaddr_t timeout, size_t mask_size)
{
    struct task *task = task_current();
    struct siginfo info;
    uint64_t set, deadline;
    if (mask_size != MASK_SIZE)
        return -EINVAL;
    int error = copy_from_user(&set, user_set, sizeof(set));
    if (!error)
        error = deadline_from_user(timeout, &deadline);
    if (error)
        return error;
    int64_t number = wait_for_signal(task, set & ~SIGNALS_HARD, deadline, &info);
    if (number > 0 && user_info && copy_to_user(user_info, &info, sizeof(info)))
        return -EFAULT;
    return number;
}

static struct siginfo sender_info(int number, int code)
{
    struct siginfo info = {.number = number, .code = code};
    info.sender.pid = PAYLOAD_PID;
    return info;
}

/* The payload is process 1, alone in group 1: 0, 1, -1 and -group all mean itself. */
int64_t sys_kill(int pid, int number)
{
    struct siginfo info = sender_info(number, CODE_USER);
    if (number < 0 || number > SIGNAL_MAX)
        return -EINVAL;
    if (pid != 0 && pid != PAYLOAD_PID && pid != -PAYLOAD_PID)
        return -ESRCH;
    return number ? signal_send(&info) : 0;
}

static int64_t send_to_thread(int id, int number, const struct siginfo *info)
{
    if (id <= 0 || number < 0 || number > SIGNAL_MAX)
        return -EINVAL;
    struct task *task = task_find(id);
    if (!task)
        return -ESRCH;
    return number ? signal_send_task(task, info) : 0;
}

int64_t sys_tkill(int id, int number)
{
    struct siginfo info = sender_info(number, CODE_TKILL);
    return send_to_thread(id, number, &info);
}

int64_t sys_tgkill(int pid, int id, int number)
{
    if (pid <= 0)
        return -EINVAL;
    return pid == PAYLOAD_PID ? sys_tkill(id, number) : -ESRCH;
}

static int get_queued_info(uaddr_t from, int number, struct siginfo *info)
{
    int error = copy_from_user(info, from, sizeof(*info));
    info->number = number;
    return error;
}

int64_t sys_rt_sigqueueinfo(int pid, int number, uaddr_t user_info)
{
    struct siginfo info;
    int error = get_queued_info(user_info, number, &info);
    if (error)
        return error;
    if (number < 0 || number > SIGNAL_MAX)
        return -EINVAL;
    if (pid != PAYLOAD_PID)
        return -ESRCH;
    return number ? signal_send(&info) : 0;
}

int64_t sys_rt_tgsigqueueinfo(int pid, int id, int number, uaddr_t user_info)
{
    struct siginfo info;
    int error = get_queued_info(user_info, number, &info);
    if (error)
        return error;
    if (pid <= 0)
        return -EINVAL;
    return pid == PAYLOAD_PID ? send_to_thread(id, number, &info) : -ESRCH;
}

int64_t sys_rt_sigreturn(struct trap_frame *frame)
{
    struct task *task = task_current();
    uint64_t mask;
    if (signal_frame_pop(task, frame, &mask)) {
        const struct siginfo fault = {.number = SIG_SEGV, .code = CODE_KERNEL};
        signal_force(&fault);
        return 0;
    }
    signal_set_mask(task, mask);
    user_request_work(task->thread); /* the frame has changed: it takes the slow way out */
    return (int64_t)frame->rax;
}

static int check_altstack(struct sigaltstack *stack)
{
    uint32_t mode = stack->flags & ~(uint32_t)ALTSTACK_AUTODISARM;
    if (mode == ALTSTACK_DISABLE) {
        *stack = (struct sigaltstack){.flags = stack->flags};
        return 0;
    }
    if (mode != 0 && mode != ALTSTACK_ON)
        return -EINVAL;
    if (stack->size < ALTSTACK_LEAST)
        return -ENOMEM;
    stack->flags &= ALTSTACK_AUTODISARM;
    stack->padding = 0;
    return user_range_ok(stack->base, stack->size) ? 0 : -ENOMEM;
}

int64_t sys_sigaltstack(struct trap_frame *frame)
{
    struct task *task = task_current();
    uaddr_t new = frame->rdi;
    uaddr_t old = frame->rsi;
    struct sigaltstack before = task->altstack;
    struct sigaltstack stack;
    bool active = on_altstack(task, frame->rsp);
    if (active)
        before.flags |= ALTSTACK_ON;
    int error = new ? copy_from_user(&stack, new, sizeof(stack)) : 0;
    if (!error && new)
        error = active ? -EPERM : check_altstack(&stack);
    if (error)
        return error;
    if (new)
        task->altstack = stack;
    return old ? copy_to_user(old, &before, sizeof(before)) : 0;
}
