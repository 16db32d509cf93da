/* SPDX-License-Identifier: BSD-2-Clause */
/* Time. */
#include <errno.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>
#include <unistd.h>

#include "call.h"

int clock_gettime(clockid_t clock, struct timespec *now)
{
    return (int)CALL(SYS_clock_gettime, clock, now);
}

int clock_getres(clockid_t clock, struct timespec *resolution)
{
    return (int)CALL(SYS_clock_getres, clock, resolution);
}

/* Unlike its relatives this one returns the error number. */
int clock_nanosleep(clockid_t clock, int flags, const struct timespec *time, struct timespec *left)
{
    return (int)-CALL_RAW(SYS_clock_nanosleep, clock, flags, time, left);
}

int nanosleep(const struct timespec *time, struct timespec *left)
{
    return (int)CALL(SYS_nanosleep, time, left);
}

int usleep(useconds_t us)
{
    struct timespec time = {.tv_sec = (time_t)(us / 1000000),
                            .tv_nsec = (long)(us % 1000000) * 1000};
    return nanosleep(&time, NULL);
}

unsigned sleep(unsigned seconds)
{
    struct timespec time = {.tv_sec = seconds};
    return nanosleep(&time, &time) == 0 ? 0 : (unsigned)time.tv_sec;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    return (int)CALL(SYS_gettimeofday, now, zone);
}

/* clock() divides by newlib's CLOCKS_PER_SEC; the payload is alone, so its time is all time. */
clock_t times(struct tms *out)
{
    struct timespec now = {0};

    if (clock_gettime(CLOCK_MONOTONIC, &now) < 0)
        return (clock_t)-1;
    clock_t ticks =
        (clock_t)now.tv_sec * CLOCKS_PER_SEC + (clock_t)now.tv_nsec / (1000000000 / CLOCKS_PER_SEC);
    *out = (struct tms){.tms_utime = ticks};
    return ticks;
}
