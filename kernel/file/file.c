/* SPDX-License-Identifier: BSD-2-Clause */
/* The life of an open file: references, readiness, release. */
#include "kernel/file/file.h"
#include "kernel/cpu/time.h"
#include "kernel/lib/panic.h"
#include "kernel/mm/heap.h"

struct file *file_create(const struct file_ops *ops, void *context, unsigned flags,
                         const char *name)
{
    struct file *file = kzalloc(sizeof(*file));
    if (!file)
        return NULL;
    file->ops = ops;
    file->context = context;
    file->references = 1;
    file->flags = flags & ~FILE_CLOEXEC;
    file->name = name;
    waitq_init(&file->changed);
    list_init(&file->watches);
    return file;
}

struct file *file_get(struct file *file)
{
    ASSERT(file->references > 0);
    file->references++;
    return file;
}

void file_put(struct file *file)
{
    if (!file)
        return;
    ASSERT(file->references > 0);
    if (--file->references > 0)
        return;
    while (!list_empty(&file->watches)) {
        struct file_watch *watch = list_first(&file->watches, struct file_watch, link);
        watch->gone(watch);
    }
    if (file->ops->release)
        file->ops->release(file);
    kfree(file);
}

unsigned file_poll(struct file *file)
{
    return file->ops->poll ? file->ops->poll(file) : POLL_IN | POLL_OUT;
}

int file_wait(struct file *file, unsigned events, const char *point)
{
    if (file_poll(file) & events)
        return 0;
    if (file->flags & FILE_NONBLOCK)
        return -EAGAIN;

    struct waiter waiter;
    int error = 0;
    waiter_init_thread(&waiter);
    wait_add(&file->changed, &waiter);
    while (!error && !(file_poll(file) & events))
        error = thread_sleep(point, TIME_NEVER);
    wait_remove(&waiter);
    return error;
}

bool file_readable(const struct file *file)
{
    return (file->flags & FILE_ACCMODE) != FILE_WRONLY;
}

bool file_writable(const struct file *file)
{
    unsigned mode = file->flags & FILE_ACCMODE;
    return mode == FILE_WRONLY || mode == FILE_RDWR;
}
