/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A unit that does not confirm an invalidation may translate as before. What it may reach stays
 * pinned and charged for ever, is never handed out again, and the failure is told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "kernel/lib/error.h"
#include "kernel/lib/log.h"
#include "kernel/mm/frames/frames.h"
#include "tests/unit/ioas_world.h"

#define IOVA  (4 * GIB)
#define COUNT 20u
#define BYTES (COUNT * PAGE_SIZE)
#define STRAY 16385u /* more frames than there are */

static struct phys_run held[COUNT]; /* what is mapped in every test */
static char said[4096];
static size_t said_length;

static void listen(const char *text, size_t length)
{
    length = MIN(length, sizeof(said) - 1 - said_length);
    memcpy(said + said_length, text, length);
    said_length += length;
    said[said_length] = '\0';
}

static struct log_sink sink = {.write = listen};

static int setup(void **state)
{
    world_create();
    for (unsigned i = 0; i < COUNT; i++)
        held[i] = (struct phys_run){source_frame[SOURCE_SCATTERED + i], PAGE_SIZE};
    said_length = 0;
    said[0] = '\0';
    return 0;
}

static uint64_t pins(void)
{
    struct frames_stats stats;

    frames_stats(&stats);
    return stats.pins;
}

static void assert_told(void)
{
    assert_non_null(strstr(said, "the memory stays pinned for ever"));
}

static bool is_held(paddr_t frame)
{
    for (unsigned i = 0; i < COUNT; i++)
        if (held[i].base == frame)
            return true;
    return false;
}

/* The payload gives the memory back, and everything that can be had is taken: it is not there. */
static void assert_never_handed_out(void)
{
    static paddr_t taken[STRAY];
    size_t count = 0;

    for (unsigned i = 0; i < COUNT; i++)
        source_replace(SOURCE_SCATTERED + i, true);
    while ((taken[count] = frames_alloc(ORDER_4K, 0)) != PADDR_NONE) {
        assert_false(is_held(taken[count]));
        count++;
    }
    assert_true(count > 1000);
    while (count-- > 0)
        frames_release(taken[count], PAGE_SIZE);
}

/* Pinned once and charged, after everything: out of reach. Then the world can end. */
static int teardown(void **state)
{
    uint64_t unmapped;

    for (int i = 0; i < 2; i++)
        ioas_unmap_all(world_space[i], &unmapped);
    assert_int_equal(pins(), COUNT);
    assert_int_equal(world_account.used, BYTES);
    assert_told();
    assert_never_handed_out();
    frames_unpin_runs(held, COUNT);
    world_account.used = 0;
    world_destroy();
    return 0;
}

static int map(void)
{
    return world_map(0, SOURCE_SCATTERED, COUNT, IOVA);
}

static int unmap(int space)
{
    uint64_t unmapped;
    int error = ioas_unmap(world_space[space], IOVA, IOVA + BYTES - 1, &unmapped);

    assert_int_equal(unmapped, BYTES);
    return error;
}

static int copy(void)
{
    uint64_t iova = IOVA;

    return ioas_copy(world_space[1], world_space[0], IOVA, BYTES, IOAS_READ | IOAS_FIXED, &iova);
}

/* ---- the tests ---- */

static void unmap_is_not_confirmed(void **state)
{
    struct ioas_range area;

    assert_int_equal(world_attach(0, 0), 0);
    assert_int_equal(map(), 0);
    ioas_iommu_kill(0);
    assert_int_equal(unmap(0), -EIO);
    assert_false(ioas_find(world_space[0], 0, UINT64_MAX, &area));
}

static void one_of_two_tables_is_enough(void **state)
{
    assert_int_equal(world_attach(0, 0), 0);
    assert_int_equal(world_attach(0, 1), 0);
    assert_int_equal(map(), 0);
    ioas_iommu_kill(0);
    assert_int_equal(unmap(0), -EIO);
}

static void a_copy_that_goes_first_takes_nothing_along(void **state)
{
    assert_int_equal(world_attach(0, 0), 0);
    assert_int_equal(world_attach(1, 2), 0);
    assert_int_equal(map(), 0);
    assert_int_equal(copy(), 0);
    ioas_iommu_kill(0);
    assert_int_equal(unmap(1), 0);
    assert_int_equal(unmap(0), -EIO);
}

static void a_copy_that_goes_last_takes_nothing_along(void **state)
{
    assert_int_equal(world_attach(0, 0), 0);
    assert_int_equal(world_attach(1, 2), 0);
    assert_int_equal(map(), 0);
    assert_int_equal(copy(), 0);
    ioas_iommu_kill(0);
    assert_int_equal(unmap(0), -EIO);
    assert_int_equal(unmap(1), 0);
}

/* Pinned anew elsewhere, it is pinned twice, and loses only the second pin. */
static void detach_is_not_confirmed(void **state)
{
    assert_int_equal(world_attach(0, 0), 0);
    assert_int_equal(map(), 0);
    ioas_iommu_kill(0);
    ioas_detach(world_space[0], world_table[0]);
    assert_told();
    assert_int_equal(pins(), COUNT);
    assert_int_equal(world_attach(0, 2), 0);
    assert_int_equal(pins(), 2 * COUNT);
    assert_int_equal(world_account.used, 2 * BYTES);
    assert_int_equal(unmap(0), 0);
}

/* The second page table refuses, and does not confirm that there is nothing in it. */
static void a_failed_map_is_not_confirmed(void **state)
{
    assert_int_equal(world_attach(0, 0), 0);
    assert_int_equal(world_attach(0, 1), 0);
    ioas_iommu_kill(1);
    assert_int_equal(map(), -EIO);
    assert_int_equal(ioas_area_count(world_space[0]), 0);
}

static void a_failed_copy_is_not_confirmed(void **state)
{
    assert_int_equal(world_attach(0, 0), 0);
    assert_int_equal(world_attach(1, 2), 0);
    assert_int_equal(map(), 0);
    ioas_iommu_kill(2);
    assert_int_equal(copy(), -EIO);
    assert_int_equal(ioas_area_count(world_space[1]), 0);
    assert_int_equal(unmap(0), 0);
}

static void a_failed_attach_is_not_confirmed(void **state)
{
    assert_int_equal(world_attach(0, 0), 0);
    assert_int_equal(map(), 0);
    ioas_iommu_kill(1);
    assert_int_equal(world_attach(0, 1), -EIO);
    assert_int_equal(unmap(0), 0);
}

/* Device memory has no pins, but whoever revokes it must hear of it. */
static void a_revocation_is_not_confirmed(void **state)
{
    assert_int_equal(world_attach(0, 0), 0);
    assert_int_equal(map(), 0);
    assert_int_equal(world_map(0, SOURCE_DEVICE_PAGE, 4, IOVA + SIZE_1G), 0);
    ioas_iommu_kill(0);
    mutex_unlock(&world_lock);
    memobj_revoke(&source_device);
    assert_int_equal(mutex_lock(&world_lock, "test"), 0);
    assert_told();
    memobj_restore(&source_device);
    assert_int_equal(unmap(0), -EIO);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(unmap_is_not_confirmed),
        TEST(one_of_two_tables_is_enough),
        TEST(a_copy_that_goes_first_takes_nothing_along),
        TEST(a_copy_that_goes_last_takes_nothing_along),
        TEST(detach_is_not_confirmed),
        TEST(a_failed_map_is_not_confirmed),
        TEST(a_failed_copy_is_not_confirmed),
        TEST(a_failed_attach_is_not_confirmed),
        TEST(a_revocation_is_not_confirmed),
    };

    log_add_sink(&sink);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
