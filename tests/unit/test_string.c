/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's own memory and string functions against the C library's. They have the same names,
 * so the source is included under other ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define memcpy  kernel_memcpy
#define memmove kernel_memmove
#define memset  kernel_memset
#define memcmp  kernel_memcmp
#define memchr  kernel_memchr
#define strlen  kernel_strlen
#define strnlen kernel_strnlen
#define strcmp  kernel_strcmp
#define strncmp kernel_strncmp
#define strchr  kernel_strchr
#include "kernel/lib/string.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef memchr
#undef strlen
#undef strnlen
#undef strcmp
#undef strncmp
#undef strchr

#define ROOM 64

static void fill(uint8_t *bytes, uint8_t seed)
{
    for (size_t i = 0; i < ROOM; i++)
        bytes[i] = (uint8_t)(i * 7 + seed);
}

static void every_length_is_copied_and_set(void **state)
{
    uint8_t ours[ROOM], theirs[ROOM], from[ROOM];

    fill(from, 3);
    for (size_t at = 0; at < 9; at++) {
        for (size_t n = 0; n + at <= 40; n++) {
            fill(ours, 1);
            fill(theirs, 1);
            assert_ptr_equal(kernel_memcpy(ours + at, from + 1, n), ours + at);
            memcpy(theirs + at, from + 1, n);
            assert_memory_equal(ours, theirs, ROOM);
            assert_ptr_equal(kernel_memset(ours + at, 0x1a5, n), ours + at);
            memset(theirs + at, 0x1a5, n);
            assert_memory_equal(ours, theirs, ROOM);
        }
    }
}

static void every_overlap_is_moved_right(void **state)
{
    uint8_t ours[ROOM], theirs[ROOM];

    for (size_t from = 0; from < 24; from++) {
        for (size_t to = 0; to < 24; to++) {
            for (size_t n = 0; n < 40; n++) {
                fill(ours, 1);
                fill(theirs, 1);
                assert_ptr_equal(kernel_memmove(ours + to, ours + from, n), ours + to);
                memmove(theirs + to, theirs + from, n);
                assert_memory_equal(ours, theirs, ROOM);
            }
        }
    }
}

static int sign(int x)
{
    return (x > 0) - (x < 0);
}

static void comparisons_are_those_of_the_library(void **state)
{
    const char *const words[] = {"", "a", "ab", "abc", "abd", "b", "\xff", "ab\xff"};

    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        for (size_t j = 0; j < ARRAY_SIZE(words); j++) {
            const char *a = words[i];
            const char *b = words[j];
            size_t shorter = MIN(strlen(a), strlen(b)) + 1;

            assert_int_equal(sign(kernel_strcmp(a, b)), sign(strcmp(a, b)));
            assert_int_equal(sign(kernel_memcmp(a, b, shorter)), sign(memcmp(a, b, shorter)));
            for (size_t n = 0; n < 5; n++)
                assert_int_equal(sign(kernel_strncmp(a, b, n)), sign(strncmp(a, b, n)));
        }
    }
}

static void searches_are_those_of_the_library(void **state)
{
    const char *text = "path/to/x";

    for (int c = 0; c < 128; c++) {
        assert_ptr_equal(kernel_strchr(text, c), strchr(text, c));
        assert_ptr_equal(kernel_memchr(text, c, 5), memchr(text, c, 5));
    }
    assert_int_equal(kernel_strlen(text), 9);
    assert_int_equal(kernel_strnlen(text, 4), 4);
    assert_int_equal(kernel_strnlen(text, 40), 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_length_is_copied_and_set),
        cmocka_unit_test(every_overlap_is_moved_right),
        cmocka_unit_test(comparisons_are_those_of_the_library),
        cmocka_unit_test(searches_are_those_of_the_library),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
