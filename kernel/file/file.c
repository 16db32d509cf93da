/* SPDX-License-Identifier: BSD-2-Clause */
/* The life of an open file: references, readiness, release. */
#include "kernel/file/file.h"
#include "kernel/file/node.h"
#include "kernel/lib/panic.h"
#include "kernel/mm/heap.h"

struct file *file_create(const struct file_ops *ops, void *context, unsigned flags,
                         const char *name)
{
    struct file *file = kzalloc(sizeof(*file));
    if (!file)
        return NULL;
    file->ops = ops;
    file->seekable = ops->seekable;
    file->context = context;
    file->references = 1;
    file->flags = flags & ~FILE_CLOEXEC;
    file->name = name;
    mutex_init(&file->position_lock);
    waitq_init(&file->changed);
    list_init(&file->watches);
    return file;
}

APART void file_end(struct file *file)
{
    while (!list_empty(&file->watches)) {
        struct file_watch *watch = list_first(&file->watches, struct file_watch, link);
        watch->gone(watch);
    }
    if (file->ops->release)
        file->ops->release(file);
    node_put(file->node);
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
    return FILE_WAIT(file, point, file_poll(file) & events);
}

enum seek_whence {
    FROM_START,
    FROM_POSITION,
    FROM_END,
};

int64_t file_seek(struct file *file, int64_t offset, int whence, uint64_t size)
{
    int64_t base;
    int64_t position;
    if (whence == FROM_START)
        base = 0;
    else if (whence == FROM_POSITION)
        base = (int64_t)file->position;
    else if (whence == FROM_END && size <= INT64_MAX)
        base = (int64_t)size;
    else
        return -EINVAL;
    if (__builtin_add_overflow(base, offset, &position))
        return -EOVERFLOW;
    if (position < 0)
        return -EINVAL;
    file->position = (uint64_t)position;
    return position;
}

bool file_readable(const struct file *file)
{
    unsigned mode = file->flags & FILE_ACCMODE;
    return !(file->flags & FILE_PATH) && (mode == FILE_RDONLY || mode == FILE_RDWR);
}

bool file_writable(const struct file *file)
{
    unsigned mode = file->flags & FILE_ACCMODE;
    return !(file->flags & FILE_PATH) && (mode == FILE_WRONLY || mode == FILE_RDWR);
}
