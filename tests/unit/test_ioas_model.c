/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random operations on IO address spaces against a simple reference. BULKHEAD_STEPS sets how many
 * (100,000), BULKHEAD_SEED another beginning.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "tests/unit/ioas_operations.h"

#define STEPS_PER_RUN 5000

static uint64_t setting(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text ? strtoull(text, NULL, 0) : otherwise;
}

static void agrees_with_the_reference(void **state)
{
    uint64_t steps = setting("BULKHEAD_STEPS", 100000);
    uint64_t seed = setting("BULKHEAD_SEED", 1);

    for (uint64_t done = 0; done < steps; done += STEPS_PER_RUN, seed++) {
        struct model_input input = {.seed = seed, .rng = seed * UINT64_C(0x9e3779b97f4a7c15) | 1};

        ioas_model_run(&input, MIN(STEPS_PER_RUN, steps - done));
    }
    for (size_t i = 0; i < OPERATIONS; i++)
        print_message("%-10s %8llu done %8llu refused %8llu failed by injection\n",
                      model_operations[i].name, (unsigned long long)model_counts[i].passed,
                      (unsigned long long)model_counts[i].refused,
                      (unsigned long long)model_counts[i].injected);
    print_message("%llu steps with page tables, %llu large leaves kept\n",
                  (unsigned long long)model_populated, (unsigned long long)model_large);
    /* The test tests: most of the time something is attached, and every kind of step happens. */
    if (steps >= 100000) {
        assert_true(model_populated > steps / 3 && model_large > 0);
        for (size_t i = 0; i < OPERATIONS; i++)
            assert_true(model_counts[i].passed > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(agrees_with_the_reference)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
