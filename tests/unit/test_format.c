/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's formatter against the C library's, over every flag, width and edge of the buffer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <limits.h>
#include <cmocka.h>
#include "kernel/lib/format.h"

#define SAME(fmt, ...)                                                                             \
    do {                                                                                           \
        char ours[256], theirs[256];                                                               \
        size_t n = format(ours, sizeof(ours), fmt, __VA_ARGS__);                                   \
        int m = snprintf(theirs, sizeof(theirs), fmt, __VA_ARGS__);                                \
        assert_string_equal(ours, theirs);                                                         \
        assert_int_equal(n, m);                                                                    \
    } while (0)

static void integers_are_printed_as_by_the_library(void **state)
{
    const int values[] = {0, 1, -1, 9, 10, 255, 4096, INT_MAX, INT_MIN};

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        int v = values[i];

        SAME("%d|%5d|%-5d|%05d", v, v, v, v);
        SAME("%u|%x|%o|%04o", (unsigned)v, (unsigned)v, (unsigned)v, (unsigned)v);
        SAME("%08x|%-8x|%010x|%.3d|%8.3x", (unsigned)v, (unsigned)v, (unsigned)v, v, (unsigned)v);
    }
}

static void long_integers_are_printed_as_by_the_library(void **state)
{
    const long values[] = {0, -1, LONG_MAX, LONG_MIN};

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        long v = values[i];

        SAME("%ld|%lu|%lx|%016lx", v, (unsigned long)v, (unsigned long)v, (unsigned long)v);
        SAME("%lld|%llx", (long long)v, (unsigned long long)v);
        SAME("%zu|%zx", (size_t)v, (size_t)v);
    }
}

static void strings_are_printed_as_by_the_library(void **state)
{
    const char unterminated[3] = {'a', 'b', 'c'};

    SAME("%s|%10s|%-10s|%.2s|%10.2s|", "hello", "hello", "hello", "hello", "hello");
    SAME("%*s|%-*d|", 8, "x", 6, 42);
    SAME("%.3s|", unterminated);
    SAME("%c%c%%", 'a', 'z');
}

static void a_null_string_is_named(void **state)
{
    char text[16];

    format(text, sizeof(text), "%s", (const char *)NULL);
    assert_string_equal(text, "(null)");
}

static void an_unknown_conversion_takes_no_argument(void **state)
{
    const char *odd = "a%qb%";
    char text[16];

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wformat-nonliteral"
#pragma clang diagnostic ignored "-Wformat-security"
    format(text, sizeof(text), odd);
#pragma clang diagnostic pop
    assert_string_equal(text, "a%qb%");
}

static void a_buffer_of_any_size_is_ended(void **state)
{
    for (size_t size = 0; size < 12; size++) {
        char ours[16], theirs[16];

        memset(ours, 'Z', sizeof(ours));
        memset(theirs, 'Z', sizeof(theirs));
        assert_int_equal(format(ours, size, "%05d-%s", 42, "ab"), 8);
        assert_int_equal(snprintf(theirs, size, "%05d-%s", 42, "ab"), 8);
        assert_memory_equal(ours, theirs, sizeof(ours));
    }
}

static void a_text_grows_until_it_is_full(void **state)
{
    char buffer[8];
    struct text text;

    text_init(&text, buffer, sizeof(buffer));
    assert_string_equal(buffer, "");
    text_printf(&text, "%d", 123);
    text_printf(&text, "%s", "45");
    assert_false(text.truncated);
    assert_int_equal(text.length, 5);
    text_printf(&text, "%s", "67");
    assert_false(text.truncated);
    text_printf(&text, "%s", "8");
    assert_true(text.truncated);
    assert_string_equal(buffer, "1234567");
    text_printf(&text, "%s", "9");
    assert_int_equal(text.length, 7);
}

static void a_text_without_room_is_truncated(void **state)
{
    char nothing[1];
    struct text text;

    text_init(&text, nothing, sizeof(nothing));
    text_printf(&text, "x");
    assert_true(text.truncated);
    assert_int_equal(text.length, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_are_printed_as_by_the_library),
        cmocka_unit_test(long_integers_are_printed_as_by_the_library),
        cmocka_unit_test(strings_are_printed_as_by_the_library),
        cmocka_unit_test(a_null_string_is_named),
        cmocka_unit_test(an_unknown_conversion_takes_no_argument),
        cmocka_unit_test(a_buffer_of_any_size_is_ended),
        cmocka_unit_test(a_text_grows_until_it_is_full),
        cmocka_unit_test(a_text_without_room_is_truncated),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
