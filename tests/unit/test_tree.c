/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows, the walk over them, directories, and what the payload may change. */
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

static uint64_t free_frames(void)
{
    struct frames_stats stats;
    frames_stats(&stats);
    return stats.free;
}

static void show(void *context, struct text *out)
{
    text_printf(out, "%s\n", (const char *)context);
}

static void show_long(void *context, struct text *out)
{
    for (unsigned i = 0; i < 3000; i++)
        text_printf(out, "line %u\n", i);
}

static unsigned opened_flags;

static int open_device(void *context, unsigned flags, struct file **out)
{
    static const struct file_ops ops = {0};
    opened_flags = flags;
    if (context)
        return -EBUSY;
    *out = file_create(&ops, NULL, flags & FILE_ACCMODE, "device");
    return *out ? 0 : -ENOMEM;
}

static struct node *find(const char *path)
{
    struct place place;
    return path_walk(node_root(), path, 0, &place) ? NULL : place.node;
}

static int setup(void **state)
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

static int teardown(void **state)
{
    host_fail_nth(0);
    tree_remove_since(mark);
    assert_true(list_empty(&node_root()->children));
    assert_int_equal(free_frames(), free_at_start);
    assert_int_equal(heap_used(), 0);
    host_memory_destroy();
    return 0;
}

static int open_at(const char *path, unsigned flags, struct file **out)
{
    return open_path(node_root(), path, flags, 0644, out);
}

static int open_close(const char *path, unsigned flags)
{
    struct file *file;
    int error = open_at(path, flags, &file);
    if (!error)
        file_put(file);
    return error;
}

static void make(const char *path)
{
    assert_int_equal(open_close(path, OPEN_CREATE | FILE_RDWR), 0);
}

static int unlink_path(const char *path, bool directory)
{
    struct node *gone;
    int error = path_unlink(node_root(), path, directory, &gone);
    assert_int_equal(gone == NULL, error != 0);
    node_put(gone);
    return error;
}

static int rename_path(struct node *from_start, const char *from, struct node *to_start,
                       const char *to, bool keep)
{
    struct node *gone;
    int error = path_rename(from_start, from, to_start, to, keep, &gone);
    node_put(gone);
    return error;
}

/* ---- rows ---- */

static void rows_appear_and_go(void **state)
{
    assert_non_null(find("/sys/class/a"));
    assert_int_equal(tree_add_text("/sys/class/a/name", show, ""), -EEXIST);
    assert_int_equal(tree_add_text("/sys/class/a/name/x", show, ""), -EEXIST);
    assert_int_equal(tree_add_directory("/sys/class"), 0); /* was there only for its rows */
    assert_int_equal(tree_add_directory("/sys/class"), -EEXIST);
    tree_remove("/sys/class/a");
    assert_null(find("/sys/class/a"));
    assert_non_null(find("/sys/class/b/name"));
    tree_remove("/sys/class/b/name");
    assert_null(find("/sys/class/b"));
    assert_non_null(find("/sys/class")); /* asked for by itself */
    tree_remove("/sys");
    assert_null(find("/sys"));
    tree_remove("/nowhere");
    tree_remove("/dev/x");
    assert_null(find("/dev"));
}

static void rows_fail_whole(void **state)
{
    for (uint64_t n = 1;; n++) {
        size_t before = heap_used();
        host_fail_nth(n);
        int error = tree_add_link("/one/two/three", "target");
        if (!host_failed()) {
            assert_int_equal(error, 0);
            break;
        }
        assert_int_equal(error, -ENOMEM);
        assert_null(find("/one"));
        assert_int_equal(heap_used(), before);
    }
    host_fail_nth(0);
    char name[NODE_NAME_MAX + 3] = "/";
    memset(name + 1, 'x', NODE_NAME_MAX + 1);
    assert_int_equal(tree_add_text(name, show, ""), -ENAMETOOLONG);
    name[NODE_NAME_MAX + 1] = 0;
    assert_int_equal(tree_add_text(name, show, ""), 0);
}

/* ---- the walk ---- */

static void walks(void **state)
{
    static const struct {
        const char *path;
        unsigned flags;
        int error;
        const char *end; /* where it leads, or NULL */
    } rows[] = {
        {"/", 0, 0, "/"},
        {"//", 0, 0, "/"},
        {"/..", 0, 0, "/"},
        {"/.", 0, 0, "/"},
        {"/sys/class", 0, 0, "/sys/class"},
        {"/sys//class/./a/", 0, 0, "/sys/class/a"},
        {"/sys/class/../class/a/..", 0, 0, "/sys/class"},
        {"sys", 0, 0, "/sys"},
        {"/sys/a", 0, 0, "/sys/a"},
        {"/sys/a", PATH_FOLLOW, 0, "/sys/class/a"},
        {"/sys/a/", 0, 0, "/sys/class/a"},
        {"/sys/a/name", 0, 0, "/sys/class/a/name"},
        {"/sys/a/..", 0, 0, "/sys/class"},
        {"/abs/name", 0, 0, "/sys/class/b/name"},
        {"/abs", PATH_FOLLOW, 0, "/sys/class/b"},
        {"", 0, -ENOENT, NULL},
        {"/none", 0, -ENOENT, NULL},
        {"/none/x", PATH_PARENT, -ENOENT, NULL},
        {"/none", PATH_PARENT, 0, NULL},
        {"/sys/class/a/name/", 0, -ENOTDIR, NULL},
        {"/sys/class/a/name/x", PATH_PARENT, -ENOTDIR, NULL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct place place;
        int error = path_walk(node_root(), rows[i].path, rows[i].flags, &place);
        if (error != rows[i].error)
            fail_msg("%s: %d instead of %d", rows[i].path, error, rows[i].error);
        if (error)
            continue;
        if (!rows[i].end)
            assert_null(place.node);
        else
            assert_ptr_equal(place.node, find(rows[i].end));
    }
}

static void walk_limits(void **state)
{
    struct place place;
    char *path = malloc(PATH_MAX_BYTES + 2);
    memset(path, '/', PATH_MAX_BYTES + 1);
    path[PATH_MAX_BYTES] = 0;
    assert_int_equal(path_walk(node_root(), path, 0, &place), -ENAMETOOLONG);
    path[PATH_MAX_BYTES - 1] = 0;
    assert_int_equal(path_walk(node_root(), path, 0, &place), 0);
    memset(path + 1, 'x', NODE_NAME_MAX + 1);
    path[NODE_NAME_MAX + 2] = 0;
    assert_int_equal(path_walk(node_root(), path, 0, &place), -ENAMETOOLONG);
    path[NODE_NAME_MAX + 1] = 0;
    assert_int_equal(path_walk(node_root(), path, 0, &place), -ENOENT);
    free(path);
    assert_int_equal(tree_add_link("/loop", "loop"), 0);
    assert_int_equal(path_walk(node_root(), "/loop", PATH_FOLLOW, &place), -ELOOP);
    assert_int_equal(tree_add_link("/slow", "./slow/x"), 0); /* longer each time */
    assert_int_equal(path_walk(node_root(), "/slow/y", 0, &place), -ELOOP);
}

static void paths_of_nodes(void **state)
{
    char buffer[64];
    assert_int_equal(node_path(node_root(), buffer, sizeof(buffer)), 1);
    assert_string_equal(buffer, "/");
    assert_int_equal(node_path(find("/sys/class/a"), buffer, sizeof(buffer)), 12);
    assert_string_equal(buffer, "/sys/class/a");
    assert_int_equal(node_path(find("/sys/class/a"), buffer, 12), -ERANGE);
    assert_int_equal(node_path(find("/sys/class/a"), buffer, 13), 12);
    assert_int_equal(node_path(node_root(), buffer, 1), -ERANGE);
}

/* ---- opening ---- */

static void opens(void **state)
{
    static const struct {
        const char *path;
        unsigned flags;
        int error;
    } rows[] = {
        {"/sys", FILE_RDONLY, 0},
        {"/sys", OPEN_DIRECTORY, 0},
        {"/sys", FILE_RDWR, -EISDIR},
        {"/sys", OPEN_CREATE, -EISDIR},
        {"/sys/class/a/name", FILE_RDONLY, 0},
        {"/sys/class/a/name", FILE_WRONLY, -EACCES},
        {"/sys/class/a/name", OPEN_DIRECTORY, -ENOTDIR},
        {"/sys/class/a/name", OPEN_CREATE, 0},
        {"/sys/class/a/name", OPEN_CREATE | FILE_EXCL, -EEXIST},
        {"/sys/class/a/new", OPEN_CREATE | FILE_WRONLY, -EROFS},
        {"/sys/a", OPEN_NOFOLLOW, -ELOOP},
        {"/sys/a", OPEN_NOFOLLOW | FILE_PATH, 0},
        {"/sys/a", FILE_RDONLY, 0},
        {"/dev/x", FILE_RDWR | FILE_EXCL | FILE_NONBLOCK, 0},
        {"/none", FILE_RDONLY, -ENOENT},
        {"/tmp/f", OPEN_CREATE | FILE_RDWR, 0},
        {"/tmp/f", OPEN_CREATE | FILE_EXCL, -EEXIST},
        {"/tmp/f", FILE_WRONLY | OPEN_TRUNCATE, 0},
        {"/tmp/f/", FILE_RDONLY, -ENOTDIR},
        {"/tmp/g/", OPEN_CREATE, -EISDIR},
        {"/tmp", OPEN_TEMPORARY | OPEN_DIRECTORY | FILE_RDWR, 0},
        {"/tmp", OPEN_TEMPORARY | OPEN_DIRECTORY, -EINVAL},
        {"/sys", OPEN_TEMPORARY | OPEN_DIRECTORY | FILE_RDWR, -EROFS},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        int error = open_close(rows[i].path, rows[i].flags);
        if (error != rows[i].error)
            fail_msg("open(%s, %#o): %d instead of %d", rows[i].path, rows[i].flags, error,
                     rows[i].error);
    }
    assert_int_equal(opened_flags, FILE_RDWR | FILE_EXCL | FILE_NONBLOCK);
    assert_int_equal(tree_add_device("/dev/busy", 1, 1, open_device, &mark), 0);
    assert_int_equal(open_close("/dev/busy", FILE_RDWR), -EBUSY);
}

static void every_allocation_of_open_fails(void **state)
{
    static const char *const paths[] = {"/sys", "/sys/class/a/name", "/dev/x", "/tmp/new"};
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        unsigned flags = paths[i][1] == 't' ? OPEN_CREATE | FILE_RDWR : FILE_RDONLY;
        for (uint64_t n = 1;; n++) {
            host_fail_nth(n);
            int error = open_close(paths[i], flags);
            if (!host_failed()) {
                assert_int_equal(error, 0);
                break;
            }
            assert_int_equal(error, -ENOMEM);
        }
    }
}

static void texts_are_snapshots(void **state)
{
    struct file *file;
    char text[32] = {0};
    uint64_t position = 0;
    assert_int_equal(open_at("/abs/name", FILE_RDONLY, &file), 0);
    tree_remove("/sys/class/b");
    assert_int_equal(file->ops->read(file, user_address(text), sizeof(text), &position), 5);
    assert_string_equal(text, "beta\n");
    assert_int_equal(file->ops->read(file, user_address(text), sizeof(text), &position), 0);
    assert_int_equal(file->ops->seek(file, -4, 2), 1);
    file_put(file);
    assert_int_equal(tree_add_text("/long", show_long, NULL), 0);
    assert_int_equal(open_at("/long", FILE_RDONLY, &file), 0);
    assert_int_equal(file->ops->seek(file, 0, 2), 10 * 7 + 90 * 8 + 900 * 9 + 2000 * 10);
    file_put(file);
}

/* ---- directories ---- */

struct listing {
    char names[16][32];
    uint64_t positions[16];
    unsigned count, room;
};

static bool note(void *context, const char *name, uint64_t inode, uint32_t mode, uint64_t position)
{
    struct listing *l = context;
    if (l->room == 0)
        return false;
    l->room--;
    strcpy(l->names[l->count], name);
    l->positions[l->count++] = position;
    return true;
}

static void directories_are_read_in_pieces(void **state)
{
    struct file *file;
    struct listing l = {0};
    uint64_t position = 0;
    make("/tmp/a");
    make("/tmp/b");
    make("/tmp/c");
    assert_int_equal(open_at("/tmp", FILE_RDONLY, &file), 0);
    for (unsigned i = 0; i < 20; i++) {
        l.room = 1;
        assert_int_equal(file->ops->iterate(file, &position, note, &l), 0);
        if (l.count == 4) { /* "a" and "b" were read: changes do not disturb the rest */
            assert_int_equal(unlink_path("/tmp/b", false), 0);
            assert_int_equal(unlink_path("/tmp/a", false), 0);
            make("/tmp/d");
        }
    }
    assert_int_equal(l.count, 6);
    static const char *const expected[] = {".", "..", "a", "b", "c", "d"};
    for (unsigned i = 0; i < 6; i++)
        assert_string_equal(l.names[i], expected[i]);
    /* From any position that was reported, reading goes on behind that entry. */
    position = l.positions[3];
    l = (struct listing){.room = 16};
    file->ops->iterate(file, &position, note, &l);
    assert_string_equal(l.names[0], "c");
    file_put(file);
}

/* ---- changes ---- */

static void make_and_remove(void **state)
{
    assert_int_equal(path_mkdir(node_root(), "/tmp/d", 0755), 0);
    assert_int_equal(path_mkdir(node_root(), "/tmp/d", 0755), -EEXIST);
    assert_int_equal(path_mkdir(node_root(), "/tmp/e/", 0755), 0);
    assert_int_equal(path_mkdir(node_root(), "/sys/d", 0755), -EROFS);
    make("/tmp/d/f");
    assert_int_equal(unlink_path("/tmp/d", true), -ENOTEMPTY);
    assert_int_equal(unlink_path("/tmp/d", false), -EISDIR);
    assert_int_equal(unlink_path("/tmp/d/f", true), -ENOTDIR);
    assert_int_equal(unlink_path("/sys/a", false), -EROFS);
    assert_int_equal(unlink_path("/tmp/d/.", true), -EINVAL);
    struct file *directory;
    assert_int_equal(open_at("/tmp/d", FILE_RDONLY, &directory), 0);
    assert_int_equal(unlink_path("/tmp/d/f", false), 0);
    assert_int_equal(unlink_path("/tmp/d", true), 0);
    /* A removed directory that is still open holds nothing and takes nothing. */
    struct file *file;
    assert_int_equal(open_path(directory->node, "x", OPEN_CREATE | FILE_RDWR, 0644, &file),
                     -ENOENT);
    file_put(directory);
}

static void renames(void **state)
{
    struct node *root = node_root();
    make("/tmp/a");
    make("/tmp/b");
    uint64_t inode = find("/tmp/a")->inode;
    assert_int_equal(path_mkdir(root, "/tmp/d", 0755), 0);
    assert_int_equal(path_mkdir(root, "/tmp/d/e", 0755), 0);
    assert_int_equal(rename_path(root, "/tmp/a", root, "/tmp/b", true), -EEXIST);
    assert_int_equal(rename_path(root, "/tmp/a", root, "/tmp/b", false), 0);
    assert_null(find("/tmp/a"));
    assert_int_equal(find("/tmp/b")->inode, inode);
    assert_int_equal(rename_path(root, "/tmp/b", root, "/tmp/b", false), 0);
    assert_int_equal(rename_path(root, "/tmp/b", root, "/tmp/d/moved", false), 0);
    assert_int_equal(find("/tmp/d/moved")->inode, inode);
    assert_int_equal(rename_path(root, "/tmp/d", root, "/tmp/d/e/d", false), -EINVAL);
    assert_int_equal(rename_path(root, "/tmp/d", root, "/tmp/d/e", false), -EINVAL);
    assert_int_equal(rename_path(root, "/tmp/d/moved", root, "/tmp/d/e", false), -EISDIR);
    assert_int_equal(rename_path(root, "/tmp/d/e", root, "/tmp/d/moved", false), -ENOTDIR);
    assert_int_equal(rename_path(root, "/tmp/d/e", root, "/tmp/d", false), -ENOTEMPTY);
    assert_int_equal(rename_path(root, "/tmp/d/moved", root, "/tmp/x/", false), -ENOTDIR);
    assert_int_equal(rename_path(root, "/tmp/d/moved", root, "/sys/x", false), -EROFS);
    assert_int_equal(rename_path(root, "/sys/a", root, "/tmp/x", false), -EROFS);
    assert_int_equal(rename_path(root, "/tmp/none", root, "/tmp/x", false), -ENOENT);
    assert_int_equal(rename_path(root, "/tmp/d", root, "/tmp/..", false), -EBUSY);
    host_fail_nth(1);
    assert_int_equal(rename_path(root, "/tmp/d/moved", root, "/tmp/x", false), -ENOMEM);
    assert_non_null(find("/tmp/d/moved"));
    assert_int_equal(rename_path(root, "/tmp/d", root, "/tmp/q", false), 0);
    assert_non_null(find("/tmp/q/moved"));
}

static void links_of_the_payload(void **state)
{
    assert_int_equal(path_symlink("../sys/class/a/name", node_root(), "/tmp/l"), 0);
    assert_int_equal(path_symlink("x", node_root(), "/tmp/l"), -EEXIST);
    assert_int_equal(path_symlink("x", node_root(), "/sys/l"), -EROFS);
    assert_int_equal(open_close("/tmp/l", FILE_RDONLY), 0);
    assert_int_equal(path_symlink("made", node_root(), "/tmp/dangling"), 0);
    assert_int_equal(open_close("/tmp/dangling", FILE_RDONLY), -ENOENT);
    assert_int_equal(open_close("/tmp/dangling", OPEN_CREATE | FILE_EXCL), -EEXIST);
    make("/tmp/dangling"); /* creates what the link names */
    assert_non_null(find("/tmp/made"));
}

static void quota_of_nodes(void **state)
{
    char path[32];
    struct node *tmp = find("/tmp");
    struct node *node;
    int error = 0;
    for (unsigned i = 0; !error && i <= NODE_QUOTA; i++) {
        format(path, sizeof(path), "%u", i);
        error = node_add(tmp, path, strlen(path), NODE_DIRECTORY, 0755, &node);
        tmp = error ? tmp : node; /* as deep as can be: removal must not recurse */
    }
    assert_int_equal(error, -ENOSPC);
}

/* Many names in no order, half of them removed again: each is found by its own name only. */
static void names_are_found(void **state)
{
    const unsigned count = 5000;
    char name[32];
    struct node *tmp = find("/tmp");
    struct node *node;
    for (unsigned i = 0; i < count; i++) {
        format(name, sizeof(name), "%u", i * 7919 % 100003);
        assert_int_equal(node_add(tmp, name, strlen(name), NODE_DIRECTORY, 0755, &node), 0);
        assert_int_equal(node_add(tmp, name, strlen(name), NODE_DIRECTORY, 0755, &node), -EEXIST);
    }
    for (unsigned i = 0; i < count; i += 2) {
        format(name, sizeof(name), "%u", i * 7919 % 100003);
        node_remove(node_find(tmp, name, strlen(name)));
    }
    for (unsigned i = 0; i < count; i++) {
        format(name, sizeof(name), "%u", i * 7919 % 100003);
        node = node_find(tmp, name, strlen(name));
        assert_int_equal(!node, i % 2 == 0);
        assert_true(!node || strcmp(node->name, name) == 0);
    }
    /* One name may be the beginning of another. */
    assert_int_equal(node_add(tmp, "beg", 3, NODE_DIRECTORY, 0755, &node), 0);
    assert_int_equal(node_add(tmp, "beginning", 9, NODE_DIRECTORY, 0755, &node), 0);
    assert_null(node_find(tmp, "beginning", 5));
    assert_ptr_equal(node_find(tmp, "beginning", 9), node);
    assert_string_equal(node_find(tmp, "beginning", 3)->name, "beg");
}

/* What another thread does in the middle of a walk. */
static const char *removed_meanwhile;

static int remove_meanwhile(const char *point, enum thread_hears hears)
{
    if (removed_meanwhile)
        tree_remove(removed_meanwhile);
    removed_meanwhile = NULL;
    return 0;
}

static int end_meanwhile(const char *point, enum thread_hears hears)
{
    return -EINTR;
}

static void rows_go_during_a_walk(void **state)
{
    struct place place;
    struct node *start = node_get(find("/sys/class/a"));
    host_breath = remove_meanwhile;
    host_breath_work = breath_left = 0;
    removed_meanwhile = "/sys/class/a";
    assert_int_equal(path_walk(start, "name", 0, &place), -ENOENT);
    node_put(start);
    assert_int_equal(tree_add_text("/sys/class/a/name", show, "a"), 0);
    removed_meanwhile = "/sys/class/a";
    assert_int_equal(rename_path(node_root(), "/sys/class/a/name", node_root(), "/tmp/x", false),
                     -ENOENT);
    host_breath = end_meanwhile;
    assert_int_equal(path_walk(node_root(), "/tmp/x", PATH_PARENT, &place), -EINTR);
    host_breath = NULL;
    host_breath_work = breath_left = BREATH_WORK;
}

/* The memory of a file without a name is released when its reference is, so without the lock. */
static void removed_files_keep_their_memory(void **state)
{
    struct ramfile *file;
    struct node *gone;
    for (unsigned i = 0; i < 2; i++) {
        make("/tmp/a");
        make("/tmp/b");
        file = find("/tmp/a")->ram;
        assert_int_equal(ramfile_append(file, "x", 1), 0);
        uint64_t used = free_frames();
        assert_int_equal(
            i == 0 ? path_unlink(node_root(), "/tmp/a", false, &gone)
                   : path_rename(node_root(), "/tmp/b", node_root(), "/tmp/a", false, &gone),
            0);
        assert_ptr_equal(gone->ram, file);
        assert_null(gone->parent);
        assert_int_equal(free_frames(), used);
        node_put(gone);
        assert_true(free_frames() > used);
    }
    assert_int_equal(unlink_path("/tmp/a", false), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rows_appear_and_go, setup, teardown),
        cmocka_unit_test_setup_teardown(rows_fail_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(walks, setup, teardown),
        cmocka_unit_test_setup_teardown(walk_limits, setup, teardown),
        cmocka_unit_test_setup_teardown(paths_of_nodes, setup, teardown),
        cmocka_unit_test_setup_teardown(opens, setup, teardown),
        cmocka_unit_test_setup_teardown(every_allocation_of_open_fails, setup, teardown),
        cmocka_unit_test_setup_teardown(texts_are_snapshots, setup, teardown),
        cmocka_unit_test_setup_teardown(directories_are_read_in_pieces, setup, teardown),
        cmocka_unit_test_setup_teardown(make_and_remove, setup, teardown),
        cmocka_unit_test_setup_teardown(renames, setup, teardown),
        cmocka_unit_test_setup_teardown(links_of_the_payload, setup, teardown),
        cmocka_unit_test_setup_teardown(quota_of_nodes, setup, teardown),
        cmocka_unit_test_setup_teardown(names_are_found, setup, teardown),
        cmocka_unit_test_setup_teardown(rows_go_during_a_walk, setup, teardown),
        cmocka_unit_test_setup_teardown(removed_files_keep_their_memory, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
