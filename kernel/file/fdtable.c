/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptors: an array that grows by doubling, lowest free slot first as POSIX asks. */
#include "kernel/file/fdtable.h"
#include "kernel/lib/string.h"
#include "kernel/mm/heap.h"

#define FD_FIRST_SIZE 64u
#define CLOSE_WORK    500 /* of one descriptor: breathe_deaf_after() */

struct fd_slot {
    struct file *file;
    bool close_on_exec;
};

static struct {
    struct fd_slot *slots;
    unsigned size;
    unsigned lowest; /* no slot below this is free */
    unsigned limit;
} table = {.limit = FD_LIMIT_DEFAULT};

void fd_table_init(void)
{
    fd_close_all();
    table.limit = FD_LIMIT_DEFAULT;
}

unsigned fd_limit(void)
{
    return table.limit;
}

void fd_set_limit(unsigned limit)
{
    table.limit = MIN(limit, FD_LIMIT_MAX);
}

/* Makes sure that slot `fd`, below FD_LIMIT_MAX, exists. */
static int fd_grow(unsigned fd)
{
    if (fd < table.size)
        return 0;
    unsigned size = table.size ? table.size : FD_FIRST_SIZE;
    while (size <= fd)
        size *= 2;
    struct fd_slot *slots = kcalloc(size, sizeof(*slots));
    if (!slots)
        return -ENOMEM;
    if (table.size)
        memcpy(slots, table.slots, table.size * sizeof(*slots));
    kfree(table.slots);
    table.slots = slots;
    table.size = size;
    return 0;
}

static struct fd_slot *fd_slot(int fd)
{
    if (fd < 0 || (unsigned)fd >= table.size || !table.slots[fd].file)
        return NULL;
    return &table.slots[fd];
}

struct file *fd_get_path(int fd)
{
    struct fd_slot *slot = fd_slot(fd);
    return slot ? file_get(slot->file) : NULL;
}

struct file *fd_get(int fd)
{
    struct fd_slot *slot = fd_slot(fd);
    return slot && !(slot->file->flags & FILE_PATH) ? file_get(slot->file) : NULL;
}

int fd_next(int from)
{
    for (unsigned fd = (unsigned)from; fd < table.size; fd++) {
        if (table.slots[fd].file)
            return (int)fd;
    }
    return -1;
}

bool fd_is_file(int fd)
{
    struct fd_slot *slot = fd_slot(fd);
    return slot && !(slot->file->flags & FILE_PATH);
}

static int install_from(int minimum, struct file *file, bool close_on_exec)
{
    if (!file)
        return -ENOMEM;
    if (minimum < 0 || (unsigned)minimum >= table.limit)
        return -EINVAL;
    unsigned fd = MAX((unsigned)minimum, table.lowest);
    while (fd < table.size && table.slots[fd].file)
        fd++;
    if (fd >= table.limit)
        return -EMFILE;
    int error = fd_grow(fd);
    if (error)
        return error;
    table.slots[fd] = (struct fd_slot){.file = file, .close_on_exec = close_on_exec};
    if ((unsigned)minimum <= table.lowest)
        table.lowest = fd + 1;
    return (int)fd;
}

int fd_install_from(int minimum, struct file *file, bool close_on_exec)
{
    int fd = install_from(minimum, file, close_on_exec);
    if (fd < 0)
        file_put(file);
    return fd;
}

int fd_install(struct file *file, bool close_on_exec)
{
    int fd = fd_install_from(0, file, close_on_exec);
    return fd == -EINVAL ? -EMFILE : fd; /* not even descriptor 0 is below the limit */
}

int fd_replace(int fd, struct file *file, bool close_on_exec)
{
    int error = fd < 0 || (unsigned)fd >= table.limit ? -EBADF : fd_grow((unsigned)fd);
    if (error) {
        file_put(file);
        return error;
    }
    struct file *old = table.slots[fd].file;
    table.slots[fd] = (struct fd_slot){.file = file, .close_on_exec = close_on_exec};
    file_put(old); /* last: release may sleep, and the table is consistent now */
    return fd;
}

int fd_close(int fd)
{
    struct fd_slot *slot = fd_slot(fd);
    if (!slot)
        return -EBADF;
    struct file *file = slot->file;
    *slot = (struct fd_slot){0};
    table.lowest = MIN(table.lowest, (unsigned)fd);
    file_put(file);
    return 0;
}

int fd_close_on_exec(int fd)
{
    struct fd_slot *slot = fd_slot(fd);
    return slot ? slot->close_on_exec : -EBADF;
}

int fd_set_close_on_exec(int fd, bool on)
{
    struct fd_slot *slot = fd_slot(fd);
    if (!slot)
        return -EBADF;
    slot->close_on_exec = on;
    return 0;
}

void fd_close_range(unsigned first, unsigned last, bool only_mark)
{
    /* The size is read anew each time: others may make the table grow meanwhile. */
    for (unsigned fd = first; fd <= last && fd < table.size; fd++) {
        if (only_mark)
            fd_set_close_on_exec((int)fd, true);
        else if (fd_close((int)fd) == 0)
            breathe_deaf_after(CLOSE_WORK, "close");
    }
}

void fd_close_all(void)
{
    fd_close_range(0, UINT32_MAX, false);
    kfree(table.slots);
    table.slots = NULL;
    table.size = 0;
    table.lowest = 0;
}
