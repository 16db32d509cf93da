/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls that take a path. */
#include "kernel/cpu/user.h"
#include "kernel/file/fdtable.h"
#include "kernel/file/ramfile.h"
#include "kernel/lib/string.h"
#include "kernel/mm/heap.h"
#include "kernel/linux/calls/syscall_table.h"
#include "kernel/linux/threads/task.h"
#include "kernel/linux/calls/user_path.h"

#define RENAME_NOREPLACE 1u
#define MODE_ANY_EXEC    0111

enum access_mode {
    ACCESS_EXECUTE = 1,
    ACCESS_WRITE = 2,
    ACCESS_READ = 4,
};

int64_t sys_openat(int directory, uaddr_t path, unsigned flags, uint32_t mode)
{
    struct user_path where;
    struct node *node;
    struct file *file;
    int result = user_path_get(directory, path, false, &where);
    if (result)
        return result;
    result = path_open_find(where.start, where.text, flags, mode & ~payload.umask, &node);
    user_path_put(&where);
    if (result)
        return result;
    result = path_open_node(node, flags, &file);
    node_put(node);
    return result ? result : fd_install(file, flags & FILE_CLOEXEC);
}

/* The payload is root: only what nobody may do is refused. */
static int64_t check_mode(const struct node *node, unsigned mode)
{
    bool executable = node->type == NODE_DIRECTORY || (node->mode & MODE_ANY_EXEC);
    bool fixed = (node->type == NODE_DIRECTORY || node->type == NODE_RAM) && !node->writable;
    if ((mode & ACCESS_EXECUTE) && !executable)
        return -EACCES;
    return (mode & ACCESS_WRITE) && fixed ? -EROFS : 0;
}

int64_t sys_faccessat2(int directory, uaddr_t path, unsigned mode, unsigned flags)
{
    const unsigned effective = 0x200; /* AT_EACCESS: real and effective id are the same */
    if ((mode & ~7u) || (flags & ~(AT_NOFOLLOW | effective)))
        return -EINVAL;
    return WITH_NODE(node, directory, path, !(flags & AT_NOFOLLOW), check_mode(node, mode));
}

static int64_t copy_target(const struct node *node, uaddr_t buffer, size_t size)
{
    if (node->type != NODE_LINK)
        return -EINVAL;
    char *text = kmalloc(PATH_MAX_BYTES);
    if (!text)
        return -ENOMEM;
    int64_t length = path_link_text(node, text, PATH_MAX_BYTES);
    if (length >= 0) {
        length = MIN(length, (int64_t)size);
        int error = copy_to_user(buffer, text, (size_t)length);
        length = error ? error : length;
    }
    kfree(text);
    return length;
}

int64_t sys_readlinkat(int directory, uaddr_t path, uaddr_t buffer, int size)
{
    if (size <= 0)
        return -EINVAL;
    return WITH_NODE(node, directory, path, false, copy_target(node, buffer, (size_t)size));
}

int64_t sys_getcwd(uaddr_t buffer, size_t size)
{
    char *text = kmalloc(PATH_MAX_BYTES);
    if (!text)
        return -ENOMEM;
    int64_t result = node_path(payload.directory, text, MIN(size, PATH_MAX_BYTES));
    if (result >= 0) {
        size_t bytes = (size_t)result + 1;
        int error = copy_to_user(buffer, text, bytes);
        result = error ? error : (int64_t)bytes;
    }
    kfree(text);
    return result;
}

static int64_t change_directory(struct node *node)
{
    if (node->type != NODE_DIRECTORY)
        return -ENOTDIR;
    node_get(node);
    node_put(payload.directory);
    payload.directory = node;
    return 0;
}

int64_t sys_chdir(uaddr_t path)
{
    return WITH_NODE(node, AT_FDCWD, path, true, change_directory(node));
}

int64_t sys_fchdir(int fd)
{
    return WITH_FILE(file, fd_get_path(fd), file->node ? change_directory(file->node) : -ENOTDIR);
}

int64_t sys_mkdirat(int directory, uaddr_t path, uint32_t mode)
{
    struct user_path where;
    int error = user_path_get(directory, path, false, &where);
    if (error)
        return error;
    error = path_mkdir(where.start, where.text, mode & ~payload.umask);
    user_path_put(&where);
    return error;
}

int64_t sys_unlinkat(int directory, uaddr_t path, unsigned flags)
{
    struct user_path where;
    struct node *gone;
    if (flags & ~AT_REMOVEDIR)
        return -EINVAL;
    int error = user_path_get(directory, path, false, &where);
    if (error)
        return error;
    error = path_unlink(where.start, where.text, flags & AT_REMOVEDIR, &gone);
    user_path_put(&where);
    node_put(gone);
    return error;
}

int64_t sys_renameat2(int from_directory, uaddr_t from, int to_directory, uaddr_t to,
                      unsigned flags)
{
    struct user_path source, target;
    struct node *gone = NULL;
    if (flags & ~RENAME_NOREPLACE)
        return -EINVAL;
    int error = user_path_get(from_directory, from, false, &source);
    if (error)
        return error;
    error = user_path_get(to_directory, to, false, &target);
    if (!error) {
        error = path_rename(source.start, source.text, target.start, target.text,
                            flags & RENAME_NOREPLACE, &gone);
        user_path_put(&target);
    }
    user_path_put(&source);
    node_put(gone);
    return error;
}

int64_t sys_symlinkat(uaddr_t target, int directory, uaddr_t path)
{
    struct user_path where, text;
    int error = user_path_get(AT_FDCWD, target, false, &text);
    if (error)
        return error;
    error = user_path_get(directory, path, false, &where);
    if (!error) {
        error = path_symlink(text.text, where.start, where.text);
        user_path_put(&where);
    }
    user_path_put(&text);
    return error;
}

static int truncate_node(const struct node *node, uint64_t size)
{
    if (node->type == NODE_DIRECTORY)
        return -EISDIR;
    if (node->type != NODE_RAM)
        return -EINVAL;
    return node->writable ? ramfile_resize(node->is.ram, size) : -EROFS;
}

int64_t sys_truncate(uaddr_t path, int64_t size)
{
    if (size < 0)
        return -EINVAL;
    return WITH_NODE(node, AT_FDCWD, path, true, truncate_node(node, (uint64_t)size));
}

int64_t sys_umask(uint32_t mask)
{
    uint32_t old = payload.umask;
    payload.umask = mask & 0777;
    return old;
}

static int64_t change_mode(struct node *node, uint32_t mode)
{
    if (!node->writable)
        return -EROFS;
    node->mode = mode & MODE_BITS;
    return 0;
}

int64_t sys_fchmodat(int directory, uaddr_t path, uint32_t mode)
{
    return WITH_NODE(node, directory, path, true, change_mode(node, mode));
}

int64_t sys_fchmod(int fd, uint32_t mode)
{
    /* A file without a name has no mode anyone could see. */
    return WITH_FILE(file, fd_get(fd), file->node ? change_mode(file->node, mode) : 0);
}
