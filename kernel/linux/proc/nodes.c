/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/linux/proc/nodes.h"
#include "kernel/file/path.h"
#include "kernel/file/tree.h"
#include "kernel/lib/string.h"

#define MODE_STICKY_ALL 01777

static uint64_t mark;

/* A directory that the payload may create files in. */
static int add_writable(const char *path)
{
    struct place place;
    int error = tree_add_directory(path);
    if (!error)
        error = path_walk(node_root(), path, 0, &place);
    if (error)
        return error;
    place.node->writable = true;
    place.node->mode = MODE_STICKY_ALL;
    return 0;
}

int nodes_add(void)
{
    mark = tree_mark();
    int error = add_writable("/tmp");
    if (!error)
        error = add_writable("/dev/shm");
    if (!error)
        error = nodes_add_dev();
    if (!error)
        error = nodes_add_proc();
    if (error)
        nodes_remove();
    return error;
}

void nodes_remove(void)
{
    tree_remove_since(mark);
}
