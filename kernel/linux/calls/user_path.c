/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/linux/calls/user_path.h"
#include "kernel/cpu/user.h"
#include "kernel/file/fdtable.h"
#include "kernel/linux/threads/task.h"

/*
 * The two paths that a call may have at most. The lock of walks guards them, so the buffers serve
 * all threads, and removing a file needs no memory.
 */
static char texts[2][PATH_MAX_BYTES];
static unsigned next_text;

static int copy_text(uaddr_t path, bool allow_empty, char **out)
{
    char *text = texts[next_text++ % ARRAY_SIZE(texts)];
    int length = copy_string_from_user(text, path, PATH_MAX_BYTES);
    if (length < 0)
        return length;
    *out = text;
    return length == 0 && !allow_empty ? -ENOENT : 0;
}

/* A descriptor matters only for a relative path. */
static int find_start(int directory, struct user_path *path)
{
    path->start = payload.directory;
    if (path->text[0] == '/' || directory == AT_FDCWD)
        return 0;
    path->directory = fd_get_path(directory);
    if (!path->directory)
        return -EBADF;
    path->start = path->directory->node;
    bool is_directory = path->start && path->start->type == NODE_DIRECTORY;
    return is_directory || path->text[0] == 0 ? 0 : -ENOTDIR;
}

int user_path_get(int directory, uaddr_t path, bool allow_empty, struct user_path *out)
{
    *out = (struct user_path){.unlocks = !path_locked()};
    int error = out->unlocks ? path_lock() : 0;
    if (error)
        return error;
    error = copy_text(path, allow_empty, &out->text);
    if (!error)
        error = find_start(directory, out);
    if (out->start)
        node_get(out->start);
    if (error)
        user_path_put(out);
    return error;
}

void user_path_put(struct user_path *path)
{
    if (path->unlocks)
        path_unlock();
    node_put(path->start);
    file_put(path->directory); /* last: it may sleep */
}

int user_path_find(int directory, uaddr_t path, bool follow, struct node **out)
{
    struct user_path where;
    struct place place;
    int error = user_path_get(directory, path, false, &where);
    if (error)
        return error;
    error = path_walk(where.start, where.text, follow ? PATH_FOLLOW : 0, &place);
    if (!error)
        *out = node_get(place.node);
    user_path_put(&where);
    return error;
}
