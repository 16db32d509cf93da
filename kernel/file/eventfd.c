/* SPDX-License-Identifier: BSD-2-Clause */
/* eventfd(2), as its manual page describes it. */
#include "kernel/file/eventfd.h"
#include "kernel/cpu/user.h"
#include "kernel/mm/heap.h"

#define EVENTFD_SEMAPHORE 1u
#define EVENTFD_MAX       (UINT64_MAX - 1) /* what write(2) can reach; only signals go beyond */

struct eventfd {
    uint64_t count;
    bool semaphore;
};

static unsigned eventfd_poll(struct file *file)
{
    const struct eventfd *event = file->context;
    unsigned events = 0;
    if (event->count > 0)
        events |= POLL_IN;
    if (event->count < EVENTFD_MAX)
        events |= POLL_OUT;
    if (event->count == UINT64_MAX)
        events |= POLL_ERR;
    return events;
}

static int64_t eventfd_read(struct file *file, uaddr_t buffer, size_t length, uint64_t *position)
{
    struct eventfd *event = file->context;
    if (length < sizeof(uint64_t))
        return -EINVAL;
    int error = file_wait(file, POLL_IN, "eventfd read");
    if (error)
        return error;

    uint64_t value = event->semaphore ? 1 : event->count;
    error = copy_to_user(buffer, &value, sizeof(value));
    if (error)
        return error;
    event->count -= value;
    waitq_wake(&file->changed);
    return sizeof(value);
}

/*
 * POLL_OUT only says that a 1 fits; a larger value may have to wait for more room, so this waits
 * on the condition itself.
 */
static int eventfd_wait_room(struct file *file, uint64_t value)
{
    const struct eventfd *event = file->context;
    struct waiter waiter;
    int error = 0;
    waiter_init_thread(&waiter);
    wait_add(&file->changed, &waiter);
    while (!error && (event->count > EVENTFD_MAX || EVENTFD_MAX - event->count < value)) {
        if (file->flags & FILE_NONBLOCK)
            error = -EAGAIN;
        else
            error = thread_sleep("eventfd write", UINT64_MAX);
    }
    wait_remove(&waiter);
    return error;
}

static int64_t eventfd_write(struct file *file, uaddr_t buffer, size_t length, uint64_t *position)
{
    struct eventfd *event = file->context;
    uint64_t value;
    if (length < sizeof(value))
        return -EINVAL;
    int error = copy_from_user(&value, buffer, sizeof(value));
    if (error)
        return error;
    if (value == UINT64_MAX)
        return -EINVAL;
    error = eventfd_wait_room(file, value);
    if (error)
        return error;
    event->count += value;
    if (value > 0)
        waitq_wake(&file->changed);
    return sizeof(value);
}

static void eventfd_release(struct file *file)
{
    kfree(file->context);
}

static const struct file_ops eventfd_ops = {
    .read = eventfd_read,
    .write = eventfd_write,
    .poll = eventfd_poll,
    .release = eventfd_release,
};

struct file *eventfd_create(uint64_t initial, unsigned flags)
{
    struct eventfd *event = kzalloc(sizeof(*event));
    if (!event)
        return NULL;
    event->count = initial;
    event->semaphore = flags & EVENTFD_SEMAPHORE;
    struct file *file =
        file_create(&eventfd_ops, event, FILE_RDWR | (flags & FILE_NONBLOCK), "eventfd");
    if (!file)
        kfree(event);
    return file;
}

bool file_is_eventfd(const struct file *file)
{
    return file->ops == &eventfd_ops;
}

void eventfd_signal(struct file *file, uint64_t count)
{
    struct eventfd *event = file->context;
    if (__builtin_add_overflow(event->count, count, &event->count))
        event->count = UINT64_MAX;
    waitq_wake(&file->changed);
}
