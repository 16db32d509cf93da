/* SPDX-License-Identifier: BSD-2-Clause */
/* Directories whose entries are numbers that come and go, and links that are told when read. */
#include "tests/unit/tree_fixture.h"

static uint64_t there; /* bit n: the number n is */
static struct file *open_file;

static int next(int from)
{
    for (int n = from; n < 64; n++)
        if (there >> n & 1)
            return n;
    return -1;
}

static void show_number(void *context, struct text *out)
{
    if (!open_file)
        out->error = -ENOENT;
    else
        text_printf(out, "open:[%d]", (int)(uintptr_t)context);
}

static struct file *file_of(void *context)
{
    return open_file ? file_get(open_file) : NULL;
}

static unsigned added;

static int add(int number)
{
    char path[32];
    format(path, sizeof(path), "/fd/%d", number);
    added++;
    return tree_add_told_link(path, show_number, file_of, (void *)(uintptr_t)number);
}

static const struct node_numbers numbers = {next, add};

static char listed[400];

static bool emit(void *context, const char *name, uint64_t inode, uint32_t mode, uint64_t position)
{
    unsigned *room = context;
    if (*room == 0)
        return false;
    (*room)--;
    strcat(strcat(listed, name), " ");
    return true;
}

/* Lists /fd in calls of `room` entries each. */
static void list_in(unsigned room)
{
    struct file *directory;
    uint64_t position = 0, before;
    listed[0] = 0;
    assert_int_equal(open_path(node_root(), "/fd", FILE_RDONLY, 0, &directory), 0);
    do {
        unsigned left = room;
        before = position;
        assert_int_equal(directory->ops->iterate(directory, &position, emit, &left), 0);
    } while (position != before);
    file_put(directory);
}

static void entries_are_there_while_their_number_is(void **state)
{
    assert_int_equal(tree_add_numbers("/fd", &numbers), 0);
    there = BIT(0) | BIT(3) | BIT(40);
    for (unsigned room = 1; room < 6; room++) {
        list_in(room);
        assert_string_equal(listed, ". .. 0 3 40 ");
    }
    assert_int_equal(added, 3); /* however often they are read */
    there = BIT(3) | BIT(5);
    list_in(9);
    assert_string_equal(listed, ". .. 3 5 ");
    assert_null(find("/fd/0"));
    assert_non_null(find("/fd/3"));
    static const char *const none[] = {"/fd/03", "/fd/+3", "/fd/3x", "/fd/-3",
                                       "/fd/99999999999999"};
    for (size_t i = 0; i < ARRAY_SIZE(none); i++)
        assert_null(find(none[i]));
    there = 0;
    list_in(9);
    assert_string_equal(listed, ". .. ");
    there = BIT(7);
    host_fail_nth(1);
    assert_null(find("/fd/7"));
    host_fail_nth(0);
    assert_non_null(find("/fd/7"));
}

static void links_lead_to_what_is_open(void **state)
{
    struct ramfile *bytes = ramfile_create(0, false);
    struct file *again;
    char text[16];
    assert_int_equal(tree_add_numbers("/fd", &numbers), 0);
    there = BIT(1);
    const struct node *link = find("/fd/1");
    assert_int_equal(path_link_text(link, text, sizeof(text)), -ENOENT);
    assert_int_equal(open_close("/fd/1", FILE_RDONLY), -ENOENT);
    open_file = ramfile_open(bytes, FILE_RDWR, "memfd");
    ramfile_put(bytes);
    assert_int_equal(path_link_text(link, text, sizeof(text)), 8);
    assert_string_equal(text, "open:[1]");
    assert_int_equal(path_link_text(link, text, 8), -ENAMETOOLONG);
    assert_int_equal(open_close("/fd/1", OPEN_NOFOLLOW), -ELOOP);
    assert_int_equal(open_close("/fd/1", OPEN_CREATE | FILE_EXCL), -EEXIST);
    assert_int_equal(open_close("/fd/1/x", FILE_RDONLY), -ENOTDIR);
    for (uint64_t n = 1;; n++) {
        host_fail_nth(n);
        int error = open_path(node_root(), "/fd/1", FILE_RDONLY, 0, &again);
        if (!host_failed())
            break;
        assert_int_equal(error, -ENOMEM);
    }
    host_fail_nth(0);
    assert_ptr_equal(file_ramfile(again), bytes); /* the same bytes, open once more */
    assert_ptr_not_equal(again, open_file);
    assert_null(again->node);
    file_put(again);
    file_put(open_file);

    assert_int_equal(open_path(node_root(), "/tmp", FILE_RDONLY, 0, &open_file), 0);
    make("/tmp/below");
    assert_int_equal(open_close("/fd/1/below", FILE_RDWR), 0);
    assert_int_equal(open_close("/fd/1", OPEN_DIRECTORY), 0);
    file_put(open_file);

    make("/tmp/named");
    assert_int_equal(open_path(node_root(), "/tmp/named", FILE_RDONLY, 0, &open_file), 0);
    assert_int_equal(unlink_path("/tmp/named", false), 0);
    assert_int_equal(open_close("/fd/1", FILE_RDWR), 0); /* though it has no name any more */
    file_put(open_file);

    assert_int_equal(open_path(node_root(), "/dev/x", FILE_RDWR, 0, &open_file), 0);
    opened_flags = 0;
    assert_int_equal(open_close("/fd/1", FILE_WRONLY), 0);
    assert_int_equal(opened_flags, FILE_WRONLY); /* a device is asked anew */
    node_put(open_file->node);
    open_file->node = NULL;
    assert_int_equal(open_close("/fd/1", FILE_RDWR), -ENXIO);
    file_put(open_file);
    open_file = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(entries_are_there_while_their_number_is),
        TEST(links_lead_to_what_is_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
