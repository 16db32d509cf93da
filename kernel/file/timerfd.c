/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The timer rings once and is set again only when somebody looks, so that a tiny interval costs
 * the machine nothing while nobody reads.
 */
#include "kernel/file/timerfd.h"
#include "kernel/cpu/timer.h"
#include "kernel/cpu/user.h"
#include "kernel/mm/heap.h"

struct timerfd {
    struct timer timer;
    struct file *file;
    int clock;
    uint64_t next_ns; /* next expiration; 0: not set */
    uint64_t interval_ns;
};

static void timerfd_expired(struct timer *timer)
{
    struct timerfd *fd = container_of(timer, struct timerfd, timer);
    waitq_wake(&fd->file->changed);
}

static unsigned timerfd_poll(struct file *file)
{
    const struct timerfd *fd = file->context;
    return fd->next_ns && time_expired(fd->next_ns) ? POLL_IN : 0;
}

/* Counts what has expired and sets the timer to the expiration after it. */
static uint64_t timerfd_take(struct timerfd *fd)
{
    uint64_t now = time_ns();
    uint64_t count = 1;
    if (!fd->next_ns || now < fd->next_ns)
        return 0;
    if (!fd->interval_ns) {
        fd->next_ns = 0;
        return 1;
    }
    count += (now - fd->next_ns) / fd->interval_ns;
    if (__builtin_add_overflow(fd->next_ns, count * fd->interval_ns, &fd->next_ns))
        fd->next_ns = TIME_NEVER;
    timer_set(&fd->timer, fd->next_ns);
    return count;
}

static int64_t timerfd_read(struct file *file, uaddr_t buffer, size_t length, uint64_t *position)
{
    struct timerfd *fd = file->context;
    if (length < sizeof(uint64_t))
        return -EINVAL;
    int error = file_wait(file, POLL_IN, "timerfd read");
    if (error)
        return error;
    uint64_t count = timerfd_take(fd);
    error = copy_to_user(buffer, &count, sizeof(count));
    return error ? error : (int64_t)sizeof(count);
}

static void timerfd_release(struct file *file)
{
    struct timerfd *fd = file->context;
    timer_cancel(&fd->timer);
    kfree(fd);
}

static const struct file_ops timerfd_ops = {
    .read = timerfd_read,
    .poll = timerfd_poll,
    .release = timerfd_release,
};

struct file *timerfd_create(int clock, unsigned flags)
{
    struct timerfd *fd = kzalloc(sizeof(*fd));
    if (!fd)
        return NULL;
    timer_init(&fd->timer, timerfd_expired);
    fd->clock = clock;
    fd->file = file_create(&timerfd_ops, fd, FILE_RDWR | (flags & FILE_NONBLOCK), "timerfd");
    if (!fd->file) {
        kfree(fd);
        return NULL;
    }
    return fd->file;
}

int timerfd_clock(const struct file *file)
{
    const struct timerfd *fd = file->context;
    return fd->clock;
}

bool file_is_timerfd(const struct file *file)
{
    return file->ops == &timerfd_ops;
}

void timerfd_set(struct file *file, uint64_t deadline_ns, uint64_t interval_ns)
{
    struct timerfd *fd = file->context;
    timer_cancel(&fd->timer);
    fd->next_ns = deadline_ns;
    fd->interval_ns = interval_ns;
    if (deadline_ns)
        timer_set(&fd->timer, deadline_ns);
    waitq_wake(&file->changed);
}

void timerfd_get(struct file *file, struct timerfd_setting *out)
{
    const struct timerfd *fd = file->context;
    uint64_t now = time_ns();
    *out = (struct timerfd_setting){.interval_ns = fd->interval_ns};
    if (!fd->next_ns)
        return;
    if (now < fd->next_ns)
        out->value_ns = fd->next_ns - now;
    else if (fd->interval_ns)
        out->value_ns = fd->interval_ns - (now - fd->next_ns) % fd->interval_ns;
}
