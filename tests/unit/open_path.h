/* SPDX-License-Identifier: BSD-2-Clause */
/* open(2) in one step, as openat does it. */
#ifndef TESTS_UNIT_OPEN_PATH_H
#define TESTS_UNIT_OPEN_PATH_H

#include "kernel/file/path.h"

static inline int open_path(struct node *start, const char *path, unsigned flags, uint32_t mode,
                            struct file **out)
{
    struct node *node;
    int error = path_open_find(start, path, flags, mode, &node);

    if (error)
        return error;
    error = path_open_node(node, flags, out);
    node_put(node);
    return error;
}

#endif
