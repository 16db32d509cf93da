/* SPDX-License-Identifier: BSD-2-Clause */
/* A ring of bytes. A write without readers is -EPIPE; the system call adds the signal. */
#include "kernel/file/pipe.h"
#include "kernel/cpu/user.h"
#include "kernel/mm/heap.h"

#define FIONREAD 0x541b

struct pipe {
    struct file *reader; /* NULL once that end is closed */
    struct file *writer;
    uint64_t start; /* of the bytes held, modulo the capacity */
    uint64_t used;
    uint8_t bytes[PIPE_CAPACITY];
};

static void pipe_wake(const struct pipe *pipe)
{
    if (pipe->reader)
        waitq_wake(&pipe->reader->changed);
    if (pipe->writer)
        waitq_wake(&pipe->writer->changed);
}

static unsigned reader_poll(struct file *file)
{
    const struct pipe *pipe = file->context;
    return (pipe->used ? POLL_IN : 0u) | (pipe->writer ? 0u : POLL_HUP);
}

static unsigned writer_poll(struct file *file)
{
    const struct pipe *pipe = file->context;
    if (!pipe->reader)
        return POLL_OUT | POLL_ERR;
    return PIPE_CAPACITY - pipe->used >= PIPE_ATOMIC ? POLL_OUT : 0;
}

/* Moves bytes out of the ring, in one or two pieces; on -EFAULT the ring is as before. */
static int take_bytes(struct pipe *pipe, uaddr_t buffer, size_t length)
{
    size_t first = MIN(length, PIPE_CAPACITY - pipe->start);
    int error = copy_to_user(buffer, pipe->bytes + pipe->start, first);
    if (!error)
        error = copy_to_user(buffer + first, pipe->bytes, length - first);
    if (error)
        return error;
    pipe->start = (pipe->start + length) % PIPE_CAPACITY;
    pipe->used -= length;
    return 0;
}

static int put_bytes(struct pipe *pipe, uaddr_t buffer, size_t length)
{
    uint64_t end = (pipe->start + pipe->used) % PIPE_CAPACITY;
    size_t first = MIN(length, PIPE_CAPACITY - end);
    int error = copy_from_user(pipe->bytes + end, buffer, first);
    if (!error)
        error = copy_from_user(pipe->bytes, buffer + first, length - first);
    if (error)
        return error;
    pipe->used += length;
    return 0;
}

static int64_t pipe_read(struct file *file, uaddr_t buffer, size_t length, uint64_t *position)
{
    struct pipe *pipe = file->context;
    if (length == 0)
        return 0;
    if (!pipe->used && !pipe->writer)
        return 0;
    int error = file_wait(file, POLL_IN | POLL_HUP, "pipe read");
    if (error)
        return error;
    size_t n = MIN(length, pipe->used);
    error = take_bytes(pipe, buffer, n);
    pipe_wake(pipe);
    return error ? error : (int64_t)n;
}

static int64_t pipe_write(struct file *file, uaddr_t buffer, size_t length, uint64_t *position)
{
    struct pipe *pipe = file->context;
    size_t room = length <= PIPE_ATOMIC ? length : 1;
    size_t done = 0;
    int error = 0;
    while (!error && done < length) {
        error = FILE_WAIT(file, "pipe write", !pipe->reader || PIPE_CAPACITY - pipe->used >= room);
        if (!error && !pipe->reader)
            error = -EPIPE;
        if (error)
            break;
        size_t n = MIN(length - done, PIPE_CAPACITY - pipe->used);
        error = put_bytes(pipe, buffer + done, n);
        if (!error)
            done += n;
        pipe_wake(pipe);
    }
    return done > 0 ? (int64_t)done : error;
}

static int64_t pipe_ioctl(struct file *file, uint32_t command, uint64_t argument)
{
    const struct pipe *pipe = file->context;
    if (command != FIONREAD)
        return -ENOTTY;
    uint32_t used = (uint32_t)pipe->used;
    return copy_to_user(argument, &used, sizeof(used));
}

static int pipe_stat(struct file *file, struct file_stat *out)
{
    *out = (struct file_stat){.mode = MODE_FIFO | 0600, .links = 1};
    return 0;
}

static void pipe_release(struct file *file)
{
    struct pipe *pipe = file->context;
    if (pipe->reader == file)
        pipe->reader = NULL;
    else
        pipe->writer = NULL;
    pipe_wake(pipe);
    if (!pipe->reader && !pipe->writer)
        kfree(pipe);
}

static const struct file_ops reader_ops = {
    .read = pipe_read,
    .ioctl = pipe_ioctl,
    .poll = reader_poll,
    .stat = pipe_stat,
    .release = pipe_release,
};

static const struct file_ops writer_ops = {
    .write = pipe_write,
    .ioctl = pipe_ioctl,
    .poll = writer_poll,
    .stat = pipe_stat,
    .release = pipe_release,
};

int pipe_create(unsigned flags, struct file **reader, struct file **writer)
{
    struct pipe *pipe = kmalloc(sizeof(*pipe));
    if (!pipe)
        return -ENOMEM;
    pipe->start = 0;
    pipe->used = 0;
    flags &= FILE_NONBLOCK;
    pipe->reader = file_create(&reader_ops, pipe, FILE_RDONLY | flags, "pipe");
    pipe->writer = file_create(&writer_ops, pipe, FILE_WRONLY | flags, "pipe");
    *reader = pipe->reader;
    *writer = pipe->writer;
    if (pipe->reader && pipe->writer)
        return 0;
    if (!pipe->reader && !pipe->writer)
        kfree(pipe); /* otherwise the one end's release does it */
    file_put(*reader);
    file_put(*writer);
    return -ENOMEM;
}

bool file_is_pipe(const struct file *file)
{
    return file->ops == &reader_ops || file->ops == &writer_ops;
}
