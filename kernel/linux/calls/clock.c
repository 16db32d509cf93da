/* SPDX-License-Identifier: BSD-2-Clause */
/* Clocks: all run with the time-stamp counter; the date comes from the CMOS clock at boot. */
#include "kernel/linux/calls/clock.h"
#include "kernel/cpu/port.h"
#include "kernel/cpu/user.h"
#include "kernel/lib/error.h"
#include "kernel/lib/string.h"
#include "kernel/linux/threads/task.h"

#define CMOS_INDEX     0x70
#define CMOS_DATA      0x71
#define CMOS_STATUS_A  0x0a
#define CMOS_STATUS_B  0x0b
#define UPDATING       0x80 /* status A: the registers are about to change */
#define BINARY         0x04 /* status B: else two decimal digits */
#define HOURS_24       0x02 /* status B: else bit 7 of the hour is "p.m." */
#define CMOS_TRIES     1000
#define CENTURY_MIDDLE 70 /* two-digit years below this belong to 2000 */

enum cmos_register {
    CMOS_SECOND = 0,
    CMOS_MINUTE = 2,
    CMOS_HOUR = 4,
    CMOS_DAY = 7,
    CMOS_MONTH = 8,
    CMOS_YEAR = 9,
};

static uint64_t boot_ns;

static uint8_t cmos_read(uint8_t index)
{
    port_write8(CMOS_INDEX, index);
    return port_read8(CMOS_DATA);
}

struct cmos_date {
    uint8_t second, minute, hour, day, month, year;
};

static void cmos_read_date(struct cmos_date *date)
{
    for (unsigned i = 0; i < CMOS_TRIES && (cmos_read(CMOS_STATUS_A) & UPDATING); i++)
        ;
    *date = (struct cmos_date){
        .second = cmos_read(CMOS_SECOND),
        .minute = cmos_read(CMOS_MINUTE),
        .hour = cmos_read(CMOS_HOUR),
        .day = cmos_read(CMOS_DAY),
        .month = cmos_read(CMOS_MONTH),
        .year = cmos_read(CMOS_YEAR),
    };
}

static unsigned digits(uint8_t value, bool binary)
{
    return binary ? value : (value >> 4) * 10u + (value & 15u);
}

static unsigned hour_of_day(uint8_t value, uint8_t status)
{
    bool binary = status & BINARY;
    if (status & HOURS_24)
        return digits(value, binary);
    return digits(value & 0x7f, binary) % 12 + (value & 0x80 ? 12 : 0);
}

uint64_t clock_from_date(unsigned year, unsigned month, unsigned day, unsigned hour,
                         unsigned minute, unsigned second)
{
    /* Years that begin in March put the leap day at their end. */
    unsigned y = month > 2 ? year : year - 1;
    unsigned m = month > 2 ? month - 3 : month + 9;
    uint64_t days = UINT64_C(365) * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1;
    const uint64_t days_to_1970 = 719468;
    return ((days - days_to_1970) * 24 + hour) * 3600 + minute * 60 + second;
}

void clock_init(void)
{
    struct cmos_date date, again;
    cmos_read_date(&date);
    /* Two equal readings in a row were not torn by an update. */
    for (unsigned i = 0; i < CMOS_TRIES; i++) {
        cmos_read_date(&again);
        if (memcmp(&date, &again, sizeof(date)) == 0)
            break;
        date = again;
    }
    uint8_t status = cmos_read(CMOS_STATUS_B);
    bool binary = status & BINARY;
    unsigned year = digits(date.year, binary);
    unsigned month = digits(date.month, binary);
    if (month < 1 || month > 12 || year > 99)
        return; /* no clock there: the date is 1970 */
    year += year < CENTURY_MIDDLE ? 2000 : 1900;
    uint64_t seconds =
        clock_from_date(year, month, digits(date.day, binary), hour_of_day(date.hour, status),
                        digits(date.minute, binary), digits(date.second, binary));
    boot_ns = seconds * NS_PER_S - time_ns();
}

uint64_t clock_boot_ns(void)
{
    return boot_ns;
}

struct user_time user_time_from_ns(uint64_t ns)
{
    return (struct user_time){
        .seconds = (int64_t)(ns / NS_PER_S),
        .nanoseconds = (int64_t)(ns % NS_PER_S),
    };
}

int user_time_to_ns(const struct user_time *time, uint64_t *ns)
{
    if (time->seconds < 0 || time->nanoseconds < 0 || time->nanoseconds >= (int64_t)NS_PER_S)
        return -EINVAL;
    if (__builtin_mul_overflow((uint64_t)time->seconds, NS_PER_S, ns) ||
        __builtin_add_overflow(*ns, (uint64_t)time->nanoseconds, ns))
        *ns = TIME_NEVER;
    return 0;
}

uint64_t deadline_after(uint64_t ns)
{
    uint64_t deadline;
    return __builtin_add_overflow(time_ns(), ns, &deadline) ? TIME_NEVER : deadline;
}

int deadline_from_user(uaddr_t timeout, uint64_t *deadline_ns)
{
    struct user_time time;
    uint64_t ns;
    *deadline_ns = TIME_NEVER;
    if (!timeout)
        return 0;
    int error = copy_from_user(&time, timeout, sizeof(time));
    if (!error)
        error = user_time_to_ns(&time, &ns);
    if (!error)
        *deadline_ns = ns ? deadline_after(ns) : 0;
    return error;
}

uint64_t deadline_from_ms(int ms)
{
    if (ms < 0)
        return TIME_NEVER;
    return ms ? deadline_after((uint64_t)ms * NS_PER_MS) : 0;
}

static bool clock_is_date(int clock)
{
    return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE || clock == CLOCK_TAI;
}

int clock_to_ns(int clock, uint64_t at_ns, uint64_t *ns)
{
    bool known = clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC || clock == CLOCK_BOOTTIME ||
                 clock == CLOCK_TAI;
    if (!known)
        return -EINVAL;
    uint64_t zero = clock_is_date(clock) ? boot_ns : 0;
    *ns = at_ns == TIME_NEVER ? TIME_NEVER : at_ns > zero ? at_ns - zero : 0;
    return 0;
}

int clock_read(int clock, uint64_t *ns)
{
    switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_TAI:
        *ns = boot_ns + time_ns();
        return 0;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME:
        *ns = time_ns();
        return 0;
    case CLOCK_PROCESS_CPUTIME:
    case CLOCK_THREAD_CPUTIME:
        *ns = time_ns() - payload.start_ns;
        return 0;
    default:
        return -EINVAL;
    }
}
