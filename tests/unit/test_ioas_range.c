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

/* Bytes anywhere: their IOVA, or an error. */
static int64_t place(uint64_t length)
{
    const struct ioas_source source = source_get();
    uint64_t iova = UINT64_MAX;
    int error = ioas_map(space, &source, SOURCE_BASE, length, ANYWHERE, &iova);

    if (error)
        assert_int_equal(iova, UINT64_MAX); /* as it was */
    return error ? error : (int64_t)iova;
}

/* Before there is a page table addresses are bytes: a gap takes what has its size, and no more. */
static void a_gap_is_filled_to_the_last_byte(void **state)
{
    const struct ioas_source source = source_get();
    const int64_t at = 64 * GIB;
    uint64_t last = (uint64_t)at + 9, middle = (uint64_t)at + 5;

    allow((uint64_t)at, 10);
    assert_int_equal(ioas_map(space, &source, SOURCE_BASE, 1, ANYWHERE | IOAS_FIXED, &last), 0);
    assert_int_equal(place(10), -ENOSPC);
    assert_int_equal(ioas_map(space, &source, SOURCE_BASE, 1, ANYWHERE | IOAS_FIXED, &middle), 0);
    assert_int_equal(place(6), -ENOSPC);
    assert_int_equal(place(4), at);
    assert_int_equal(place(4), -ENOSPC);
    assert_int_equal(place(3), at + 6);
    assert_int_equal(place(1), at + 4);
    assert_int_equal(place(1), -ENOSPC);
}

/* A promise covers its first and its last byte, of every range. */
static void what_is_allowed_cannot_be_reserved(void **state)
{
    static const struct ioas_range ranges[] = {{8 * GIB, 9 * GIB - 1}, {2 * GIB, 3 * GIB - 1}};
    const void *owner = &space;

    assert_int_equal(ioas_allow(space, ranges, ARRAY_SIZE(ranges)), 0);
    for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
        const uint64_t first = ranges[i].first, last = ranges[i].last;

        assert_int_equal(ioas_reserve(space, owner, first - GIB, first), -EADDRINUSE);
        assert_int_equal(ioas_reserve(space, owner, last, last + GIB), -EADDRINUSE);
        assert_int_equal(ioas_reserve(space, owner, first + 1, last - 1), -EADDRINUSE);
        assert_int_equal(ioas_reserve(space, owner, first - GIB, first - 1), 0);
        assert_int_equal(ioas_reserve(space, owner, last + 1, last + GIB), 0);
    }
    ioas_unreserve(space, owner);
}

static int map_bytes(uint64_t iova, uint64_t length)
{
    const struct ioas_source source = source_get();

    return ioas_map(space, &source, SOURCE_BASE, length, ANYWHERE | IOAS_FIXED, &iova);
}

/* From the first byte behind what is reserved to the last one before it, and nothing else. */
static void what_is_usable_ends_where_the_reserved_begins(void **state)
{
    const void *owner = &space;

    assert_int_equal(ioas_reserve(space, owner, 0, 7), 0);
    assert_int_equal(ioas_reserve(space, owner, 16, 23), 0);
    for (uint64_t at = 0; at < 8; at++)
        assert_int_equal(map_bytes(at, 1), -EINVAL);
    assert_int_equal(map_bytes(7, 9), -EINVAL);
    assert_int_equal(map_bytes(8, 9), -EINVAL);
    assert_int_equal(map_bytes(8, 8), 0);
    assert_int_equal(map_bytes(23, 8), -EINVAL);
    assert_int_equal(map_bytes(24, 8), 0);
    ioas_unreserve(space, owner);
    assert_int_equal(map_bytes(16, 8), 0);
    assert_int_equal(map_bytes(1, 1), 0);
}

/* A range may end with the last byte of the address space, of IOVAs and of the source, not behind.
 */
static void nothing_goes_round_the_end(void **state)
{
    const struct ioas_source source = source_get();
    const uint64_t end = UINT64_MAX - 7; /* room for eight bytes */
    uint64_t iova = end, to = GIB;

    assert_int_equal(map_bytes(end, 9), -EOVERFLOW);
    assert_int_equal(map_bytes(end, 8), 0);
    assert_int_equal(ioas_map(space, &source, end, 9, ANYWHERE, &to), -EOVERFLOW);
    assert_int_equal(ioas_copy(space, space, end, 9, ANYWHERE, &to), -EOVERFLOW);
    assert_int_equal(map_bytes(GIB, 9), 0);
    assert_int_equal(ioas_unmap(space, end, UINT64_MAX, &to), 0);
    assert_int_equal(ioas_copy(space, space, GIB, 9, ANYWHERE | IOAS_FIXED, &iova), -EOVERFLOW);
    iova++;
    assert_int_equal(ioas_copy(space, space, GIB, 7, ANYWHERE | IOAS_FIXED, &iova), 0);
}

/* A range that ends in a hole takes what begins in it, and nothing behind it. */
static void what_lies_behind_a_range_stays(void **state)
{
    uint64_t unmapped;

    for (unsigned attached = 0; attached < 2; attached++) {
        if (attached)
            assert_int_equal(world_attach(0, 0), 0);
        assert_int_equal(world_map(0, SOURCE_SCATTERED, 1, GIB), 0);
        assert_int_equal(world_map(0, SOURCE_SCATTERED + 1, 1, GIB + 3 * PAGE_SIZE), 0);
        assert_int_equal(ioas_unmap(space, GIB, GIB + 3 * PAGE_SIZE - 1, &unmapped), 0);
        assert_int_equal(unmapped, PAGE_SIZE);
        assert_int_equal(ioas_area_count(space), 1);
        assert_int_equal(ioas_unmap(space, GIB, GIB + 3 * PAGE_SIZE - 1, &unmapped), -ENOENT);
        assert_int_equal(ioas_unmap_all(space, &unmapped), 0);
        assert_int_equal(unmapped, PAGE_SIZE);
    }
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_largest_leaves_that_fit),
        TEST(natural_alignment_ends_at_the_largest_leaf),
        TEST(the_search_ends_at_the_last_byte),
        TEST(a_gap_is_filled_to_the_last_byte),
        TEST(what_is_allowed_cannot_be_reserved),
        TEST(what_is_usable_ends_where_the_reserved_begins),
        TEST(nothing_goes_round_the_end),
        TEST(what_lies_behind_a_range_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
