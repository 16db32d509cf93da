/* SPDX-License-Identifier: BSD-2-Clause */
/* A tree with a few rows and a writable /tmp, over real frames; each test has a fresh one. */
#ifndef TESTS_UNIT_TREE_FIXTURE_H
#define TESTS_UNIT_TREE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "kernel/file/open.h"
#include "kernel/file/path.h"
#include "kernel/file/ramfile.h"
#include "kernel/file/tree.h"
#include "kernel/lib/string.h"
#include "kernel/mm/frames/frames.h"
#include "kernel/mm/heap.h"
#include "tests/unit/host_heap.h"
#include "tests/unit/host_memory.h"
#include "tests/unit/host_thread.h"
#include "tests/unit/host_user.h"
#include "tests/unit/open_path.h"

#define RAM_BASE (16 * MIB)
#define RAM_SIZE (64 * MIB)

static const struct phys_run ram[] = {{RAM_BASE, RAM_SIZE}};
static uint64_t mark, free_at_start;

static inline uint64_t free_frames(void)
{
    struct frames_stats stats;
    frames_stats(&stats);
    return stats.free;
}

static inline void show(void *context, struct text *out)
{
    text_printf(out, "%s\n", (const char *)context);
}

static inline void show_long(void *context, struct text *out)
{
    for (unsigned i = 0; i < 3000; i++)
        text_printf(out, "line %u\n", i);
}

static unsigned opened_flags;

static inline int open_device(void *context, unsigned flags, struct file **out)
{
    static const struct file_ops ops = {0};
    opened_flags = flags;
    if (context)
        return -EBUSY;
    *out = file_create(&ops, NULL, flags & FILE_ACCMODE, "device");
    return *out ? 0 : -ENOMEM;
}

static inline struct node *find(const char *path)
{
    struct place place;
    return path_walk(node_root(), path, 0, &place) ? NULL : place.node;
}

static inline int setup(void **state)
{
    host_memory_create(RAM_BASE, RAM_SIZE);
    assert_int_equal(frames_init(ram, 1, NULL, 0), 0);
    host_fail_nth(0);
    mark = tree_mark();
    assert_int_equal(tree_add_directory("/tmp"), 0);
    find("/tmp")->writable = true;
    assert_int_equal(tree_add_text("/sys/class/a/name", show, "alpha"), 0);
    assert_int_equal(tree_add_text("/sys/class/b/name", show, "beta"), 0);
    assert_int_equal(tree_add_link("/sys/a", "class/a"), 0);
    assert_int_equal(tree_add_link("/abs", "/sys/class/b"), 0);
    assert_int_equal(tree_add_device("/dev/x", 10, 300, open_device, NULL), 0);
    free_at_start = free_frames();
    return 0;
}

static inline int teardown(void **state)
{
    host_fail_nth(0);
    tree_remove_since(mark);
    assert_true(list_empty(&node_root()->children));
    assert_int_equal(free_frames(), free_at_start);
    assert_int_equal(heap_used(), 0);
    host_memory_destroy();
    return 0;
}

static inline int open_at(const char *path, unsigned flags, struct file **out)
{
    return open_path(node_root(), path, flags, 0644, out);
}

static inline int open_close(const char *path, unsigned flags)
{
    struct file *file;
    int error = open_at(path, flags, &file);
    if (!error)
        file_put(file);
    return error;
}

static inline void make(const char *path)
{
    assert_int_equal(open_close(path, OPEN_CREATE | FILE_RDWR), 0);
}

static inline int unlink_path(const char *path, bool directory)
{
    struct node *gone;
    int error = path_unlink(node_root(), path, directory, &gone);
    assert_int_equal(gone == NULL, error != 0);
    node_put(gone);
    return error;
}

static inline int rename_path(struct node *from_start, const char *from, struct node *to_start,
                              const char *to, bool keep)
{
    struct node *gone;
    int error = path_rename(from_start, from, to_start, to, keep, &gone);
    node_put(gone);
    return error;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
