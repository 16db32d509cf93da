/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The editor of page tables without kernel/table/map_fast.c: brute force, as test_page_table.c does
 * with it. The oracle asks the same of both, down to which leaves there are.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "kernel/table/internal.h"
#include "tests/unit/host_memory.h"
#include "tests/unit/pagetable_oracle.h"

#define STEPS_DEFAULT 10000

/* The stand-in: it never does anything. */
size_t table_store_runs(const struct phys_run *run, size_t count, uint64_t span, uint64_t wrong,
                        uint64_t bits, uint64_t *slot)
{
    return 0;
}

static uint64_t random_below(struct chooser *chooser, uint64_t bound)
{
    return host_random_below(&chooser->state, bound);
}

static void brute_force(const struct oracle_format *format)
{
    struct chooser chooser = {.below = random_below, .state = 20240611};
    const char *steps = getenv("BULKHEAD_STEPS");

    oracle_run(format, &chooser, steps ? strtoull(steps, NULL, 0) / 10 : STEPS_DEFAULT);
}

static void second_level_tables_need_no_quick_way(void **state)
{
    brute_force(&oracle_second_level);
}

static void tables_of_the_cpu_need_no_quick_way(void **state)
{
    brute_force(&oracle_cpu);
}

static void a_format_nobody_has_needs_no_quick_way(void **state)
{
    brute_force(&oracle_toy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(second_level_tables_need_no_quick_way),
        cmocka_unit_test(tables_of_the_cpu_need_no_quick_way),
        cmocka_unit_test(a_format_nobody_has_needs_no_quick_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
