/* SPDX-License-Identifier: BSD-2-Clause */
/* /dev: the devices every program expects. */
#include "kernel/cpu/user.h"
#include "kernel/file/console.h"
#include "kernel/file/tree.h"
#include "kernel/mm/ramobj.h"
#include "kernel/linux/calls/random.h"
#include "kernel/linux/proc/nodes.h"

static int64_t null_read(struct file *file, uaddr_t buffer, size_t length, uint64_t *position)
{
    return 0;
}

static int64_t null_write(struct file *file, uaddr_t buffer, size_t length, uint64_t *position)
{
    return (int64_t)length;
}

static int64_t zero_read(struct file *file, uaddr_t buffer, size_t length, uint64_t *position)
{
    size_t done = 0;
    int error = 0;
    while (!error && done < length) {
        size_t n = MIN(length - done, FILE_PIECE);
        error = clear_user(buffer + done, n);
        if (error)
            break;
        done += n;
        error = breathe_after((uint32_t)n / sizeof(uint64_t), "read of zeroes");
    }
    return done ? (int64_t)done : error;
}

/* Shared memory that only threads and copies of this mapping see. */
static int zero_mmap(struct file *file, uint64_t offset, uint64_t length, unsigned protection,
                     bool shared, struct memobj **out, uint64_t *object_offset)
{
    *out = ramobj_create(length, PAGE_SIZE);
    *object_offset = 0;
    return *out ? 0 : -ENOMEM;
}

static int64_t full_write(struct file *file, uaddr_t buffer, size_t length, uint64_t *position)
{
    return length ? -ENOSPC : 0;
}

static int64_t random_read(struct file *file, uaddr_t buffer, size_t length, uint64_t *position)
{
    return random_to_user(buffer, length);
}

/* Seeking in these is allowed and means nothing. */
static int64_t null_seek(struct file *file, int64_t offset, int whence)
{
    return 0;
}

static const struct file_ops null_ops = {
    .seekable = true, .read = null_read, .write = null_write, .seek = null_seek};

static const struct file_ops zero_ops = {
    .seekable = true, .read = zero_read, .write = null_write, .mmap = zero_mmap, .seek = null_seek};

static const struct file_ops full_ops = {
    .seekable = true, .read = zero_read, .write = full_write, .seek = null_seek};

static const struct file_ops random_ops = {
    .seekable = true, .read = random_read, .write = null_write, .seek = null_seek};

/* `context` is the operations. */
static int open_simple(void *context, unsigned flags, struct file **out)
{
    *out = file_create(context, NULL, flags & (FILE_ACCMODE | FILE_NONBLOCK), "device");
    return *out ? 0 : -ENOMEM;
}

int nodes_add_dev(void)
{
    static const struct {
        const char *path;
        unsigned major, minor;
        tree_open open;
        const struct file_ops *ops;
    } nodes[] = {
        {"/dev/null", 1, 3, open_simple, &null_ops},
        {"/dev/zero", 1, 5, open_simple, &zero_ops},
        {"/dev/full", 1, 7, open_simple, &full_ops},
        {"/dev/random", 1, 8, open_simple, &random_ops},
        {"/dev/urandom", 1, 9, open_simple, &random_ops},
        {"/dev/tty", 5, 0, console_open_tty, NULL},
        {"/dev/console", 5, 1, console_open, NULL},
    };
    int error = 0;
    for (size_t i = 0; !error && i < ARRAY_SIZE(nodes); i++)
        error = tree_add_device(nodes[i].path, nodes[i].major, nodes[i].minor, nodes[i].open,
                                (void *)(uintptr_t)nodes[i].ops);
    return error;
}
