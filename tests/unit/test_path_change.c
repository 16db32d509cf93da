/* SPDX-License-Identifier: BSD-2-Clause */
/* What the payload may change: directories, links, names. */
#include "tests/unit/tree_fixture.h"

static void only_empty_directories_are_removed(void **state)
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

static void a_rename_moves_a_whole_tree_or_nothing(void **state)
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

static void a_link_leads_where_its_text_says(void **state)
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

/* The memory of a file without a name is released when its reference is, so without the lock. */
static void removed_files_keep_their_memory(void **state)
{
    struct ramfile *file;
    struct node *gone;
    for (unsigned i = 0; i < 2; i++) {
        make("/tmp/a");
        make("/tmp/b");
        file = find("/tmp/a")->is.ram;
        assert_int_equal(ramfile_append(file, "x", 1), 0);
        uint64_t used = free_frames();
        assert_int_equal(
            i == 0 ? path_unlink(node_root(), "/tmp/a", false, &gone)
                   : path_rename(node_root(), "/tmp/b", node_root(), "/tmp/a", false, &gone),
            0);
        assert_ptr_equal(gone->is.ram, file);
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
        TEST(only_empty_directories_are_removed),
        TEST(a_rename_moves_a_whole_tree_or_nothing),
        TEST(a_link_leads_where_its_text_says),
        TEST(removed_files_keep_their_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
