/* SPDX-License-Identifier: BSD-2-Clause */
/* Which IOVA is chosen: naturally aligned, and so that large leaves fit, as long as there is room.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "kernel/ioas/internal.h"
#include "kernel/lib/error.h"
#include "tests/unit/ioas_world.h"

#define ANYWHERE (IOAS_READ | IOAS_WRITE)

static struct ioas *space;

static int setup(void **state)
{
    world_create();
    space = world_space[0];
    return 0;
}

static int teardown(void **state)
{
    world_destroy();
    return 0;
}

static void allow(uint64_t first, uint64_t length)
{
    const struct ioas_range range = {first, first + (length - 1)};

    assert_int_equal(ioas_allow(space, &range, 1), 0);
}

/* The place for memory that begins at `base`, all of it in one piece. */
static uint64_t choose(uint64_t base, uint64_t length)
{
    uint64_t iova = UINT64_MAX;

    assert_int_equal(range_choose(space, length, (struct phys_run){base, length}, 0, &iova), 0);
    return iova;
}

/* The same offset in a block of 1 GiB as the memory; where that does not fit, of 2 MiB; or none. */
static void the_largest_leaves_that_fit(void **state)
{
    const uint64_t base = 8 * SIZE_1G + 6 * SIZE_2M, length = 2 * SIZE_1G + PAGE_SIZE;
    uint64_t iova;

    allow(64 * SIZE_1G, 8 * SIZE_1G);
    iova = choose(base, length);
    assert_int_equal(iova % SIZE_1G, base % SIZE_1G);
    allow(64 * SIZE_1G + 9 * SIZE_2M, length + SIZE_2M);
    iova = choose(base, length);
    assert_int_equal(iova, 64 * SIZE_1G + 9 * SIZE_2M);
    allow(64 * SIZE_1G + PAGE_SIZE, length);
    assert_int_equal(choose(base, length), 64 * SIZE_1G + PAGE_SIZE);
}

/* A request is aligned to its size, but the largest no further than a leaf is large. */
static void natural_alignment_ends_at_the_largest_leaf(void **state)
{
    allow(64 * SIZE_1G, 16 * SIZE_1G);
    assert_int_equal(choose(0, 8 * SIZE_1G) % (8 * SIZE_1G), 0);
    allow(65 * SIZE_1G, 9 * SIZE_1G);
    assert_int_equal(choose(0, 8 * SIZE_1G), 65 * SIZE_1G);
}

/* Up to the last byte of a space that no page table narrows, and back to its beginning. */
static void the_search_ends_at_the_last_byte(void **state)
{
    const struct ioas_source source = source_get();
    const uint64_t half = UINT64_C(1) << 63, quarter = UINT64_C(1) << 62;
    uint64_t iova = 0, small = 0;

    assert_int_equal(ioas_map(space, &source, SOURCE_BASE, half, ANYWHERE, &iova), 0);
    assert_int_equal(iova, half); /* not 0 */
    assert_int_equal(ioas_map(space, &source, SOURCE_BASE, half, ANYWHERE, &small), -ENOSPC);
    assert_int_equal(ioas_map(space, &source, SOURCE_BASE, quarter, ANYWHERE, &iova), 0);
    assert_int_equal(iova, quarter);
    assert_int_equal(ioas_map(space, &source, SOURCE_BASE, PAGE_SIZE, ANYWHERE, &small), 0);
    assert_in_range(small, PAGE_SIZE, quarter - PAGE_SIZE);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_largest_leaves_that_fit),
        TEST(natural_alignment_ends_at_the_largest_leaf),
        TEST(the_search_ends_at_the_last_byte),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
