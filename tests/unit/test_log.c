/* SPDX-License-Identifier: BSD-2-Clause */
/* The log: levels, whole lines, the payload's open line, and the limiter. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include "kernel/lib/log.h"

static char seen[4096];
static size_t seen_length;
static uint64_t now;

static void keep(const char *text, size_t length)
{
    assert_true(seen_length + length < sizeof(seen));
    memcpy(seen + seen_length, text, length);
    seen_length += length;
    seen[seen_length] = 0;
}

static uint64_t read_now(void)
{
    return now;
}

static int setup(void **state)
{
    static struct log_sink sink = {.write = keep};
    static bool added;

    if (!added)
        log_add_sink(&sink);
    added = true;
    log_set_level(LOG_INFO);
    log_set_clock(NULL);
    log_raw("\n", 1);
    seen_length = 0;
    seen[0] = 0;
    return 0;
}

static void a_line_has_time_and_level(void **state)
{
    now = 12003456789;
    log_set_clock(read_now);
    log_warn("x = %d", 7);
    assert_string_equal(seen, "[   12.003456] warn  x = 7\n");
}

static void a_newline_is_not_doubled(void **state)
{
    log_info("done\n");
    assert_string_equal(seen, "[    0.000000] info  done\n");
}

static void each_line_of_a_text_is_a_line(void **state)
{
    log_lines(LOG_INFO, "file", "a = 1\n\nb", 8);
    assert_string_equal(seen, "[    0.000000] info  file: a = 1\n[    0.000000] info  file: b\n");
}

static void only_levels_that_count_are_written(void **state)
{
    log_debug("no");
    assert_string_equal(seen, "");
    log_set_level(LOG_ERROR);
    log_warn("no");
    log_info("no");
    assert_string_equal(seen, "");
    log_error("yes");
    assert_string_equal(seen, "[    0.000000] error yes\n");
}

static void a_long_line_is_cut_and_ended(void **state)
{
    char text[1000];

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = 0;
    log_info("%s", text);
    assert_int_equal(seen_length, 512);
    assert_int_equal(seen[510], 'x');
    assert_int_equal(seen[511], '\n');
}

static void a_line_starts_at_the_start_of_a_line(void **state)
{
    log_raw("half", 4);
    log_info("event");
    log_raw(" line\n", 6);
    log_info("next");
    assert_string_equal(seen,
                        "half\n[    0.000000] info  event\n line\n[    0.000000] info  next\n");
}

static void raw_bytes_are_not_changed(void **state)
{
    log_raw("a", 1);
    log_raw("b", 1);
    log_raw("", 0);
    log_raw("c\n", 2);
    assert_string_equal(seen, "abc\n");
}

static void a_limit_counts_what_it_drops(void **state)
{
    struct log_limit limit = {.window_ns = 1000, .burst = 2};

    log_set_clock(read_now);
    now = 5000;
    assert_true(log_admit(&limit));
    assert_true(log_admit(&limit));
    assert_false(log_admit(&limit));
    now = 5999;
    assert_false(log_admit(&limit));
    assert_int_equal(limit.suppressed, 2);
    now = 6000;
    assert_true(log_admit(&limit));
    assert_true(log_admit(&limit));
    assert_false(log_admit(&limit));
    assert_int_equal(limit.suppressed, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_line_has_time_and_level, setup),
        cmocka_unit_test_setup(a_newline_is_not_doubled, setup),
        cmocka_unit_test_setup(each_line_of_a_text_is_a_line, setup),
        cmocka_unit_test_setup(only_levels_that_count_are_written, setup),
        cmocka_unit_test_setup(a_long_line_is_cut_and_ended, setup),
        cmocka_unit_test_setup(a_line_starts_at_the_start_of_a_line, setup),
        cmocka_unit_test_setup(raw_bytes_are_not_changed, setup),
        cmocka_unit_test_setup(a_limit_counts_what_it_drops, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
