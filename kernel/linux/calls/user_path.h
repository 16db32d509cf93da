/* SPDX-License-Identifier: BSD-2-Clause */
/* Path arguments of system calls: a string of the payload and the directory it starts from. */
#ifndef KERNEL_LINUX_CALLS_USER_PATH_H
#define KERNEL_LINUX_CALLS_USER_PATH_H

#include "kernel/file/path.h"

#define AT_FDCWD      (-100)
#define AT_NOFOLLOW   0x100u
#define AT_REMOVEDIR  0x200u
#define AT_NO_MOUNT   0x800u
#define AT_EMPTY_PATH 0x1000u

struct user_path {
    char *text;             /* no call has more than two */
    struct node *start;     /* referenced */
    struct file *directory; /* whose node `start` is; NULL: the working directory */
    bool unlocks;           /* took the lock of walks, and gives it back */
};

/*
 * Copies the path in and finds where it starts. -EFAULT, -ENAMETOOLONG, -EBADF, -ENOTDIR, -EINTR.
 * From the first path of a call until that is put the thread holds path_lock(). With `allow_empty`
 * an empty path is fine and `directory` may be any file.
 */
int user_path_get(int directory, uaddr_t path, bool allow_empty, struct user_path *out);
void user_path_put(struct user_path *path);
/* For calls that want the node, and no lock: it comes with a reference. */
int user_path_find(int directory, uaddr_t path, bool follow, struct node **out);
/* What `call` answers of `it`, the node that a path leads to, or why it leads to none. */
#define WITH_NODE(it, directory, path, follow, call)                                               \
    ({                                                                                             \
        struct node *it = NULL;                                                                    \
        int64_t with_node_result = user_path_find(directory, path, follow, &it);                   \
        if (!with_node_result)                                                                     \
            with_node_result = (call);                                                             \
        node_put(it);                                                                              \
        with_node_result;                                                                          \
    })

#endif
