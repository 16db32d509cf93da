/* SPDX-License-Identifier: BSD-2-Clause */
/* The walk: one buffer holds what is left of the path; a symbolic link is put in front of it. */
#include "kernel/file/path.h"
#include "kernel/cpu/mutex.h"
#include "kernel/lib/string.h"

/* What finding one component costs, and each byte of it: breathe_after(). */
#define STEP_WORK 300
#define BYTE_WORK 64

static struct mutex walks = {.waiters = LIST_INIT(walks.waiters)};

int path_lock(void)
{
    return mutex_lock(&walks, "path");
}

void path_unlock(void)
{
    mutex_unlock(&walks);
}

bool path_locked(void)
{
    return mutex_held(&walks);
}

struct walk {
    char *rest; /* what is still to be walked, in a buffer of PATH_MAX_BYTES */
    struct node *at;
    unsigned links;
};

int path_link_text(const struct node *link, char *buffer, size_t size)
{
    struct text text;

    text_init(&text, buffer, size);
    if (link->is.to.target)
        text_printf(&text, "%s", link->is.to.target);
    else
        link->is.to.show(link->is.to.context, &text);
    if (text.truncated)
        return -ENAMETOOLONG;
    return text.error ? text.error : (int)text.length;
}

/* Puts a link's target in front of what is left (from `rest`, a pointer into the buffer). */
static int walk_link(struct walk *walk, const struct node *link, const char *rest)
{
    static char target[PATH_MAX_BYTES]; /* as the other buffer: one for all */
    int told = path_link_text(link, target, sizeof(target));
    size_t length = (size_t)told;
    size_t left = strlen(rest) + 1;
    if (told < 0)
        return told;
    if (++walk->links > PATH_LINKS_MAX)
        return -ELOOP;
    if (length + left > PATH_MAX_BYTES)
        return -ENAMETOOLONG;
    memmove(walk->rest + length, rest, left);
    memcpy(walk->rest, target, length);
    if (target[0] == '/')
        walk->at = node_root();
    return 0;
}

struct node *path_number(struct node *directory, const char *name, size_t length)
{
    const struct node_numbers *numbers = directory->is.numbers;
    int64_t number = 0;
    for (size_t i = 0; i < length; i++) {
        if (name[i] < '0' || name[i] > '9' || (number == 0 && i > 0))
            return NULL;
        number = 10 * number + name[i] - '0';
        if (number > INT32_MAX)
            return NULL;
    }
    if (numbers->next((int)number) != number)
        return NULL;
    struct node *node = node_find(directory, name, length);
    return node || numbers->add((int)number) ? node : node_find(directory, name, length);
}

/* The entry a component names: NULL when there is none. */
static struct node *walk_find(struct node *at, const char *name, size_t length)
{
    if (path_is_dots(name, length))
        return length == 2 && at->parent ? at->parent : at;
    if (at->is.numbers)
        return path_number(at, name, length);
    return node_find(at, name, length);
}

static void place_set(struct place *out, struct node *parent, struct node *node, const char *name,
                      size_t length, bool slash)
{
    out->node = node;
    out->parent = path_is_dots(name, length) ? NULL : parent;
    memcpy(out->name, name, length);
    out->name[length] = 0;
    out->slash = slash;
}

struct file *path_file(const struct node *node)
{
    return node->type == NODE_LINK && node->is.to.file ? node->is.to.file(node->is.to.context)
                                                       : NULL;
}

/* One component. 1: done, *out filled; 0: go on; or a negative error. */
static int walk_step(struct walk *walk, const char **cursor, unsigned flags, struct place *out)
{
    const char *name = *cursor;
    const char *end = strchr(name, '/');
    size_t length = end ? (size_t)(end - name) : strlen(name);
    const char *rest = name + length;
    bool slash = *rest == '/';
    while (*rest == '/')
        rest++;
    bool last = *rest == 0;

    if (walk->at->type != NODE_DIRECTORY)
        return -ENOTDIR;
    if (length > NODE_NAME_MAX)
        return -ENAMETOOLONG;
    struct node *node = walk_find(walk->at, name, length);
    if (!node && !(last && (flags & PATH_PARENT)))
        return -ENOENT;
    bool follow = !last || (flags & PATH_PARENT ? !slash && (flags & PATH_FOLLOW)
                                                : slash || (flags & PATH_FOLLOW));
    struct file *file = node && follow ? path_file(node) : NULL;
    if (file) {
        node = file->node ? file->node : node;
        file_put(file); /* not the last: it is open */
    } else if (node && node->type == NODE_LINK && follow) {
        *cursor = walk->rest;
        /* Keep one slash: "link/" asks for a directory, "link/x" needs a separator. */
        return walk_link(walk, node, slash ? rest - 1 : rest);
    }
    if (!last) {
        walk->at = node;
        *cursor = rest;
        return 0;
    }
    if (node && slash && node->type != NODE_DIRECTORY && !(flags & PATH_PARENT))
        return -ENOTDIR;
    place_set(out, walk->at, node, name, length, slash);
    return 1;
}

static bool has_parent(const struct node *node)
{
    return node->parent != NULL;
}

/*
 * What the walk has reached may be removed meanwhile; then there is nothing further on. So it is
 * with what only a descriptor held, which was closed.
 */
static int walk_breathe(const struct walk *walk, const char *cursor)
{
    const char *end = strchr(cursor, '/');
    size_t length = end ? (size_t)(end - cursor) : strlen(cursor);
    struct node *at = node_get(walk->at);
    bool was_there = has_parent(at);
    int error = breathe_after(STEP_WORK + BYTE_WORK * (uint32_t)length, "path");
    if (!error && ((was_there && !has_parent(at)) || at->references == 1))
        error = -ENOENT;
    node_put(at);
    return error;
}

int path_walk(struct node *start, const char *path, unsigned flags, struct place *out)
{
    size_t length = strnlen(path, PATH_MAX_BYTES);
    if (length == 0)
        return -ENOENT;
    if (length == PATH_MAX_BYTES)
        return -ENAMETOOLONG;
    /* One for all, under the lock: without memory files can still be removed. */
    static char buffer[PATH_MAX_BYTES];
    struct walk walk = {.at = path[0] == '/' ? node_root() : start, .rest = buffer};
    memcpy(walk.rest, path, length + 1);

    const char *cursor = walk.rest;
    int result = 0;
    while (result == 0) {
        while (*cursor == '/')
            cursor++;
        if (*cursor == 0) { /* the path, or a link's target, was only slashes */
            place_set(out, NULL, walk.at, "/", 1, true);
            break;
        }
        result = walk_breathe(&walk, cursor);
        if (result == 0)
            result = walk_step(&walk, &cursor, flags, out);
    }
    return result < 0 ? result : 0;
}
