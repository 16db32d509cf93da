/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Resource limits. What is reported is what is enforced: limits without a guard behind them are
 * infinite and cannot be lowered.
 */
#include "kernel/cpu/user.h"
#include "kernel/file/fdtable.h"
#include "kernel/lib/error.h"
#include "kernel/linux/calls/syscall_table.h"
#include "kernel/linux/memory/space.h"
#include "kernel/linux/threads/task.h"

/* Limits that somebody looks at when they change. */
#define LIMITS_ENFORCED                                                                            \
    (BIT(LIMIT_NOFILE) | BIT(LIMIT_MEMLOCK) | BIT(LIMIT_STACK) | BIT(LIMIT_CORE))

static int check_limit(unsigned which, const struct limit *new)
{
    const struct limit *old = &payload.limits[which];
    if (new->soft > new->hard)
        return -EINVAL;
    if (new->hard > old->hard)
        return -EPERM;
    bool same = new->soft == old->soft &&new->hard == old->hard;
    return same || (LIMITS_ENFORCED & BIT(which)) ? 0 : -EPERM;
}

static int set_limit(unsigned which, const struct limit *new)
{
    int error = check_limit(which, new);
    if (error)
        return error;
    payload.limits[which] = *new;
    if (which == LIMIT_NOFILE)
        fd_set_limit((unsigned)new->soft);
    if (which == LIMIT_MEMLOCK)
        space_set_memlock(payload.space, new->soft);
    if (which == LIMIT_STACK)
        space_set_stack_limit(payload.space, new->soft);
    return 0;
}

int64_t sys_prlimit64(int pid, unsigned which, uaddr_t in, uaddr_t out)
{
    struct limit new;
    if (pid != 0 && pid != PAYLOAD_PID)
        return -ESRCH;
    if (which >= LIMIT_COUNT)
        return -EINVAL;
    struct limit old = payload.limits[which];
    int error = in ? copy_from_user(&new, in, sizeof(new)) : 0;
    if (!error && in)
        error = set_limit(which, &new);
    if (!error && out)
        error = copy_to_user(out, &old, sizeof(old));
    return error;
}
