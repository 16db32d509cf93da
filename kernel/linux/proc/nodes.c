/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/linux/proc/nodes.h"
#include "kernel/file/path.h"
#include "kernel/file/tree.h"
#include "kernel/linux/program/out.h"
#include "kernel/lib/string.h"

#define MODE_STICKY_ALL 01777

static uint64_t mark;

/* A directory that the payload may create files in. */
static int add_writable(const char *path, bool huge)
{
    struct place place;
    int error = tree_add_directory(path);
    if (!error)
        error = path_walk(node_root(), path, 0, &place);
    if (error)
        return error;
    place.node->writable = true;
    place.node->huge = huge;
    place.node->mode = MODE_STICKY_ALL;
    return 0;
}

int nodes_add(void)
{
    static const char *const writable[] = {"/tmp", "/dev/shm", "/run", OUT_PATH};
    static int (*const add[])(void) = {nodes_add_dev, nodes_add_proc, nodes_add_self,
                                       nodes_add_fixed, nodes_add_huge};
    int error = 0;
    mark = tree_mark();
    for (size_t i = 0; !error && i < ARRAY_SIZE(writable); i++)
        error = add_writable(writable[i], false);
    if (!error)
        error = add_writable("/dev/hugepages", true);
    for (size_t i = 0; !error && i < ARRAY_SIZE(add); i++)
        error = add[i]();
    if (error)
        nodes_remove();
    return error;
}

void nodes_remove(void)
{
    tree_remove_since(mark);
}
