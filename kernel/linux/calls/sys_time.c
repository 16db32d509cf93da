/* SPDX-License-Identifier: BSD-2-Clause */
/* Clocks, sleeping, and the alarm. */
#include "kernel/cpu/thread.h"
#include "kernel/cpu/user.h"
#include "kernel/lib/error.h"
#include "kernel/linux/calls/alarm.h"
#include "kernel/linux/calls/syscall_table.h"
#include "kernel/linux/calls/clock.h"
#include "kernel/linux/threads/task.h"

#define TIMER_ABSOLUTE 1u

int64_t sys_clock_gettime(int clock, uaddr_t out)
{
    uint64_t ns;
    int error = clock_read(clock, &ns);
    if (error)
        return error;
    struct user_time time = user_time_from_ns(ns);
    return copy_to_user(out, &time, sizeof(time));
}

int64_t sys_clock_getres(int clock, uaddr_t out)
{
    uint64_t ns;
    const struct user_time resolution = {.nanoseconds = 1};
    int error = clock_read(clock, &ns);
    if (error || !out)
        return error;
    return copy_to_user(out, &resolution, sizeof(resolution));
}

static int64_t sleep_until(uint64_t deadline, uaddr_t remain)
{
    int error = 0;
    while (!error && !time_expired(deadline))
        error = thread_sleep("nanosleep", deadline);
    if (error != -EINTR)
        return 0;
    uint64_t now = time_ns();
    struct user_time left = user_time_from_ns(deadline > now ? deadline - now : 0);
    if (remain && copy_to_user(remain, &left, sizeof(left)))
        return -EFAULT;
    return -EINTR;
}

int64_t sys_clock_nanosleep(int clock, unsigned flags, uaddr_t request, uaddr_t remain)
{
    struct user_time time;
    uint64_t ns, deadline;
    int error = copy_from_user(&time, request, sizeof(time));
    if (!error)
        error = user_time_to_ns(&time, &ns);
    if (!error)
        error = clock_to_ns(clock, ns, &deadline);
    if (error)
        return error;
    if (flags & TIMER_ABSOLUTE)
        return sleep_until(deadline, 0);
    return sleep_until(deadline_after(ns), remain);
}

static struct user_time to_timeval(uint64_t ns)
{
    struct user_time time = user_time_from_ns(ns);
    time.nanoseconds /= (int64_t)NS_PER_US;
    return time;
}

int64_t sys_gettimeofday(uaddr_t out, uaddr_t zone)
{
    struct user_time time = to_timeval(clock_boot_ns() + time_ns());
    const uint64_t utc = 0; /* struct timezone */
    int error = out ? copy_to_user(out, &time, sizeof(time)) : 0;
    if (!error && zone)
        error = copy_to_user(zone, &utc, sizeof(utc));
    return error;
}

int64_t sys_time(uaddr_t out)
{
    int64_t seconds = (int64_t)((clock_boot_ns() + time_ns()) / NS_PER_S);
    int error = out ? copy_to_user(out, &seconds, sizeof(seconds)) : 0;
    return error ? error : seconds;
}

int64_t sys_times(uaddr_t out)
{
    const uint64_t tick = NS_PER_S / CLOCK_TICKS;
    uint64_t used = (time_ns() - payload.start_ns) / tick;
    const uint64_t times[4] = {used};
    int error = out ? copy_to_user(out, times, sizeof(times)) : 0;
    return error ? error : (int64_t)(time_ns() / tick);
}

int64_t sys_alarm(unsigned seconds)
{
    struct alarm_setting old;
    alarm_get(&old);
    alarm_set(seconds * NS_PER_S, 0);
    /* What is left, rounded, but never to 0 while something is. */
    uint64_t left = (old.value_ns + NS_PER_S / 2) / NS_PER_S;
    return old.value_ns && left == 0 ? 1 : (int64_t)left;
}

/* struct itimerval of the interface: microseconds. */
struct user_interval {
    struct user_time interval;
    struct user_time value;
};

static int timeval_to_ns(const struct user_time *time, uint64_t *ns)
{
    struct user_time precise = *time;
    if (__builtin_mul_overflow(time->nanoseconds, (int64_t)NS_PER_US, &precise.nanoseconds))
        return -EINVAL;
    return user_time_to_ns(&precise, ns);
}

int64_t sys_getitimer(int which, uaddr_t out)
{
    struct alarm_setting setting;
    if (which != ITIMER_REAL)
        return -EINVAL;
    alarm_get(&setting);
    struct user_interval user = {
        .interval = to_timeval(setting.interval_ns),
        .value = to_timeval(setting.value_ns),
    };
    return copy_to_user(out, &user, sizeof(user));
}

int64_t sys_setitimer(int which, uaddr_t in, uaddr_t old)
{
    struct user_interval user = {0};
    uint64_t value, interval;
    if (which != ITIMER_REAL)
        return -EINVAL;
    int error = in ? copy_from_user(&user, in, sizeof(user)) : 0;
    if (!error)
        error = timeval_to_ns(&user.value, &value);
    if (!error)
        error = timeval_to_ns(&user.interval, &interval);
    if (!error && old)
        error = (int)sys_getitimer(which, old);
    if (!error)
        alarm_set(value, interval);
    return error;
}
