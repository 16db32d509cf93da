/* SPDX-License-Identifier: BSD-2-Clause */
/* Who the payload is: one process of user 0, and what the machine offers it. */
#include "kernel/cpu/user.h"
#include "kernel/file/file.h"
#include "kernel/lib/error.h"
#include "kernel/lib/string.h"
#include "kernel/mm/frames/frames.h"
#include "kernel/linux/calls/syscall_table.h"
#include "kernel/linux/calls/clock.h"
#include "kernel/linux/calls/identity.h"
#include "kernel/linux/calls/privilege.h"
#include "kernel/linux/calls/random.h"
#include "kernel/linux/memory/space.h"
#include "kernel/linux/threads/task.h"

#define UNAME_FIELD   65
#define CAPABILITY_V3 0x20080522
#define RANDOM_FLAGS  7u /* GRND_NONBLOCK, GRND_RANDOM, GRND_INSECURE: all the same here */

int64_t sys_getresuid(uaddr_t real, uaddr_t effective, uaddr_t saved)
{
    const uint32_t root = 0;
    int error = copy_to_user(real, &root, sizeof(root));
    if (!error)
        error = copy_to_user(effective, &root, sizeof(root));
    return error ? error : copy_to_user(saved, &root, sizeof(root));
}

int64_t sys_getpgid(int pid)
{
    return pid == 0 || pid == PAYLOAD_PID ? PAYLOAD_PID : -ESRCH;
}

/* It leads the one session and group there are, and stays there. */
APART int64_t sys_setpgid(int pid, int group)
{
    if (group < 0)
        return -EINVAL;
    return pid == 0 || pid == PAYLOAD_PID ? -EPERM : -ESRCH;
}

struct capability_header {
    uint32_t version;
    int32_t pid;
};

/* Two of these: the low and the high 32 capabilities. */
struct capability_set {
    uint32_t effective, permitted, inheritable;
};

int64_t sys_capget(uaddr_t user_header, uaddr_t data)
{
    struct capability_header header;
    const uint64_t held = PAYLOAD_CAPABILITIES;
    const struct capability_set sets[2] = {
        {.effective = (uint32_t)held, .permitted = (uint32_t)held},
        {.effective = (uint32_t)(held >> 32), .permitted = (uint32_t)(held >> 32)},
    };
    int error = copy_from_user(&header, user_header, sizeof(header));
    if (error)
        return error;
    if (header.version != CAPABILITY_V3) {
        header.version = CAPABILITY_V3;
        error = copy_to_user(user_header, &header, sizeof(header));
        return error ? error : data ? -EINVAL : 0;
    }
    if (header.pid != 0 && header.pid != PAYLOAD_PID)
        return header.pid < 0 ? -EINVAL : -ESRCH;
    return data ? copy_to_user(data, sets, sizeof(sets)) : 0;
}

struct user_names {
    char system[UNAME_FIELD];
    char node[UNAME_FIELD];
    char release[UNAME_FIELD];
    char version[UNAME_FIELD];
    char machine[UNAME_FIELD];
    char domain[UNAME_FIELD];
};

int64_t sys_uname(uaddr_t out)
{
    static const struct user_names names = {
        .system = IDENTITY_SYSTEM,
        .node = IDENTITY_NODE,
        .release = IDENTITY_RELEASE,
        .version = IDENTITY_VERSION,
        .machine = IDENTITY_MACHINE,
        .domain = "(none)",
    };
    return copy_to_user(out, &names, sizeof(names));
}

struct user_sysinfo {
    int64_t uptime;
    uint64_t loads[3];
    uint64_t total, free, shared, buffers, swap_total, swap_free;
    uint16_t processes, padding;
    uint64_t high_total, high_free;
    uint32_t unit;
};
_Static_assert(sizeof(struct user_sysinfo) == 112, "layout of the Linux interface");

int64_t sys_sysinfo(uaddr_t out)
{
    struct frames_stats frames;
    frames_stats(&frames);
    struct user_sysinfo info = {
        .uptime = (int64_t)(time_ns() / NS_PER_S),
        .total = frames.total * PAGE_SIZE,
        .free = frames.free * PAGE_SIZE,
        .processes = (uint16_t)payload.task_count,
        .unit = 1,
    };
    return copy_to_user(out, &info, sizeof(info));
}

int64_t sys_getrandom(uaddr_t buffer, size_t length, unsigned flags)
{
    return flags & ~RANDOM_FLAGS ? -EINVAL : random_to_user(buffer, MIN(length, FILE_IO_MAX));
}

struct user_usage {
    struct user_time user, system;
    int64_t max_resident; /* KiB */
    int64_t others[13];
};
_Static_assert(sizeof(struct user_usage) == 144, "layout of the Linux interface");

int64_t sys_getrusage(int who, uaddr_t out)
{
    const int self = 0, children = -1, thread = 1;
    struct user_usage usage = {0};
    if (who != self && who != children && who != thread)
        return -EINVAL;
    if (who != children) {
        struct space_stats stats;
        int error = space_stats(payload.space, &stats);
        if (error)
            return error;
        usage.max_resident = (int64_t)(stats.resident / KIB);
        usage.user = user_time_from_ns(time_ns() - payload.start_ns);
        usage.user.nanoseconds /= (int64_t)NS_PER_US;
    }
    return copy_to_user(out, &usage, sizeof(usage));
}

enum prctl_option {
    PR_GET_DUMPABLE = 3,
    PR_SET_DUMPABLE = 4,
    PR_SET_NAME = 15,
    PR_GET_NAME = 16,
    PR_CAPBSET_READ = 23,
    PR_SET_TIMERSLACK = 29,
    PR_GET_TIMERSLACK = 30,
    PR_SET_NO_NEW_PRIVS = 38,
    PR_GET_NO_NEW_PRIVS = 39,
};

/* Cut to what fits, as on Linux. */
static int64_t set_name(uaddr_t from)
{
    char name[TASK_NAME_MAX] = {0};
    int length = copy_string_from_user(name, from, sizeof(name));
    if (length < 0 && length != -ENAMETOOLONG)
        return length;
    name[sizeof(name) - 1] = 0;
    memcpy(task_current()->name, name, sizeof(name));
    return 0;
}

int64_t sys_prctl(int option, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    switch (option) {
    case PR_SET_NAME:
        return set_name(a);
    case PR_GET_NAME:
        return copy_to_user(a, task_current()->name, TASK_NAME_MAX);
    case PR_GET_DUMPABLE:
        return payload.dumpable;
    case PR_SET_DUMPABLE:
        payload.dumpable = a <= 1 ? a : payload.dumpable;
        return a <= 1 ? 0 : -EINVAL;
    case PR_SET_TIMERSLACK: /* timers are exact, which any slack allows */
        task_current()->slack = (int64_t)a > 0 ? a : TIMER_SLACK;
        return 0;
    case PR_GET_TIMERSLACK:
        return (int64_t)task_current()->slack;
    case PR_CAPBSET_READ:
        return a > CAP_LAST ? -EINVAL : (int64_t)((PAYLOAD_CAPABILITIES >> a) & 1);
    case PR_SET_NO_NEW_PRIVS: /* nothing could ever give it more */
        return a == 1 && !b && !c && !d ? 0 : -EINVAL;
    case PR_GET_NO_NEW_PRIVS:
        return 1;
    default:
        return -EINVAL;
    }
}
