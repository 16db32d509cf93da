/* SPDX-License-Identifier: BSD-2-Clause */
/* Opening, making, removing and renaming by path. */
#include "kernel/cpu/time.h"
#include "kernel/file/open.h"
#include "kernel/file/path.h"
#include "kernel/file/ramfile.h"
#include "kernel/lib/string.h"

/* The missing place in a directory the payload may write to, for a new entry. */
static int place_for_new(struct node *start, const char *path, struct place *place)
{
    int error = path_walk(start, path, PATH_PARENT, place);
    if (error)
        return error;
    if (place->node)
        return -EEXIST;
    return place->parent->writable ? 0 : -EROFS;
}

static int create_ram(struct node *directory, const char *name, uint32_t mode, struct node **out)
{
    struct ramfile *ram = ramfile_create(SEAL_SEAL, directory->huge);
    int error = ram ? node_add(directory, name, strlen(name), NODE_RAM, mode & MODE_BITS,
                               (union node_content){.ram = ram}, out)
                    : -ENOMEM;
    if (error)
        ramfile_put(ram);
    else
        (*out)->writable = true;
    return error;
}

/* O_TMPFILE: a file that never gets a name. */
static int open_unnamed(struct node *directory, unsigned flags, struct file **out)
{
    if (directory->type != NODE_DIRECTORY)
        return -ENOTDIR;
    if (!directory->writable)
        return -EROFS;
    if ((flags & FILE_ACCMODE) == FILE_RDONLY)
        return -EINVAL;
    struct ramfile *ram = ramfile_create(SEAL_SEAL, directory->huge);
    if (!ram)
        return -ENOMEM;
    *out = ramfile_open(ram, flags & (FILE_ACCMODE | FILE_NONBLOCK | FILE_APPEND), "ram file");
    ramfile_put(ram);
    return *out ? 0 : -ENOMEM;
}

static int check_existing(const struct place *place, unsigned flags)
{
    if ((flags & OPEN_CREATE) && (flags & FILE_EXCL))
        return -EEXIST;
    /* One that was followed stands for an open file without a name. */
    if (place->node->type == NODE_LINK && (flags & OPEN_NOFOLLOW) && !(flags & FILE_PATH))
        return -ELOOP;
    if ((flags & OPEN_DIRECTORY) && place->node->type != NODE_DIRECTORY)
        return -ENOTDIR;
    if ((flags & OPEN_CREATE) && place->node->type == NODE_DIRECTORY)
        return -EISDIR;
    return 0;
}

/* The node to open, made if the flags say so. */
static int find_or_create(struct node *start, const char *path, unsigned flags, uint32_t mode,
                          struct node **out)
{
    struct place place;
    bool create = flags & OPEN_CREATE;
    bool follow = !(flags & OPEN_NOFOLLOW) && !(create && (flags & FILE_EXCL));
    int error =
        path_walk(start, path, (follow ? PATH_FOLLOW : 0u) | (create ? PATH_PARENT : 0u), &place);
    if (error)
        return error;
    *out = place.node;
    if (!place.parent) /* the root, or dots: there is something */
        return check_existing(&place, flags);
    if (create && place.slash)
        return -EISDIR;
    if (place.node)
        return check_existing(&place, flags);
    if (!place.parent->writable)
        return -EROFS;
    return create_ram(place.parent, place.name, mode, out);
}

/* With O_PATH nothing else counts. */
static unsigned flags_that_count(unsigned flags)
{
    return flags & FILE_PATH ? flags & (FILE_PATH | OPEN_DIRECTORY | OPEN_NOFOLLOW) : flags;
}

int path_open_find(struct node *start, const char *path, unsigned flags, uint32_t mode,
                   struct node **out)
{
    int error = find_or_create(start, path, flags_that_count(flags), mode, out);
    if (!error)
        node_get(*out);
    return error;
}

int path_open_node(struct node *node, unsigned flags, struct file **out)
{
    flags = flags_that_count(flags);
    if ((flags & OPEN_TEMPORARY) && (flags & OPEN_DIRECTORY))
        return open_unnamed(node, flags, out);
    int error = node_open(node, flags, out);
    if (error)
        return error;
    if ((flags & OPEN_TRUNCATE) && file_writable(*out) && file_ramfile(*out))
        error = ramfile_resize(file_ramfile(*out), 0);
    if (error)
        file_put(*out);
    return error;
}

int path_mkdir(struct node *start, const char *path, uint32_t mode)
{
    struct place place;
    struct node *node;
    int error = place_for_new(start, path, &place);
    if (error)
        return error;
    error = node_add(place.parent, place.name, strlen(place.name), NODE_DIRECTORY, mode & 01777,
                     (union node_content){0}, &node);
    if (!error)
        node->writable = true;
    return error;
}

/* Why rmdir(2) does not take what has no entry of its own. */
static int check_dots(const struct place *place)
{
    if (strcmp(place->name, "..") == 0)
        return -ENOTEMPTY;
    return strcmp(place->name, ".") == 0 ? -EINVAL : -EBUSY;
}

int path_unlink(struct node *start, const char *path, bool directory, struct node **gone)
{
    struct place place;
    *gone = NULL;
    int error = path_walk(start, path, PATH_PARENT, &place);
    if (error)
        return error;
    if (!place.parent)
        return directory ? check_dots(&place) : -EISDIR;
    if (!place.node)
        return -ENOENT;
    bool is_directory = place.node->type == NODE_DIRECTORY;
    if (!is_directory && (directory || place.slash))
        return -ENOTDIR;
    if (!directory && is_directory)
        return -EISDIR;
    if (!place.parent->writable)
        return -EROFS;
    if (!list_empty(&place.node->children))
        return -ENOTEMPTY;
    *gone = node_get(place.node);
    node_remove(place.node);
    return 0;
}

/* May `from` get the name, which is that of `to` now if there is a `to`? */
static int check_rename(const struct place *from, const struct place *to, bool keep)
{
    bool directory = from->node->type == NODE_DIRECTORY;
    if (!from->parent->writable || !to->parent->writable)
        return -EROFS;
    if (from->parent->huge != to->parent->huge)
        return -EXDEV;
    if (to->node && keep)
        return -EEXIST;
    if (!directory && (from->slash || to->slash))
        return -ENOTDIR;
    if (directory && node_is_below(to->parent, from->node))
        return -EINVAL;
    if (!to->node || to->node == from->node)
        return 0;
    if (node_is_below(from->parent, to->node))
        return -ENOTEMPTY;
    if (directory != (to->node->type == NODE_DIRECTORY))
        return directory ? -ENOTDIR : -EISDIR;
    return list_empty(&to->node->children) ? 0 : -ENOTEMPTY;
}

/* What the first walk found may go during the second. */
static int find_both(struct node *from_start, const char *from, struct node *to_start,
                     const char *to, struct place *source, struct place *target)
{
    int error = path_walk(from_start, from, PATH_PARENT, source);
    if (error)
        return error;
    struct node *node = source->node ? node_get(source->node) : NULL;
    struct node *parent = source->parent ? node_get(source->parent) : NULL;
    error = path_walk(to_start, to, PATH_PARENT, target);
    if (!error && node && parent && node->parent != parent)
        error = -ENOENT;
    node_put(node);
    node_put(parent);
    return error;
}

int path_rename(struct node *from_start, const char *from, struct node *to_start, const char *to,
                bool keep, struct node **gone)
{
    struct place source, target;
    *gone = NULL;
    int error = find_both(from_start, from, to_start, to, &source, &target);
    if (error)
        return error;
    if (!source.parent || !target.parent)
        return keep && source.parent ? -EEXIST : -EBUSY;
    if (!source.node)
        return -ENOENT;
    error = check_rename(&source, &target, keep);
    if (error || target.node == source.node)
        return error;
    *gone = target.node ? node_get(target.node) : NULL;
    return node_move(source.node, target.parent, target.name, target.node);
}

int path_symlink(const char *target, struct node *start, const char *path)
{
    struct place place;
    struct node *node;
    int error = place_for_new(start, path, &place);
    if (!error && place.slash)
        error = -ENOENT; /* only a directory may have a slash behind it */
    return error ? error
                 : node_add(place.parent, place.name, strlen(place.name), NODE_LINK, 0777,
                            (union node_content){.to = {.target = target}}, &node);
}
