/* SPDX-License-Identifier: BSD-2-Clause */
/* The verdict of a conformance program: it says so if it tried nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "kernel/lib/types.h"
#include "tests/qemu/payloads/conform.h"

static unsigned good_runs, cleaned;

static void good(void)
{
    good_runs++;
}

static void bad(void)
{
    CHECK_EQUAL(1, 2);
}

static void clean(void)
{
    cleaned++;
}

static const struct conform_case cases[] = {CASE(good), CASE(bad)};
static const struct conform_case one_table[] = {CASE(good), LAST_CASE};
static const struct conform_case other_table[] = {CASE(bad), LAST_CASE};
static const struct conform_case *const tables[] = {one_table, other_table};

/* The first `count` cases, or tables of them, as a command line with these names asks for them. */
static int verdict(bool in_tables, size_t count, const char *first, const char *second)
{
    char *argv[] = {"program", "device", (char *)first, (char *)second};
    int argc = second ? 4 : first ? 3 : 2;

    good_runs = cleaned = 0;
    return in_tables ? conform_run_tables(tables, count, clean, argc, argv)
                     : conform_run(cases, count, clean, argc, argv);
}

static void a_run_passes_if_what_ran_passed(void **state)
{
    for (int in_tables = 0; in_tables < 2; in_tables++) {
        assert_int_equal(verdict(in_tables, 1, NULL, NULL), 0);
        assert_int_equal(good_runs, 1);
        assert_int_equal(verdict(in_tables, 2, "good", NULL), 0);
        assert_int_equal(verdict(in_tables, 2, "good", "good"), 0);
        assert_int_equal(good_runs, 1);
        assert_int_equal(cleaned, 1);
    }
}

static void a_run_fails_with_any_of_its_cases(void **state)
{
    for (int in_tables = 0; in_tables < 2; in_tables++) {
        assert_int_equal(verdict(in_tables, 2, NULL, NULL), 1);
        assert_int_equal(cleaned, 2);
        assert_int_equal(verdict(in_tables, 2, "bad", NULL), 1);
        assert_int_equal(verdict(in_tables, 2, "bad", "good"), 1);
    }
}

static void a_run_of_nothing_fails(void **state)
{
    for (int in_tables = 0; in_tables < 2; in_tables++) {
        assert_int_equal(verdict(in_tables, 0, NULL, NULL), 1);
        assert_int_equal(verdict(in_tables, 2, "goods", NULL), 1);
        assert_int_equal(verdict(in_tables, 2, "good", "goods"), 1);
        assert_int_equal(good_runs, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_passes_if_what_ran_passed),
        cmocka_unit_test(a_run_fails_with_any_of_its_cases),
        cmocka_unit_test(a_run_of_nothing_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
