/* SPDX-License-Identifier: BSD-2-Clause */
/* The archive reader: a good archive, every refusal, and cuts at every byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "kernel/lib/error.h"
#include "kernel/linux/program/cpio.h"
#include "tests/unit/cpio_builder.h"

static void make(struct cpio_archive *a)
{
    memset(a, 0, sizeof(*a));
    cpio_add(a, "payload.elf", 0100755, "\177ELF", 4);
    cpio_add(a, "etc", 040755, "", 0);
    cpio_add(a, "etc/hello.txt", 0100644, "hello", 5);
    cpio_add(a, "TRAILER!!!", 0, "", 0);
}

/* Reads an exact copy to its end; returns the number of members, or the error. */
static int read_all(const struct cpio_archive *a, size_t size, const char **reason)
{
    char *copy = malloc(size ? size : 1);
    memcpy(copy, a->bytes, size);
    struct cpio_reader reader;
    struct cpio_entry entry;
    int count = 0, result;
    cpio_open(&reader, copy, size);
    while ((result = cpio_next(&reader, &entry, reason)) == 1)
        count++;
    free(copy);
    return result < 0 ? result : count;
}

static void a_good_archive_is_read_whole(void **state)
{
    struct cpio_archive a;
    struct cpio_reader reader;
    struct cpio_entry entry;
    const char *reason;
    make(&a);
    assert_true(cpio_detect(a.bytes, a.size));
    assert_false(cpio_detect("\177ELF", 4));
    assert_false(cpio_detect("0707", 4));
    cpio_open(&reader, a.bytes, a.size);
    assert_int_equal(cpio_next(&reader, &entry, &reason), 1);
    assert_string_equal(entry.name, "payload.elf");
    assert_int_equal(entry.mode, 0100755);
    assert_int_equal(entry.size, 4);
    assert_memory_equal(entry.data, "\177ELF", 4);
    assert_int_equal(cpio_next(&reader, &entry, &reason), 1);
    assert_int_equal(entry.size, 0);
    assert_int_equal(cpio_next(&reader, &entry, &reason), 1);
    assert_string_equal(entry.name, "etc/hello.txt");
    assert_memory_equal(entry.data, "hello", 5);
    assert_int_equal(cpio_next(&reader, &entry, &reason), 0);
}

static void an_archive_cut_anywhere_is_refused(void **state)
{
    struct cpio_archive a;
    const char *reason;
    make(&a);
    size_t trailer_end = a.size - 1; /* one byte of padding may be missing */
    for (size_t size = 0; size < trailer_end; size++)
        assert_int_equal(read_all(&a, size, &reason), -EINVAL);
    assert_int_equal(read_all(&a, a.size, &reason), 3);
}

static void refuse(size_t at, const char *text, const char *part)
{
    struct cpio_archive a;
    const char *reason = "";
    make(&a);
    memcpy(a.bytes + at, text, strlen(text));
    assert_int_equal(read_all(&a, a.size, &reason), -EINVAL);
    if (!strstr(reason, part))
        fail_msg("expected '%s', got '%s'", part, reason);
}

static void every_refusal_names_its_reason(void **state)
{
    const size_t size_field = 6 + 6 * 8, name_field = 6 + 11 * 8, name = 110;
    refuse(0, "070702", "070701"); /* the variant with checksums */
    refuse(size_field, "0000zz00", "not hexadecimal");
    refuse(size_field, "ffffffff", "beyond its end");
    refuse(name_field, "00000001", "empty or too long");
    refuse(name_field, "00000000", "empty or too long");
    refuse(name_field, "00000401", "empty or too long");
    refuse(name_field, "ffffffff", "empty or too long");
    refuse(name_field, "0000000b", "not terminated");
    refuse(name + 11, "x", "not terminated");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_archive_is_read_whole),
        cmocka_unit_test(an_archive_cut_anywhere_is_refused),
        cmocka_unit_test(every_refusal_names_its_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
