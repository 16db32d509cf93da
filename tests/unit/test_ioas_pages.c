/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory behind areas: pinned once, whole, and through every batch and cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "kernel/lib/error.h"
#include "kernel/mm/frames/frames.h"
#include "tests/unit/host_memory.h"
#include "tests/unit/ioas_snapshot.h"
#include "tests/unit/ioas_world.h"

#define IOVA (4 * GIB)

static int setup(void **state)
{
    world_create();
    return 0;
}

static int teardown(void **state)
{
    world_destroy();
    return 0;
}

static void assert_pinned(uint64_t pages)
{
    struct frames_stats stats;

    frames_stats(&stats);
    assert_int_equal(stats.pins, pages); /* scattered: one pin for each */
    assert_int_equal(world_account.used, pages * PAGE_SIZE);
}

static void unmap(int space, uint64_t first, uint64_t pages)
{
    uint64_t unmapped;

    assert_int_equal(ioas_unmap(world_space[space], IOVA + first * PAGE_SIZE,
                                IOVA + (first + pages) * PAGE_SIZE - 1, &unmapped),
                     0);
    assert_int_equal(unmapped, pages * PAGE_SIZE);
}

static void copy(int to, int from, uint64_t first, uint64_t pages)
{
    uint64_t iova = IOVA + first * PAGE_SIZE;

    assert_int_equal(ioas_copy(world_space[to], world_space[from], iova, pages * PAGE_SIZE,
                               IOAS_READ | IOAS_FIXED, &iova),
                     0);
}

/* Pages [first, first + count) of what was mapped from `page` on are where they belong. */
static void assert_mapped(int table, unsigned page, uint64_t first, uint64_t count)
{
    for (uint64_t i = first; i < first + count; i++) {
        struct iommu_translation t;

        assert_true(iommu_translate(world_table[table], IOVA + i * PAGE_SIZE, &t));
        assert_int_equal(t.physical, source_frame[page + i]);
    }
}

static void assert_not_mapped(int table, uint64_t page)
{
    struct iommu_translation t;

    assert_false(iommu_translate(world_table[table], IOVA + page * PAGE_SIZE, &t));
}

/* Whoever comes and goes among those that share memory: it is pinned once, and not given up. */
static void pitfall_38_shared_memory_is_unpinned_once_and_last(void **state)
{
    assert_int_equal(world_map(0, SOURCE_SCATTERED, 8, IOVA), 0);
    assert_pinned(0);
    assert_int_equal(world_attach(0, 0), 0);
    assert_pinned(8);
    copy(1, 0, 2, 3);
    assert_pinned(8);
    assert_int_equal(world_attach(1, 2), 0);
    assert_int_equal(world_attach(0, 1), 0);
    assert_pinned(8);
    ioas_detach(world_space[0], world_table[0]);
    ioas_detach(world_space[0], world_table[1]);
    assert_pinned(8); /* for the copy */
    assert_mapped(2, SOURCE_SCATTERED, 2, 3);
    assert_int_equal(world_attach(0, 0), 0);
    unmap(0, 0, 8);
    assert_pinned(8);
    assert_mapped(2, SOURCE_SCATTERED, 2, 3);
    ioas_detach(world_space[1], world_table[2]);
    assert_pinned(0);
    assert_int_equal(world_attach(1, 0), 0);
    assert_mapped(0, SOURCE_SCATTERED, 2, 3);
    unmap(1, 2, 3);
    assert_pinned(0);
}

/* Cuts the block into runs of one to three pages, in random order. */
static void shuffle_block(void)
{
    static paddr_t shuffled[512];
    uint64_t rng = 5;
    unsigned at = 0;

    for (unsigned left = 512; left > 0;) {
        unsigned run = MIN(1 + (unsigned)host_random_below(&rng, 3), left);
        unsigned from = (unsigned)host_random_below(&rng, left - run + 1);

        for (unsigned i = 0; i < run; i++)
            shuffled[at++] = source_frame[SOURCE_ASKEW + from + i];
        for (unsigned i = from; i + run < left; i++)
            source_frame[SOURCE_ASKEW + i] = source_frame[SOURCE_ASKEW + i + run];
        left -= run;
    }
    for (unsigned i = 0; i < 512; i++)
        source_frame[SOURCE_ASKEW + i] = shuffled[i];
}

/*
 * Runs are kept in pieces of six here, and come in batches of one to seven: memory of every length,
 * so that a batch ends at every place within and between runs and pieces. A copy of a part begins
 * to be read at any of them.
 */
static void pitfall_38_batches_lose_nothing_where_they_meet(void **state)
{
    shuffle_block();
    assert_int_equal(world_attach(0, 0), 0);
    assert_int_equal(world_attach(1, 2), 0);
    for (unsigned count = 1; count <= 100; count++) {
        unsigned page = SOURCE_ASKEW + count % 5, first = count / 3;

        source_room = 1 + count % 7;
        assert_int_equal(world_map(0, page, count, IOVA), 0);
        assert_mapped(0, page, 0, count);
        assert_not_mapped(0, count);
        assert_int_equal(world_account.used, count * PAGE_SIZE);
        copy(1, 0, first, count - first);
        assert_mapped(2, page, first, count - first);
        unmap(0, 0, count);
        unmap(1, first, count - first);
        assert_pinned(0);
    }
}

/* Cut while a page table is attached, both parts are found by whoever looks for them. */
static void pitfall_38_both_parts_of_a_cut_area_are_known(void **state)
{
    struct ioas_range area;

    assert_int_equal(ioas_set_small_leaves(world_space[0], true), 0);
    assert_int_equal(world_attach(0, 0), 0);
    assert_int_equal(world_map(0, SOURCE_SCATTERED, 9, IOVA), 0);
    assert_int_equal(ioas_cut(world_space[0], IOVA + 3 * PAGE_SIZE, IOVA + 6 * PAGE_SIZE - 1), 0);
    for (unsigned i = 0; i < 9; i++) {
        uint64_t at = IOVA + i * PAGE_SIZE;

        assert_true(ioas_find(world_space[0], at, at, &area));
        assert_int_equal(area.first, IOVA + i / 3 * 3 * PAGE_SIZE);
        assert_int_equal(area.last, IOVA + (i / 3 + 1) * 3 * PAGE_SIZE - 1);
    }
    assert_pinned(9);
    assert_int_equal(world_attach(0, 1), 0); /* fills from the areas */
    assert_mapped(1, SOURCE_SCATTERED, 0, 9);
    copy(1, 0, 2, 5); /* over both cuts */
    assert_int_equal(world_attach(1, 2), 0);
    assert_mapped(2, SOURCE_SCATTERED, 2, 5);
    unmap(0, 3, 3);
    assert_not_mapped(0, 4);
    assert_not_mapped(1, 4);
    assert_mapped(0, SOURCE_SCATTERED, 0, 3);
    assert_mapped(1, SOURCE_SCATTERED, 6, 3);
    assert_mapped(2, SOURCE_SCATTERED, 2, 5);
    ioas_detach(world_space[0], world_table[0]);
    assert_not_mapped(0, 0);
    assert_not_mapped(0, 8);
    unmap(0, 0, 3);
    unmap(0, 6, 3);
    assert_pinned(9);
    unmap(1, 2, 5);
    assert_pinned(0);
}

/* ---- device memory between other memory ---- */

#define MIXED 48u /* pages, of which every third has a frame */

static int64_t map_mixed(void)
{
    return world_map(0, SOURCE_DEVICE_PAGE, MIXED, IOVA);
}

static void mix(void)
{
    for (unsigned i = 2; i < MIXED; i += 3)
        source_replace(SOURCE_DEVICE_PAGE + i, false);
}

/* Frames are pinned and charged, device memory is not, whatever fails on the way. */
static void mixed_memory_fails_at_every_step(void **state)
{
    mix();
    assert_int_equal(world_attach(0, 0), 0);
    for (source_room = 1; source_room <= 4; source_room++) {
        assert_true(every_step_fails("map mixed memory", map_mixed, world_snapshot) > MIXED / 3);
        assert_mapped(0, SOURCE_DEVICE_PAGE, 0, MIXED);
        assert_pinned(MIXED / 3);
        unmap(0, 0, MIXED);
        assert_pinned(0);
    }
}

static void mixed_memory_is_no_plain_memory(void **state)
{
    struct ioas_source source = source_get();
    uint64_t iova = IOVA;

    mix();
    assert_int_equal(world_attach(0, 0), 0);
    /* The first pages are frames, so that the device comes later. */
    assert_int_equal(ioas_map(world_space[0], &source, source_address(SOURCE_DEVICE_PAGE + 2),
                              4 * PAGE_SIZE, IOAS_READ | IOAS_FIXED | IOAS_RAM_ONLY, &iova),
                     -EFAULT);
    assert_pinned(0);
}

static int never(void *context, uint64_t offset, uint64_t length, bool write, struct phys_run *out,
                 size_t room, struct memobj **device)
{
    fail_msg("looked for memory that the account does not allow");
    return -EFAULT;
}

/* Looking for memory may make it, so the limit is asked first, of what can only be plain memory. */
static void nothing_is_made_that_the_account_does_not_allow(void **state)
{
    struct ioas_source real = source_get();
    const struct ioas_source_ops ops = {.runs = never, .get = real.ops->get, .put = real.ops->put};
    const struct ioas_source source = {&ops, real.context};
    uint64_t iova = IOVA;

    world_account.limit = 3 * PAGE_SIZE;
    assert_int_equal(world_attach(0, 0), 0);
    assert_int_equal(ioas_map(world_space[0], &source, SOURCE_BASE, 4 * PAGE_SIZE,
                              IOAS_READ | IOAS_FIXED | IOAS_RAM_ONLY, &iova),
                     -ENOMEM);
    assert_int_equal(ioas_map(world_space[0], &real, SOURCE_BASE, 3 * PAGE_SIZE,
                              IOAS_READ | IOAS_FIXED | IOAS_RAM_ONLY, &iova),
                     0);
}

/* What is asked for and true already changes nothing, so nothing is in its way. */
static void the_leaves_of_a_filled_space_stay_as_they_are(void **state)
{
    for (int small = 0; small < 2; small++) {
        struct ioas *space = world_space[small];

        assert_int_equal(ioas_set_small_leaves(space, small), 0);
        assert_int_equal(world_attach(small, small), 0);
        assert_int_equal(world_map(small, SOURCE_SCATTERED, 2, IOVA), 0);
        assert_int_equal(ioas_set_small_leaves(space, small), 0);
        assert_int_equal(ioas_small_leaves(space), small);
    }
    assert_int_equal(ioas_set_small_leaves(world_space[0], true), -EINVAL);
    assert_int_equal(ioas_set_small_leaves(world_space[1], false), 0);
}

/* The whole area goes while the device is closed, and keeps its pins. */
static void a_revocation_takes_the_frames_between_along(void **state)
{
    mix();
    assert_int_equal(world_attach(0, 0), 0);
    assert_int_equal(map_mixed(), 0);
    mutex_unlock(&world_lock);
    memobj_revoke(&source_device);
    assert_int_equal(mutex_lock(&world_lock, "test"), 0);
    for (unsigned i = 0; i < MIXED; i++)
        assert_not_mapped(0, i);
    assert_pinned(MIXED / 3);
    memobj_restore(&source_device);
    unmap(0, 0, MIXED);
    assert_pinned(0);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(pitfall_38_shared_memory_is_unpinned_once_and_last),
        TEST(pitfall_38_batches_lose_nothing_where_they_meet),
        TEST(pitfall_38_both_parts_of_a_cut_area_are_known),
        TEST(mixed_memory_fails_at_every_step),
        TEST(mixed_memory_is_no_plain_memory),
        TEST(nothing_is_made_that_the_account_does_not_allow),
        TEST(the_leaves_of_a_filled_space_stay_as_they_are),
        TEST(a_revocation_takes_the_frames_between_along),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
