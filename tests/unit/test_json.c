/* SPDX-License-Identifier: BSD-2-Clause */
/* The report's writer: commas, nesting, escapes, the extremes of numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include "kernel/lib/json.h"

static char seen[4096];
static size_t seen_length;

/* Layout is for people; the comparison leaves it out. */
static void keep(void *context, const char *text, size_t length)
{
    assert_ptr_equal(context, seen);
    for (size_t i = 0; i < length; i++) {
        if (text[i] != '\n' && text[i] != ' ')
            seen[seen_length++] = text[i];
    }
    seen[seen_length] = 0;
}

static int setup(void **state)
{
    seen_length = 0;
    seen[0] = 0;
    return 0;
}

static void commas_stand_between_values_at_every_depth(void **state)
{
    struct json j;

    json_init(&j, keep, seen);
    json_object(&j, NULL);
    json_uint(&j, "a", 1);
    json_array(&j, "b");
    json_int(&j, NULL, -2);
    json_object(&j, NULL);
    json_end_object(&j);
    json_object(&j, NULL);
    json_bool(&j, "c", true);
    json_bool(&j, "d", false);
    json_end_object(&j);
    json_array(&j, NULL);
    json_end_array(&j);
    json_end_array(&j);
    json_string(&j, "e", "f");
    json_end_object(&j);
    assert_string_equal(seen, "{\"a\":1,\"b\":[-2,{},{\"c\":true,\"d\":false},[]],\"e\":\"f\"}");
}

static void the_largest_numbers_are_written_whole(void **state)
{
    struct json j;

    json_init(&j, keep, seen);
    json_array(&j, NULL);
    json_uint(&j, NULL, UINT64_MAX);
    json_int(&j, NULL, INT64_MIN);
    json_hex(&j, NULL, UINT64_MAX);
    json_hex(&j, NULL, 0);
    json_end_array(&j);
    assert_string_equal(seen, "[18446744073709551615,-9223372036854775808,"
                              "\"0xffffffffffffffff\",\"0x0\"]");
}

static void every_odd_byte_is_escaped(void **state)
{
    struct json j;

    json_init(&j, keep, seen);
    json_array(&j, NULL);
    json_string(&j, NULL, "\"\\\n\x01\x7f\xc3");
    json_end_array(&j);
    assert_string_equal(seen, "[\"\\u0022\\u005c\\u000a\\u0001\\u007f\\u00c3\"]");
}

static void a_key_is_escaped_too(void **state)
{
    struct json j;

    json_init(&j, keep, seen);
    json_object(&j, NULL);
    json_string(&j, "a\"b", "");
    json_end_object(&j);
    assert_string_equal(seen, "{\"a\\u0022b\":\"\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(commas_stand_between_values_at_every_depth, setup),
        cmocka_unit_test_setup(the_largest_numbers_are_written_whole, setup),
        cmocka_unit_test_setup(every_odd_byte_is_escaped, setup),
        cmocka_unit_test_setup(a_key_is_escaped_too, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
