/* SPDX-License-Identifier: BSD-2-Clause */
/* What a boot archive puts into the tree, and what it cannot put there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "kernel/file/path.h"
#include "kernel/file/ramfile.h"
#include "kernel/lib/error.h"
#include "kernel/mm/frames/frames.h"
#include "kernel/mm/heap.h"
#include "kernel/linux/program/archive.h"
#include "tests/unit/cpio_builder.h"
#include "tests/unit/host_heap.h"
#include "tests/unit/host_memory.h"
#include "tests/unit/host_user.h"
#include "tests/unit/open_path.h"

#define RAM_BASE (16 * MIB)
#define RAM_SIZE (64 * MIB)

static const struct phys_run ram[] = {{RAM_BASE, RAM_SIZE}};
static struct cpio_archive a;
static uint64_t mark;
static struct refusal why;
static const void *program;
static uint64_t program_size;

static int setup(void **state)
{
    host_memory_create(RAM_BASE, RAM_SIZE);
    assert_int_equal(frames_init(ram, 1, NULL, 0), 0);
    host_fail_nth(0);
    memset(&a, 0, sizeof(a));
    memset(&why, 0, sizeof(why));
    mark = tree_mark();
    return 0;
}

static int teardown(void **state)
{
    host_fail_nth(0);
    tree_remove_since(mark);
    assert_int_equal(heap_used(), 0);
    host_memory_destroy();
    return 0;
}

static int unpack(void)
{
    return archive_unpack(a.bytes, a.size, &program, &program_size, &why);
}

static struct node *find(const char *path)
{
    struct place place;
    return path_walk(node_root(), path, PATH_FOLLOW, &place) ? NULL : place.node;
}

static void check_file(const char *path, const char *content, uint32_t mode)
{
    struct file *file;
    char text[64] = {0};
    uint64_t position = 0;
    assert_int_equal(open_path(node_root(), path, FILE_RDONLY, 0, &file), 0);
    assert_int_equal(file->ops->read(file, user_address(text), sizeof(text), &position),
                     strlen(content));
    assert_string_equal(text, content);
    file_put(file);
    assert_int_equal(find(path)->mode, mode);
    assert_int_equal(open_path(node_root(), path, FILE_RDWR, 0, &file), -EROFS);
}

static void show_row(void *context, struct text *out)
{
}

static void the_files_of_an_archive_appear(void **state)
{
    assert_int_equal(tree_add_directory("/dev"), 0);
    /* Rows of the same names give way. */
    assert_int_equal(tree_add_text("/etc/hello.txt", show_row, NULL), 0);
    assert_int_equal(tree_add_link("/etc/link", "nowhere"), 0);
    assert_int_equal(tree_add_text("/proc/1/comm", show_row, NULL), 0);
    assert_int_equal(tree_add_link("/proc/self", "1"), 0);
    cpio_add(&a, ".", 040755, "", 0);
    cpio_add(&a, "./dev", 040755, "", 0); /* there already */
    cpio_add(&a, "./payload.elf", 0100755, "program", 7);
    cpio_add(&a, "etc", 040755, "", 0);
    cpio_add(&a, "etc/hello.txt", 0100666, "hello", 5);
    cpio_add(&a, "/etc/empty", 0100600, "", 0);
    cpio_add(&a, "no/directory/for/this", 0100644, "deep", 4);
    cpio_add(&a, "etc/link", 0120777, "hello.txt", 9);
    cpio_add(&a, "etc/device", 020600, "", 0);
    cpio_add(&a, "proc/self", 040755, "", 0); /* is a link, and stays one */
    cpio_add(&a, "proc/self/sub", 040755, "", 0);
    cpio_add(&a, "proc/self/sub/file", 0100644, "below", 5);
    cpio_add(&a, "proc/self/comm", 0100644, "mine", 4); /* through a link, too */
    cpio_add(&a, "proc/self/more", 0100644, "new", 3);
    cpio_add(&a, "TRAILER!!!", 0, "", 0);
    assert_int_equal(unpack(), 0);
    assert_int_equal(program_size, 7);
    assert_memory_equal(program, "program", 7);
    check_file("/payload.elf", "program", 0555);
    check_file("/etc/hello.txt", "hello", 0444);
    check_file("/etc/link", "hello", 0444);
    check_file("/etc/empty", "", 0400);
    check_file("/no/directory/for/this", "deep", 0444);
    assert_null(find("/etc/device"));
    check_file("/proc/1/comm", "mine", 0444);
    check_file("/proc/self/more", "new", 0444);
    check_file("/proc/1/sub/file", "below", 0444);
}

static void a_program_alone_is_an_archive_of_one(void **state)
{
    static const char elf[] = "\177ELF and more";
    assert_int_equal(archive_unpack(elf, sizeof(elf) - 1, &program, &program_size, &why), 0);
    assert_ptr_equal(program, elf);
    check_file("/payload.elf", elf, 0555);
}

static void refuse_member(const char *name, unsigned mode, const char *data, const char *part)
{
    uint64_t before = tree_mark();
    memset(&a, 0, sizeof(a));
    cpio_add(&a, "payload.elf", 0100755, "x", 1);
    cpio_add(&a, name, mode, data, strlen(data));
    cpio_add(&a, "TRAILER!!!", 0, "", 0);
    assert_true(unpack() < 0);
    if (!strstr(why.sentence, part))
        fail_msg("expected '%s', got '%s'", part, why.sentence);
    tree_remove_since(before);
}

static void every_refusal_names_its_reason(void **state)
{
    char longest[NODE_NAME_MAX + 2] = {0};
    refuse_member("../up", 0100644, "x", "EINVAL");
    refuse_member("a/../../up", 0100644, "x", "EINVAL");
    refuse_member("a//b", 0100644, "x", "EINVAL");
    refuse_member("a/.", 0100644, "x", "EINVAL");
    refuse_member("payload.elf", 0100644, "x", "EEXIST");
    refuse_member("payload.elf/x", 0100644, "x", "EEXIST");
    refuse_member("link", 0120777, "", "ENAMETOOLONG");
    memset(longest, 'x', NODE_NAME_MAX + 1);
    refuse_member(longest, 0100644, "x", "ENAMETOOLONG");

    memset(&a, 0, sizeof(a));
    cpio_add(&a, "other", 0100755, "x", 1);
    assert_int_equal(unpack(), -EINVAL); /* no trailer */
    assert_non_null(strstr(why.sentence, "truncated"));
    tree_remove_since(mark);
    cpio_add(&a, "TRAILER!!!", 0, "", 0);
    assert_int_equal(unpack(), -ENOENT);
    assert_non_null(strstr(why.sentence, "holds no payload.elf"));
    assert_int_equal(archive_unpack(a.bytes, 0, &program, &program_size, &why), -ENOENT);
}

static void every_allocation_fails(void **state)
{
    cpio_add(&a, "payload.elf", 0100755, "x", 1);
    cpio_add(&a, "d/f", 0100644, "data", 4);
    cpio_add(&a, "d/l", 0120777, "f", 1);
    cpio_add(&a, "TRAILER!!!", 0, "", 0);
    for (uint64_t n = 1;; n++) {
        host_fail_nth(n);
        int error = unpack();
        bool failed = host_failed();
        host_fail_nth(0);
        tree_remove_since(mark);
        assert_int_equal(heap_used(), 0);
        if (!failed) {
            assert_int_equal(error, 0);
            break;
        }
        assert_true(error == 0 || error == -ENOMEM); /* a smaller block may do */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_files_of_an_archive_appear, setup, teardown),
        cmocka_unit_test_setup_teardown(a_program_alone_is_an_archive_of_one, setup, teardown),
        cmocka_unit_test_setup_teardown(every_refusal_names_its_reason, setup, teardown),
        cmocka_unit_test_setup_teardown(every_allocation_fails, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
