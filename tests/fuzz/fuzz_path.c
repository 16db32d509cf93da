/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any sequence of changes to the tree by any paths: every node that a walk finds is found again
 * under the path it says it has, and in the end nothing is left.
 */
#include <stdlib.h>
#include <string.h>
#include "kernel/file/path.h"
#include "kernel/file/ramfile.h"
#include "kernel/mm/frames/frames.h"
#include "kernel/mm/heap.h"
#include "tests/unit/host_memory.h"
#include "tests/unit/open_path.h"

#define RAM_BASE (16 * MIB)
#define RAM_SIZE (16 * MIB)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct phys_run ram[] = {{RAM_BASE, RAM_SIZE}};

/* The text up to the next zero byte; moves behind it. */
static const char *next_text(const uint8_t **data, size_t *size, char *buffer)
{
    size_t length = strnlen((const char *)*data, *size);
    memcpy(buffer, *data, length);
    buffer[length] = 0;
    *data += length;
    *size -= length;
    if (*size > 0) {
        ++*data;
        --*size;
    }
    return buffer;
}

static void check_found(const char *path)
{
    static char own[PATH_MAX_BYTES];
    struct place place, again;
    if (path_walk(node_root(), path, PATH_FOLLOW, &place) ||
        node_path(place.node, own, sizeof(own)) < 0)
        return;
    if (path_walk(node_root(), own, 0, &again) || again.node != place.node)
        abort();
}

static void change(uint8_t what, const char *path, const char *other)
{
    struct file *file;
    struct node *root = node_root(), *gone;
    switch (what % 8) {
    case 0:
        if (open_path(root, path, OPEN_CREATE | FILE_RDWR, 0644, &file) == 0)
            file_put(file);
        break;
    case 1:
        path_mkdir(root, path, 0755);
        break;
    case 2:
        path_unlink(root, path, what & 8, &gone);
        node_put(gone);
        break;
    case 3:
        path_rename(root, path, root, other, what & 8, &gone);
        node_put(gone);
        break;
    case 4:
        if (*other)
            path_symlink(other, root, path);
        break;
    case 5:
        if (open_path(root, path, (unsigned)what << 8 & ~(unsigned)FILE_ACCMODE, 0, &file) == 0)
            file_put(file);
        break;
    default:
        check_found(path);
    }
}

static void start(void)
{
    struct place place;
    host_memory_create(RAM_BASE, RAM_SIZE);
    if (frames_init(ram, 1, NULL, 0) || tree_add_directory("/t") ||
        path_walk(node_root(), "/t", 0, &place))
        abort();
    place.node->writable = true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 4096)
        return 0;
    uint64_t mark = tree_mark();
    char *path = malloc(size + 1), *other = malloc(size + 1);
    start();
    while (size > 0) {
        uint8_t what = *data++;
        size--;
        next_text(&data, &size, path);
        next_text(&data, &size, other);
        change(what, path, other);
        check_found(path);
    }
    tree_remove_since(mark);
    if (heap_used() || !list_empty(&node_root()->children))
        abort();
    host_memory_destroy();
    free(path);
    free(other);
    return 0;
}
