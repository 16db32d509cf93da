/* SPDX-License-Identifier: BSD-2-Clause */
/* What an open gives, and how texts and directories are read. */
#include <stdio.h>
#include "tests/unit/tree_fixture.h"

static void an_open_does_what_its_flags_say(void **state)
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

static char stored[TREE_STORE_MAX];

static int store(void *context, tree_show show_it, const char *text)
{
    snprintf(stored, sizeof(stored), "%s", text);
    return strcmp(text, "no") == 0 ? -EBUSY : 0;
}

/* What a write to the file answers; 0 with what was stored. */
static int64_t write_to(const char *path, const char *text, size_t length)
{
    struct file *file;
    uint64_t position = 0;
    int64_t done;

    assert_int_equal(open_at(path, FILE_WRONLY | OPEN_CREATE | OPEN_TRUNCATE, &file), 0);
    done = file->ops->write(file, user_address((void *)(uintptr_t)text), length, &position);
    assert_int_equal(position, done > 0 ? done : 0);
    file_put(file);
    return done;
}

static void texts_take_what_their_row_takes(void **state)
{
    char longer[TREE_STORE_MAX] = "x";

    static const struct tree_text rows[] = {{"both", show, store, NULL},
                                            {"in", NULL, store, NULL},
                                            {"same", show, tree_store_same, "alpha"},
                                            {"to link", NULL, NULL, "same"}};

    assert_int_equal(tree_add_texts("/sys/d", rows, ARRAY_SIZE(rows), "alpha"), 0);
    assert_int_equal(open_close("/sys/d/link", FILE_RDWR), 0);
    assert_int_equal(find("/sys/d/to")->type, NODE_LINK);
    assert_int_equal(find("/sys/d/both")->mode, 0644);
    assert_int_equal(find("/sys/d/in")->mode, 0200);
    assert_int_equal(open_close("/sys/d/in", FILE_RDONLY), -EACCES);
    assert_int_equal(open_close("/sys/d/in", FILE_RDWR), -EACCES);
    assert_int_equal(open_close("/sys/d/both", FILE_RDWR), 0);
    assert_int_equal(write_to("/sys/d/both", "one\n", 4), 4);
    assert_string_equal(stored, "one");
    assert_int_equal(write_to("/sys/d/in", "two\n\n", 5), 5);
    assert_string_equal(stored, "two\n");
    assert_int_equal(write_to("/sys/d/in", "no", 2), -EBUSY);
    assert_int_equal(write_to("/sys/d/in", "", 0), 0);
    assert_int_equal(write_to("/sys/d/in", longer, sizeof(longer)), -EINVAL);
    assert_int_equal(write_to("/sys/d/same", "alpha\n", 6), 6);
    assert_int_equal(write_to("/sys/d/same", "alpha", 5), 5);
    assert_int_equal(write_to("/sys/d/same", "alph", 4), -EINVAL);
    assert_int_equal(write_to("/sys/d/same", "alphas", 6), -EINVAL);
    assert_int_equal(write_to("/sys/d/same", "\n", 1), -EINVAL);
    tree_remove("/sys/d");
}

static unsigned shown;

static void show_count(void *context, struct text *out)
{
    text_printf(out, "time %u\n", ++shown);
}

/* Anew from its start, and further on what belongs to that. */
static void texts_are_told_at_their_start(void **state)
{
    struct file *file;
    char text[32] = {0};
    uint64_t position = 2;
    shown = 0;
    assert_int_equal(tree_add_text("/count", show_count, NULL), 0);
    assert_int_equal(open_at("/count", FILE_RDONLY, &file), 0);
    assert_int_equal(file->ops->read(file, user_address(text), 3, &position), 3);
    assert_int_equal(file->ops->read(file, user_address(text), sizeof(text), &position), 2);
    assert_string_equal(text, "1\n ");
    position = 0;
    assert_int_equal(file->ops->read(file, user_address(text), sizeof(text), &position), 7);
    assert_string_equal(text, "time 2\n");
    assert_int_equal(file->ops->read(file, user_address(text), sizeof(text), &position), 0);
    assert_int_equal(file->ops->seek(file, -4, 2), 3);
    tree_remove("/count");
    position = 5;
    assert_int_equal(file->ops->read(file, user_address(text), sizeof(text), &position), 2);
    position = 0;
    assert_int_equal(file->ops->read(file, user_address(text), sizeof(text), &position), -ENODEV);
    assert_int_equal(shown, 2);
    file_put(file);
    position = 0;
    assert_int_equal(tree_add_text("/long", show_long, NULL), 0);
    assert_int_equal(open_at("/long", FILE_RDONLY, &file), 0);
    assert_int_equal(file->ops->read(file, user_address(text), 1, &position), 1);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_open_does_what_its_flags_say), TEST(every_allocation_of_open_fails),
        TEST(texts_take_what_their_row_takes), TEST(texts_are_told_at_their_start),
        TEST(directories_are_read_in_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
