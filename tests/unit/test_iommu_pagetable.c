/* SPDX-License-Identifier: BSD-2-Clause */
/* Second-level page tables: brute force, and the cases with a name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "kernel/iommu/pagetable.h"
#include "kernel/lib/error.h"
#include "kernel/mm/direct.h"
#include "tests/unit/host_memory.h"
#include "tests/unit/pagetable_oracle.h"
#include "tests/unit/vtd_memory.h"

#define STEPS_DEFAULT 100000

static uint64_t random_below(struct chooser *chooser, uint64_t bound)
{
    return host_random_below(&chooser->state, bound);
}

/* BULKHEAD_STEPS sets the number of steps, BULKHEAD_SEED the random numbers. */
static uint64_t from_environment(const char *name, uint64_t otherwise)
{
    const char *value = getenv(name);

    return value ? strtoull(value, NULL, 0) : otherwise;
}

static void brute_force(void **state)
{
    struct chooser chooser = {
        .below = random_below,
        .state = from_environment("BULKHEAD_SEED", 20240611),
    };

    oracle_run(&chooser, from_environment("BULKHEAD_STEPS", STEPS_DEFAULT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(brute_force),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
