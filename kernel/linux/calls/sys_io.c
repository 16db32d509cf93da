/* SPDX-License-Identifier: BSD-2-Clause */
/* read(2), write(2) and their families. */
#include "kernel/cpu/user.h"
#include "kernel/file/file.h"
#include "kernel/mm/heap.h"
#include "kernel/linux/calls/syscall_table.h"
#include "kernel/linux/threads/task.h"

#define VECTORS_MAX 1024 /* IOV_MAX */
#define VECTOR_WORK 200  /* of each: breathe_after() */

enum direction {
    READ,
    WRITE,
};

/* struct iovec of the interface. */
struct io_vector {
    uaddr_t base;
    uint64_t length;
};

static int check_access(const struct file *file, enum direction direction)
{
    bool allowed = direction == READ ? file_readable(file) : file_writable(file);
    if (!allowed)
        return -EBADF;
    return (direction == READ ? file->ops->read : file->ops->write) ? 0 : -EINVAL;
}

static int64_t transfer(struct file *file, enum direction direction, uaddr_t buffer, size_t length,
                        uint64_t *position)
{
    if (!user_range_ok(buffer, length))
        return -EFAULT;
    length = MIN(length, FILE_IO_MAX);
    if (direction == READ)
        return file->ops->read(file, buffer, length, position);
    return file->ops->write(file, buffer, length, position);
}

static struct mutex *write_lock(const struct file *file, enum direction direction)
{
    return direction == WRITE && file->ops->write_lock ? file->ops->write_lock(file) : NULL;
}

static bool moves_own(const struct file *file, const uint64_t *position)
{
    return position == &file->position && file->seekable;
}

/*
 * Before a call's first byte: nobody else moves the position, if it is the file's own, or writes
 * to the file before its last. -EINTR.
 */
static int lock_call(struct file *file, enum direction direction, const uint64_t *position)
{
    struct mutex *writes = write_lock(file, direction);
    bool own = moves_own(file, position);
    int error = own ? mutex_lock(&file->position_lock, "file position") : 0;
    if (error || !writes)
        return error;
    error = mutex_lock(writes, "file write");
    if (error && own)
        mutex_unlock(&file->position_lock);
    return error;
}

static void unlock_call(struct file *file, enum direction direction, const uint64_t *position)
{
    struct mutex *writes = write_lock(file, direction);
    if (writes)
        mutex_unlock(writes);
    if (moves_own(file, position))
        mutex_unlock(&file->position_lock);
}

/* What the function answers, called with the locks and these arguments. */
#define LOCKED(function, file, direction, what, much, position)                                    \
    ({                                                                                             \
        int64_t locked_result = lock_call(file, direction, position);                              \
        if (!locked_result) {                                                                      \
            locked_result = function(file, direction, what, much, position);                       \
            unlock_call(file, direction, position);                                                \
        }                                                                                          \
        locked_result;                                                                             \
    })

/* A write to a pipe nobody reads is also a signal. */
static int64_t finish(struct file *file, int64_t result)
{
    file_put(file);
    if (result == -EPIPE) {
        struct siginfo info = {.number = SIG_PIPE, .code = CODE_USER};
        info.sender.pid = PAYLOAD_PID;
        signal_send_task(task_current(), &info);
    }
    return result;
}

static int64_t io(int fd, enum direction direction, uaddr_t buffer, size_t length)
{
    struct file *file = fd_get(fd);
    if (!file)
        return -EBADF;
    int64_t result = check_access(file, direction);
    if (!result)
        result = LOCKED(transfer, file, direction, buffer, length, &file->position);
    return finish(file, result);
}

int64_t sys_read(int fd, uaddr_t buffer, size_t length)
{
    return io(fd, READ, buffer, length);
}

int64_t sys_write(int fd, uaddr_t buffer, size_t length)
{
    return io(fd, WRITE, buffer, length);
}

static int64_t io_at(int fd, enum direction direction, uaddr_t buffer, size_t length,
                     int64_t position)
{
    uint64_t at = (uint64_t)position;
    if (position < 0)
        return -EINVAL;
    struct file *file = fd_get(fd);
    if (!file)
        return -EBADF;
    int64_t result = file->seekable ? check_access(file, direction) : -ESPIPE;
    if (!result && length > (uint64_t)INT64_MAX - at)
        result = -EINVAL;
    if (!result)
        result = LOCKED(transfer, file, direction, buffer, length, &at);
    return finish(file, result);
}

int64_t sys_pread64(int fd, uaddr_t buffer, size_t length, int64_t position)
{
    return io_at(fd, READ, buffer, length, position);
}

int64_t sys_pwrite64(int fd, uaddr_t buffer, size_t length, int64_t position)
{
    return io_at(fd, WRITE, buffer, length, position);
}

/* Copies the vectors in, into a new array; the lengths are judged before the addresses. */
static int get_vectors(uaddr_t from, int count, struct io_vector **out)
{
    if (count < 0 || count > VECTORS_MAX)
        return -EINVAL;
    size_t size = MAX((size_t)count, 1) * sizeof(struct io_vector);
    struct io_vector *vectors = kmalloc(size);
    if (!vectors)
        return -ENOMEM;
    int error = copy_from_user(vectors, from, (size_t)count * sizeof(*vectors));
    for (int i = 0; !error && i < count; i++) {
        if (vectors[i].length > INT64_MAX)
            error = -EINVAL;
    }
    for (int i = 0; !error && i < count; i++) {
        if (!user_range_ok(vectors[i].base, vectors[i].length))
            error = -EFAULT;
    }
    if (error)
        kfree(vectors);
    else
        *out = vectors;
    return error;
}

/* One transfer after the other, until one is short. */
static int64_t transfer_vectors(struct file *file, enum direction direction,
                                const struct io_vector *vectors, int count, uint64_t *position)
{
    int64_t done = 0;
    for (int i = 0; i < count; i++) {
        if (vectors[i].length == 0 && count > 1)
            continue;
        size_t length = MIN(vectors[i].length, FILE_IO_MAX - (uint64_t)done);
        int64_t n = transfer(file, direction, vectors[i].base, length, position);
        if (n < 0)
            return done > 0 ? done : n;
        done += n;
        if ((uint64_t)n < vectors[i].length)
            break;
        if (breathe_after(VECTOR_WORK, "read or write") && i + 1 < count)
            break;
    }
    return done;
}

/* `position` NULL: the file's own. */
static int64_t io_vectors(int fd, enum direction direction, uaddr_t from, int count,
                          uint64_t *position)
{
    struct io_vector *vectors;
    struct file *file = fd_get(fd);
    if (!file)
        return -EBADF;
    int64_t result = position && !file->seekable ? -ESPIPE : check_access(file, direction);
    if (!result)
        result = get_vectors(from, count, &vectors);
    if (!result) {
        result = LOCKED(transfer_vectors, file, direction, vectors, count,
                        position ? position : &file->position);
        kfree(vectors);
    }
    return finish(file, result);
}

int64_t sys_readv(int fd, uaddr_t vectors, int count)
{
    return io_vectors(fd, READ, vectors, count, NULL);
}

int64_t sys_writev(int fd, uaddr_t vectors, int count)
{
    return io_vectors(fd, WRITE, vectors, count, NULL);
}

int64_t sys_preadv(int fd, uaddr_t vectors, int count, int64_t position)
{
    uint64_t at = (uint64_t)position;
    return position < 0 ? -EINVAL : io_vectors(fd, READ, vectors, count, &at);
}

int64_t sys_pwritev(int fd, uaddr_t vectors, int count, int64_t position)
{
    uint64_t at = (uint64_t)position;
    return position < 0 ? -EINVAL : io_vectors(fd, WRITE, vectors, count, &at);
}
