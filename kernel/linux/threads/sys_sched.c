/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scheduler's questions. There is one CPU, and threads take turns: policies without priorities
 * are remembered and change nothing, real-time ones are not allowed (no CAP_SYS_NICE).
 */
#include "kernel/cpu/user.h"
#include "kernel/lib/error.h"
#include "kernel/linux/calls/syscall_table.h"
#include "kernel/linux/threads/task.h"

enum policy {
    POLICY_FIFO = 1,
    POLICY_RR = 2,
    POLICY_ISO = 4, /* there is none */
    POLICY_DEADLINE = 6,
    POLICY_RESET_ON_FORK = 0x40000000,
};

#define NICE_MIN (-20)
#define NICE_MAX 19

static struct task *thread_of(int id)
{
    return id ? task_find(id) : task_current();
}

int64_t sys_sched_getaffinity(int id, size_t size, uaddr_t mask)
{
    const uint64_t first_cpu = 1;
    if (!thread_of(id))
        return -ESRCH;
    if (size < sizeof(first_cpu) || size % sizeof(first_cpu))
        return -EINVAL;
    int error = copy_to_user(mask, &first_cpu, sizeof(first_cpu));
    return error ? error : (int64_t)sizeof(first_cpu);
}

int64_t sys_sched_setaffinity(int id, size_t size, uaddr_t mask)
{
    uint64_t cpus = 0;
    if (!thread_of(id))
        return -ESRCH;
    int error = copy_from_user(&cpus, mask, MIN(size, sizeof(cpus)));
    if (error)
        return error;
    return cpus & 1 ? 0 : -EINVAL;
}

int64_t sys_sched_getscheduler(int id)
{
    const struct task *task = thread_of(id);
    return id < 0 ? -EINVAL : task ? (int64_t)task->policy : -ESRCH;
}

int64_t sys_sched_getparam(int id, uaddr_t out)
{
    if (id < 0 || !out)
        return -EINVAL;
    return thread_of(id) ? clear_user(out, sizeof(int32_t)) : -ESRCH;
}

/* The lowest is 1, or 0 where that is the highest. */
int64_t sys_sched_get_priority_max(int policy)
{
    static const int8_t highest[] = {
        [POLICY_FIFO] = 99, [POLICY_RR] = 99, [POLICY_ISO] = -EINVAL, [POLICY_DEADLINE] = 0};
    return policy < 0 || policy > POLICY_DEADLINE ? -EINVAL : highest[policy];
}

int64_t sys_sched_setscheduler(int id, int policy, uaddr_t from)
{
    struct task *task = thread_of(id);
    int32_t priority;
    if (id < 0 || !from)
        return -EINVAL;
    int error = copy_from_user(&priority, from, sizeof(priority));
    if (error || !task)
        return error ? error : -ESRCH;
    policy &= ~POLICY_RESET_ON_FORK;
    int64_t highest = sys_sched_get_priority_max(policy);
    if (highest < 0 || policy == POLICY_DEADLINE || priority < MIN(highest, 1) ||
        priority > highest)
        return -EINVAL;
    if (highest > 0)
        return -EPERM;
    task->policy = (unsigned)policy;
    return 0;
}

APART int64_t sys_sched_setparam(int id, uaddr_t from)
{
    return sys_sched_setscheduler(id, (int)sys_sched_getscheduler(id), from);
}

/*
 * Is the thread one of those that setpriority(2) means, `one` having the id that is given? The
 * payload is the only group and user.
 */
static bool means(int which, int who, const struct task *one, const struct task *task)
{
    if (which == 0)
        return task == one;
    return who == 0 || (which == 1 && who == PAYLOAD_PID);
}

int64_t sys_getpriority(int which, int who)
{
    const struct task *task, *one = thread_of(who);
    int64_t highest = -ESRCH;
    if (which < 0 || which > 2)
        return -EINVAL;
    list_for_each_entry (task, &payload.tasks, link) {
        if (means(which, who, one, task))
            highest = MAX(highest, NICE_MAX + 1 - task->nice);
    }
    return highest;
}

int64_t sys_setpriority(int which, int who, int nice)
{
    struct task *task;
    const struct task *one = thread_of(who);
    int64_t result = -ESRCH;
    nice = MAX(MIN(nice, NICE_MAX), NICE_MIN);
    if (which < 0 || which > 2)
        return -EINVAL;
    list_for_each_entry (task, &payload.tasks, link) {
        if (!means(which, who, one, task))
            continue;
        bool allowed = nice >= task->nice; /* without CAP_SYS_NICE */
        result = !allowed ? -EACCES : result == -ESRCH ? 0 : result;
        task->nice = allowed ? nice : task->nice;
    }
    return result;
}

int64_t sys_getcpu(uaddr_t cpu, uaddr_t node)
{
    int error = cpu ? clear_user(cpu, sizeof(uint32_t)) : 0;
    return error || !node ? error : clear_user(node, sizeof(uint32_t));
}

enum membarrier_command {
    BARRIER_PRIVATE = 8,
    BARRIER_REGISTER_PRIVATE = 16,
    BARRIER_ALL = 31, /* those, and the three global ones */
};

/* On one CPU the way from one thread to another is a barrier. */
int64_t sys_membarrier(int command, unsigned flags)
{
    if (flags || (command & ~BARRIER_ALL) || (command & (command - 1)))
        return -EINVAL;
    if (command == BARRIER_PRIVATE && !payload.barriers)
        return -EPERM;
    payload.barriers |= command == BARRIER_REGISTER_PRIVATE;
    return command ? 0 : BARRIER_ALL;
}
