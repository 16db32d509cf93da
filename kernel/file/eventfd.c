/* SPDX-License-Identifier: BSD-2-Clause */
/* eventfd(2), as its manual page describes it. */
#include "kernel/file/eventfd.h"
#include "kernel/cpu/user.h"
#include "kernel/mm/heap.h"

#define EVENTFD_SEMAPHORE 1u
#define EVENTFD_MAX       (UINT64_MAX - 1) /* what write(2) can reach; only signals go beyond */
#define HEARD_WORK        1000             /* work (breathe_after()) of telling a listener */

struct eventfd {
    uint64_t count;
    bool semaphore;
    struct list listeners;
    unsigned listener_count;
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

/* Listeners take what a reader would have taken. */
static void tell(struct eventfd *event)
{
    struct eventfd_listener *listener, *next;

    if (list_empty(&event->listeners) || event->count == 0)
        return;
    event->count -= event->semaphore ? 1 : event->count;
    list_for_each_entry_safe (listener, next, &event->listeners, link) {
        listener->heard(listener);
        breath_left -= HEARD_WORK;
    }
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
    /* POLL_OUT only says that a 1 fits; a larger value may have to wait for more room. */
    error = FILE_WAIT(file, "eventfd write",
                      event->count <= EVENTFD_MAX && EVENTFD_MAX - event->count >= value);
    if (error)
        return error;
    event->count += value;
    if (value > 0) {
        tell(event);
        waitq_wake(&file->changed);
    }
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
    list_init(&event->listeners);
    struct file *file =
        file_create(&eventfd_ops, event, FILE_RDWR | (flags & FILE_NONBLOCK), "eventfd");
    if (!file)
        kfree(event);
    return file;
}

void eventfd_signal(struct file *file, uint64_t count)
{
    struct eventfd *event = file->context;
    if (__builtin_add_overflow(event->count, count, &event->count))
        event->count = UINT64_MAX;
    tell(event);
    waitq_wake(&file->changed);
}

int eventfd_get(int fd, struct file **out)
{
    *out = fd < 0 ? NULL : fd_get(fd);
    if (!*out)
        return -EBADF;
    if ((*out)->ops == &eventfd_ops)
        return 0;
    file_put(*out);
    *out = NULL;
    return -EINVAL;
}

int eventfd_listen(struct eventfd_listener *listener, struct file *file)
{
    struct eventfd *event = file->context;

    if (event->listener_count == EVENTFD_LISTENERS_MAX)
        return -ENOSPC;
    event->listener_count++;
    listener->file = file_get(file);
    list_push_back(&event->listeners, &listener->link);
    if (event->count > 0) {
        tell(event);
        waitq_wake(&file->changed);
    }
    return 0;
}

void eventfd_unlisten(struct eventfd_listener *listener)
{
    struct file *file = listener->file;
    struct eventfd *event;

    if (!file)
        return;
    event = file->context;
    event->listener_count--;
    list_remove(&listener->link);
    listener->file = NULL;
    file_put(file);
}
