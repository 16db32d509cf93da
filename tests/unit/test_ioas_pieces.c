/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How much is asked of a page table at a time: never so much that others wait for long, and no
 * smaller pieces than that, because each costs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "tests/unit/host_thread.h"
#include "tests/unit/ioas_world.h"

#define IOVA   (64 * SIZE_1G)
#define DEVICE (UINT64_C(1) << 40) /* physical: a multiple of everything */

/* Memory of a device that consists of runs of one length, each with a gap behind it. */
static struct memobj device;
static uint64_t base, run_length;
static unsigned breaths;

static int runs(void *context, uint64_t offset, uint64_t length, bool write, struct phys_run *out,
                size_t room, struct memobj **of)
{
    size_t count = 0;

    *of = &device;
    for (; length && count < room; count++) {
        uint64_t inside = offset % run_length;
        uint64_t part = MIN(length, run_length - inside);

        out[count] = (struct phys_run){base + offset / run_length * 2 * run_length + inside, part};
        offset += part;
        length -= part;
    }
    return (int)count;
}

static void nothing(void *context)
{
}

static const struct ioas_source_ops source_ops = {.runs = runs, .get = nothing, .put = nothing};
static const struct memobj_ops device_ops;

static int breath(const char *point, enum thread_hears hears)
{
    breaths++;
    return 0;
}

static int setup(void **state)
{
    world_create();
    memobj_init(&device, &device_ops, SIZE_1G, MEMOBJ_DEVICE);
    host_breath = breath;
    host_breath_work = breath_left = 0; /* at every step */
    return world_attach(0, 0);
}

static int teardown(void **state)
{
    host_breath = NULL;
    host_breath_work = breath_left = BREATH_WORK;
    world_destroy();
    return 0;
}

/* Maps `count` runs of `length` bytes that begin at `physical`. */
static void map(uint64_t iova, paddr_t physical, uint64_t length, uint64_t count)
{
    const struct ioas_source source = {&source_ops, NULL};

    base = physical;
    run_length = length;
    breaths = 0;
    ioas_iommu_calls = (struct ioas_iommu_calls){0};
    assert_int_equal(
        ioas_map(world_space[0], &source, 0, length * count, IOAS_READ | IOAS_FIXED, &iova), 0);
}

static void unmap_all(void)
{
    uint64_t unmapped;

    breaths = 0;
    ioas_iommu_calls = (struct ioas_iommu_calls){0};
    assert_int_equal(ioas_unmap_all(world_space[0], &unmapped), 0);
}

/* The whole of it took so many calls, with a breath after each but one that was all. */
static void assert_maps(unsigned maps, uint64_t most)
{
    assert_int_equal(ioas_iommu_calls.maps, maps);
    assert_int_equal(ioas_iommu_calls.most_mapped, most);
    assert_true(breaths >= maps);
    unmap_all();
}

static void assert_unmaps(unsigned syncs, uint64_t most)
{
    unmap_all();
    assert_int_equal(ioas_iommu_calls.syncs, syncs);
    assert_int_equal(ioas_iommu_calls.most_unmapped, most);
    assert_true(breaths >= syncs);
}

/* 256 MiB of leaves that are small, cut where a table ends. */
static void long_memory_with_small_leaves_goes_in_piece_by_piece(void **state)
{
    map(IOVA + PAGE_SIZE, DEVICE, 256 * MIB, 1);
    assert_maps(1, 256 * MIB);
    map(IOVA + PAGE_SIZE, DEVICE, 256 * MIB + PAGE_SIZE, 1);
    assert_maps(2, 256 * MIB - PAGE_SIZE);
    map(IOVA + PAGE_SIZE, DEVICE, 768 * MIB, 1);
    assert_maps(4, 256 * MIB);
}

/* 128 GiB if all leaves are large. */
static void long_memory_with_large_leaves_goes_in_larger_pieces(void **state)
{
    map(IOVA, DEVICE, 128 * SIZE_1G, 1);
    assert_maps(1, 128 * SIZE_1G);
    map(IOVA, DEVICE, 128 * SIZE_1G + SIZE_2M, 1);
    assert_maps(2, 64 * SIZE_1G + SIZE_2M);
    map(IOVA, DEVICE, 300 * SIZE_1G, 1);
    assert_maps(3, 128 * SIZE_1G);
    map(IOVA + SIZE_2M, DEVICE, SIZE_1G, 1); /* of 2 MiB all the same */
    assert_maps(1, SIZE_1G);
}

/* The first run by itself, and all others together as long as they are no more than a piece. */
static void runs_go_in_together(void **state)
{
    map(IOVA, DEVICE, PAGE_SIZE, 100);
    assert_maps(2, 99 * PAGE_SIZE);
    map(IOVA, DEVICE, 100 * MIB, 5);
    assert_maps(2, 400 * MIB);
    map(IOVA, DEVICE, 64 * MIB + PAGE_SIZE, 4);
    assert_maps(2, 3 * (64 * MIB + PAGE_SIZE));
    map(IOVA, DEVICE, 100 * MIB + PAGE_SIZE, 5); /* small leaves: cut at 256 MiB, too */
    assert_maps(6, 100 * MIB + PAGE_SIZE);
}

/* An area is taken out a GiB at a time, cut where a table ends. */
static void a_long_area_goes_out_piece_by_piece(void **state)
{
    map(IOVA, DEVICE, SIZE_1G, 1);
    assert_unmaps(1, SIZE_1G);
    map(IOVA + SIZE_2M, DEVICE, SIZE_1G, 1);
    assert_unmaps(2, SIZE_1G - SIZE_2M);
    map(IOVA + SIZE_2M, DEVICE, 3 * SIZE_1G, 1);
    assert_unmaps(4, SIZE_1G);
}

/* So many areas of one page. */
static void map_pages(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        map(IOVA + i * SIZE_2M, DEVICE, PAGE_SIZE, 1);
}

/* Short areas share an invalidation: 128 of them, or what is a GiB together. */
static void short_areas_go_out_together(void **state)
{
    map_pages(256);
    assert_unmaps(2, 128 * PAGE_SIZE);
    map_pages(257);
    assert_unmaps(3, 128 * PAGE_SIZE);
    for (unsigned i = 0; i < 2; i++)
        map(IOVA + i * SIZE_1G, DEVICE, 512 * MIB, 1);
    assert_unmaps(1, SIZE_1G);
    for (unsigned i = 0; i < 2; i++)
        map(IOVA + i * SIZE_1G, DEVICE, 514 * MIB, 1);
    assert_unmaps(2, 514 * MIB);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(long_memory_with_small_leaves_goes_in_piece_by_piece),
        TEST(long_memory_with_large_leaves_goes_in_larger_pieces),
        TEST(runs_go_in_together),
        TEST(a_long_area_goes_out_piece_by_piece),
        TEST(short_areas_go_out_together),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
