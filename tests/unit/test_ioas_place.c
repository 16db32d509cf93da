/* SPDX-License-Identifier: BSD-2-Clause */
/* Where memory goes that may go anywhere: large leaves fit, and small memory wastes no addresses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "kernel/lib/error.h"
#include "tests/unit/ioas_world.h"

#define BEFORE 3u                      /* single pages */
#define FIRST  (SOURCE_ASKEW - BEFORE) /* in front of a block */

static struct ioas *space;

static int setup(void **state)
{
    world_create();
    space = world_space[0];
    for (unsigned i = 0; i < BEFORE; i++)
        source_replace(FIRST + i, false);
    return world_attach(0, 0);
}

static int teardown(void **state)
{
    world_destroy();
    return 0;
}

/* Source pages, anywhere: their IOVA. */
static uint64_t place(unsigned page, unsigned count)
{
    const struct ioas_source source = source_get();
    uint64_t iova = 0;

    assert_int_equal(ioas_map(space, &source, source_address(page), count * PAGE_SIZE,
                              IOAS_READ | IOAS_WRITE, &iova),
                     0);
    return iova;
}

static uint64_t leaf_at(uint64_t iova, paddr_t physical)
{
    struct iommu_translation t;

    assert_true(iommu_translate(world_table[0], iova, &t));
    assert_int_equal(t.physical & ~(t.leaf_size - 1), physical & ~(t.leaf_size - 1));
    return t.leaf_size;
}

static void unmap_all(void)
{
    uint64_t unmapped;

    assert_int_equal(ioas_unmap_all(space, &unmapped), 0);
}

/* The block is one leaf wherever in the request it begins. */
static void a_block_behind_single_pages_is_one_leaf(void **state)
{
    for (unsigned before = 0; before <= BEFORE; before++) {
        uint64_t iova = place(SOURCE_ASKEW - before, before + 512);

        assert_int_equal((iova + before * PAGE_SIZE) % SIZE_2M, 0);
        assert_int_equal(leaf_at(iova + before * PAGE_SIZE, source_frame[SOURCE_ASKEW]), SIZE_2M);
        for (unsigned i = 0; i < before; i++)
            assert_int_equal(leaf_at(iova + i * PAGE_SIZE, source_frame[SOURCE_ASKEW - before + i]),
                             PAGE_SIZE);
    }
}

/* The longest piece decides, not the first or the last. */
static void a_block_between_single_pages_is_one_leaf(void **state)
{
    uint64_t iova;

    source_replace(SOURCE_ASKEW + 512, false);
    source_replace(SOURCE_ASKEW + 513, false);
    iova = place(FIRST, BEFORE + 512 + 2); /* an odd length: any page will do */
    assert_int_equal(leaf_at(iova + BEFORE * PAGE_SIZE, source_frame[SOURCE_ASKEW]), SIZE_2M);
    assert_int_equal(leaf_at(iova + (BEFORE + 513) * PAGE_SIZE, source_frame[SOURCE_ASKEW + 513]),
                     PAGE_SIZE);
}

/* A copy of a part is placed by where the block lies in the part. */
static void a_block_in_a_copy_of_a_part_is_one_leaf(void **state)
{
    uint64_t from = place(FIRST, BEFORE + 512), iova;

    for (unsigned skip = 0; skip <= BEFORE; skip++) {
        assert_int_equal(ioas_copy(space, space, from + skip * PAGE_SIZE,
                                   (BEFORE - skip + 512) * PAGE_SIZE, IOAS_READ, &iova),
                         0);
        assert_int_equal(leaf_at(iova + (BEFORE - skip) * PAGE_SIZE, source_frame[SOURCE_ASKEW]),
                         SIZE_2M);
    }
}

/* Memory without a whole block is aligned to its own size, and no further: it fills what is free.
 */
static void small_memory_lies_side_by_side(void **state)
{
    uint64_t iova = place(SOURCE_SCATTERED, 1);

    for (unsigned i = 1; i < 40; i++)
        assert_int_equal(place(SOURCE_SCATTERED + i, 1), iova + i * PAGE_SIZE);
    unmap_all();
    iova = place(SOURCE_BLOCK, 3);
    assert_int_equal(place(SOURCE_BLOCK + 4, 3), iova + 3 * PAGE_SIZE);
    assert_int_equal(place(SOURCE_BLOCK + 9, 501), iova + 6 * PAGE_SIZE);
}

/* One page less than a block, and a block's worth that is not one: they have no large leaf. */
static void memory_without_a_whole_block_goes_next_to_the_last(void **state)
{
    uint64_t iova = place(SOURCE_SCATTERED, 1);

    assert_int_equal(place(SOURCE_BLOCK, 511), iova + PAGE_SIZE);
    assert_int_equal(place(SOURCE_BLOCK + 1, 511), iova + 512 * PAGE_SIZE);
    assert_int_equal(place(SOURCE_ASKEW + 1, 511), iova + 1023 * PAGE_SIZE);
}

/* Where only unaligned room is left, memory is mapped in small leaves rather than not at all. */
static void a_block_takes_what_room_there_is(void **state)
{
    const struct ioas_range odd = {SIZE_1G + PAGE_SIZE, SIZE_1G + (BEFORE + 513) * PAGE_SIZE - 1};
    uint64_t iova;

    assert_int_equal(ioas_allow(space, &odd, 1), 0);
    iova = place(FIRST, BEFORE + 512);
    assert_int_equal(iova, odd.first);
    assert_int_equal(leaf_at(iova + BEFORE * PAGE_SIZE, source_frame[SOURCE_ASKEW]), PAGE_SIZE);
    assert_int_equal(world_map(0, SOURCE_SCATTERED, 1, WORLD_ANYWHERE), -ENOSPC);
    unmap_all();
    /* One page short. */
    assert_int_equal(ioas_allow(space, &(struct ioas_range){odd.first, odd.last - PAGE_SIZE}, 1),
                     0);
    assert_int_equal(world_map(0, FIRST, BEFORE + 512, WORLD_ANYWHERE), -ENOSPC);
}

/* The first page is never chosen, the last one before a range that may not be used is. */
static void first_and_last_of_the_room(void **state)
{
    struct ioas_range range;

    assert_int_equal(place(SOURCE_SCATTERED, 1), PAGE_SIZE);
    assert_int_equal(ioas_reserve(space, &space, 4 * PAGE_SIZE, UINT64_C(0xfedfffff)), 0);
    assert_true(ioas_usable(space, 0, &range));
    assert_int_equal(range.last, 4 * PAGE_SIZE - 1);
    assert_int_equal(place(SOURCE_SCATTERED, 1), 2 * PAGE_SIZE);
    assert_int_equal(place(SOURCE_SCATTERED, 1), 3 * PAGE_SIZE);
    assert_int_equal(place(SOURCE_SCATTERED, 1), UINT64_C(0xfef00000)); /* behind the interrupts */
    ioas_unreserve(space, &space);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_block_behind_single_pages_is_one_leaf),
        TEST(a_block_between_single_pages_is_one_leaf),
        TEST(a_block_in_a_copy_of_a_part_is_one_leaf),
        TEST(small_memory_lies_side_by_side),
        TEST(memory_without_a_whole_block_goes_next_to_the_last),
        TEST(a_block_takes_what_room_there_is),
        TEST(first_and_last_of_the_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
