/* SPDX-License-Identifier: BSD-2-Clause */
/* Path walking (path_resolution(7)) and what can be done to the place a path names. */
#ifndef KERNEL_FILE_PATH_H
#define KERNEL_FILE_PATH_H

#include "kernel/file/node.h"

#define PATH_MAX_BYTES 4096 /* with the terminating zero */
#define PATH_LINKS_MAX 40   /* symbolic links followed in one walk */

/* Linux values of the open flags that only concern the walk or the creation. */
enum open_flags {
    OPEN_CREATE = 0100,
    OPEN_TRUNCATE = 01000,
    OPEN_DIRECTORY = 0200000,
    OPEN_NOFOLLOW = 0400000,
    OPEN_TEMPORARY = 020000000, /* O_TMPFILE is this with OPEN_DIRECTORY */
};

enum path_flags {
    PATH_FOLLOW = 1, /* follow a symbolic link at the end */
    /*
     * The entry itself is meant: it may be missing, and a slash behind it neither follows a link
     * nor asks for a directory. See struct place.
     */
    PATH_PARENT = 2,
};

/* Where a walk ended. Nothing is referenced: use it before the next sleep or walk. */
struct place {
    struct node *node;   /* NULL: missing (only with PATH_PARENT) */
    struct node *parent; /* directory of the last component; NULL when that was "/", "." or ".." */
    char name[NODE_NAME_MAX + 1];
    bool slash; /* a slash follows the last component */
};

/*
 * A walk lets others in on its way and uses a buffer that all share: threads of the payload hold
 * this lock meanwhile. Rows may come and go nevertheless. -EINTR.
 */
int path_lock(void);
void path_unlock(void);
bool path_locked(void); /* by the current thread */

/*
 * Walks from `start`, referenced (or the root for an absolute path). -ENOENT, -ENOTDIR, -ELOOP,
 * -ENAMETOOLONG, -EINTR. An empty path is -ENOENT. The path is not looked at any more afterwards.
 */
int path_walk(struct node *start, const char *path, unsigned flags, struct place *out);

/* Is a component "." or ".."? */
static inline bool path_is_dots(const char *name, size_t length)
{
    return name[0] == '.' && (length == 1 || (length == 2 && name[1] == '.'));
}
/* What readlink(2) tells of a link, with a terminating zero: its length, or -ENAMETOOLONG. */
int path_link_text(const struct node *link, char *buffer, size_t size);
/*
 * The open file, referenced, that a link of /proc/self/fd stands for; NULL: it is no such link, or
 * nothing is open. A walk that follows one ends at the file's node; at the link if it has none.
 */
struct file *path_file(const struct node *node);
/* The entry of a directory whose entries are numbers; NULL: there is none, or no memory for it. */
struct node *path_number(struct node *directory, const char *name, size_t length);

/*
 * open(2) in two halves: the node, made if the flags say so and referenced; then the file, which
 * may sleep and needs no lock any more. Flags are file_flags and open_flags. The errors of the
 * manual page.
 */
int path_open_find(struct node *start, const char *path, unsigned flags, uint32_t mode,
                   struct node **out);
int path_open_node(struct node *node, unsigned flags, struct file **out);
int path_mkdir(struct node *start, const char *path, uint32_t mode);
/*
 * unlink(2), or rmdir(2) when `directory`. What lost its name is in *gone, or NULL: the caller
 * gives that reference back without the lock, because a file may have much memory to release.
 */
int path_unlink(struct node *start, const char *path, bool directory, struct node **gone);
/* rename(2); with `keep` an existing target is -EEXIST (RENAME_NOREPLACE). *gone: the same. */
int path_rename(struct node *from_start, const char *from, struct node *to_start, const char *to,
                bool keep, struct node **gone);
int path_symlink(const char *target, struct node *start, const char *path);

#endif
