/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls that make a file without a name: eventfd, pipe, memfd, timerfd. */
#include "kernel/cpu/user.h"
#include "kernel/file/eventfd.h"
#include "kernel/file/fdtable.h"
#include "kernel/file/pipe.h"
#include "kernel/file/ramfile.h"
#include "kernel/file/timerfd.h"
#include "kernel/linux/calls/syscall_table.h"
#include "kernel/linux/calls/clock.h"

#define EFD_SEMAPHORE 1u
#define MEMFD_NAME    250 /* bytes, with the terminating zero */

/* log2 of the size of huge pages stands above this bit; 0: that of 2 MiB. */
#define MEMFD_HUGE_SHIFT 26
#define MEMFD_HUGE_SIZE  (0x3fu << MEMFD_HUGE_SHIFT)
#define MEMFD_HUGE_2MB   (21u << MEMFD_HUGE_SHIFT)

enum memfd_flags {
    MEMFD_CLOEXEC = 1,
    MEMFD_ALLOW_SEALING = 2,
    MEMFD_HUGETLB = 4,
    MEMFD_NOEXEC_SEAL = 8,
    MEMFD_EXEC = 16,
};

enum timerfd_flags {
    TIMERFD_ABSOLUTE = 1,
    TIMERFD_CANCEL_ON_SET = 2, /* nobody sets the clock */
};

int64_t sys_eventfd2(unsigned initial, unsigned flags)
{
    if (flags & ~(unsigned)(EFD_SEMAPHORE | FILE_NONBLOCK | FILE_CLOEXEC))
        return -EINVAL;
    return fd_install(eventfd_create(initial, flags), flags & FILE_CLOEXEC);
}

int64_t sys_pipe2(uaddr_t out, unsigned flags)
{
    struct file *reader, *writer;
    int fds[2];
    if (flags & ~(unsigned)(FILE_NONBLOCK | FILE_CLOEXEC))
        return -EINVAL;
    int error = pipe_create(flags, &reader, &writer);
    if (error)
        return error;
    fds[0] = fd_install(reader, flags & FILE_CLOEXEC);
    fds[1] = fd_install(writer, flags & FILE_CLOEXEC);
    error = MIN(fds[0], fds[1]);
    if (error >= 0)
        error = copy_to_user(out, fds, sizeof(fds));
    if (error) { /* what is no descriptor cannot be closed */
        fd_close(fds[0]);
        fd_close(fds[1]);
    }
    return error;
}

int64_t sys_memfd_create(uaddr_t name, unsigned flags)
{
    char text[MEMFD_NAME];
    const unsigned known =
        MEMFD_CLOEXEC | MEMFD_ALLOW_SEALING | MEMFD_HUGETLB | MEMFD_NOEXEC_SEAL | MEMFD_EXEC;
    bool huge = flags & MEMFD_HUGETLB;
    unsigned size = huge ? flags & MEMFD_HUGE_SIZE : 0;
    if (flags & ~(known | size))
        return -EINVAL;
    int length = copy_string_from_user(text, name, sizeof(text));
    if (length < 0)
        return length == -ENAMETOOLONG ? -EINVAL : length;
    if (size && size != MEMFD_HUGE_2MB)
        return -ENODEV;
    bool sealing = flags & (MEMFD_ALLOW_SEALING | MEMFD_NOEXEC_SEAL);
    struct ramfile *ram = ramfile_create(sealing ? 0 : SEAL_SEAL, huge);
    if (!ram)
        return -ENOMEM;
    struct file *file = ramfile_open(ram, FILE_RDWR, "memfd");
    ramfile_put(ram);
    return fd_install(file, flags & MEMFD_CLOEXEC);
}

int64_t sys_timerfd_create(int clock, unsigned flags)
{
    uint64_t ns;
    if ((flags & ~(unsigned)(FILE_NONBLOCK | FILE_CLOEXEC)) || clock_to_ns(clock, 0, &ns) ||
        clock == CLOCK_TAI)
        return -EINVAL;
    return fd_install(timerfd_create(clock, flags), flags & FILE_CLOEXEC);
}

/* struct itimerspec of the interface. */
struct user_timer {
    struct user_time interval;
    struct user_time value;
};

static int put_setting(struct file *file, uaddr_t out)
{
    struct timerfd_setting setting;
    if (!file_is_timerfd(file))
        return -EINVAL;
    timerfd_get(file, &setting);
    struct user_timer now = {
        .interval = user_time_from_ns(setting.interval_ns),
        .value = user_time_from_ns(setting.value_ns),
    };
    return copy_to_user(out, &now, sizeof(now));
}

static int64_t set_timer(struct file *file, unsigned flags, const struct user_timer *new,
                         uaddr_t old)
{
    uint64_t value, interval, deadline = 0;
    int error = file_is_timerfd(file) ? user_time_to_ns(&new->value, &value) : -EINVAL;
    if (!error)
        error = user_time_to_ns(&new->interval, &interval);
    if (!error && old)
        error = put_setting(file, old);
    if (error)
        return error;
    if (value && (flags & TIMERFD_ABSOLUTE))
        error = clock_to_ns(timerfd_clock(file), value, &deadline);
    else if (value)
        deadline = deadline_after(value);
    /* A time before boot has long passed; 0 would mean "not set". */
    if (value && deadline == 0)
        deadline = 1;
    if (!error)
        timerfd_set(file, deadline, interval);
    return error;
}

int64_t sys_timerfd_settime(int fd, unsigned flags, uaddr_t value, uaddr_t old)
{
    struct user_timer new;
    if (flags & ~(unsigned)(TIMERFD_ABSOLUTE | TIMERFD_CANCEL_ON_SET))
        return -EINVAL;
    int64_t result = copy_from_user(&new, value, sizeof(new));
    if (result)
        return result;
    return WITH_FILE(file, fd_get(fd), set_timer(file, flags, &new, old));
}

int64_t sys_timerfd_gettime(int fd, uaddr_t value)
{
    return WITH_FILE(file, fd_get(fd), put_setting(file, value));
}
