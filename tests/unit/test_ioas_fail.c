/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For each operation on an IO address space every allocation, pin and table step fails in turn, and
 * everything is then as it was (ioas_snapshot.h). Operations that must not be able to fail have no
 * such step. The same is true of every breath at which the thread may be told to end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>
#include "kernel/lib/error.h"
#include "kernel/mm/memobj.h"
#include "tests/unit/ioas_snapshot.h"
#include "tests/unit/ioas_world.h"

#define FAR     (UINT64_C(1) << 38) /* an IOVA whose tables nobody else has */
#define SPARSE  (2 * GIB)
#define MANY    300u /* runs: several chunks of them */
#define IN_TURN 12u  /* small areas, one after the other */

static struct ioas *made;
static struct ioas_tables tables;

/* ---- preparing ---- */

static void nothing(void)
{
}

/* Space 0 goes through two page tables and holds something already. */
static void populated(void)
{
    assert_int_equal(world_attach(0, 0), 0);
    assert_int_equal(world_attach(0, 1), 0);
    assert_int_equal(world_map(0, SOURCE_BLOCK, 512, SPARSE), 0);
    assert_int_equal(world_map(0, SOURCE_SCATTERED + 400, 20, SPARSE + SIZE_2M), 0);
}

/* A large leaf is wanted where one small page left a table behind. */
static void populated_with_idle_table(void)
{
    uint64_t unmapped;

    populated();
    assert_int_equal(world_map(0, SOURCE_SCATTERED, 1, FAR), 0);
    assert_int_equal(ioas_unmap(world_space[0], FAR, FAR + PAGE_SIZE - 1, &unmapped), 0);
}

static void populated_with_mixed_memory(void)
{
    populated();
    source_replace(SOURCE_DEVICE_PAGE - 1, false);
    source_writable[SOURCE_DEVICE_PAGE - 1] = true;
}

/* Areas side by side in space 1, which has no page table; space 0 has. */
static void two_spaces(void)
{
    populated();
    for (unsigned i = 0; i < IN_TURN; i++)
        assert_int_equal(world_map(1, SOURCE_SCATTERED + 10 * i, 4, FAR + i * 4 * PAGE_SIZE), 0);
}

static void two_populated_spaces(void)
{
    two_spaces();
    assert_int_equal(world_attach(1, 2), 0);
}

/* Nothing is pinned yet; kinds of memory of each sort. */
static void unpopulated(void)
{
    two_spaces();
    ioas_detach(world_space[0], world_table[0]);
    ioas_detach(world_space[0], world_table[1]);
    assert_int_equal(world_map(0, SOURCE_DEVICE_PAGE, 8, FAR), 0);
    assert_int_equal(world_map(0, SOURCE_SCATTERED, MANY, FAR + SIZE_2M), 0);
    assert_int_equal(world_map(0, SOURCE_ASKEW, 300, SPARSE + 3 * SIZE_2M), 0);
}

static void once_attached(void)
{
    unpopulated();
    assert_int_equal(world_attach(0, 0), 0);
}

static void small_leaves(void)
{
    assert_int_equal(ioas_set_small_leaves(world_space[0], true), 0);
    populated();
}

static void empty_tables(void)
{
    ioas_tables_init(&tables, world_space[0]);
    unpopulated();
}

static void tables_with_a_group(void)
{
    empty_tables();
    assert_int_equal(ioas_attach_group(&tables, &world_split), 0);
}

static void reserved_memory(void)
{
    unpopulated();
    ioas_iommu_set_reserved(world_pair.members[0]->rid, 0x7b000000, 0x2000);
    ioas_iommu_set_reserved(world_pair.members[0]->rid, 0x7c000000, 0x1000);
}

static void requesters_attached(void)
{
    struct iommu_domain *domain;

    populated();
    assert_int_equal(iommu_domain_create(ioas_iommu_unit(0), &domain), 0);
    assert_int_equal(ioas_attach(world_space[1], domain), 0);
    assert_int_equal(ioas_requesters_attach(&world_pair, NULL, domain), 0);
}

/* ---- operations ---- */

static int64_t create(void)
{
    return ioas_create(&world_account, &world_lock, &made);
}

static int64_t map_page(void)
{
    return world_map(0, SOURCE_SCATTERED, 1, FAR);
}

static int64_t map_many_runs(void)
{
    return world_map(0, SOURCE_SCATTERED, MANY, FAR - 100 * PAGE_SIZE);
}

static int64_t map_large(void)
{
    return world_map(0, SOURCE_BLOCK, 512, FAR);
}

static int64_t map_anywhere(void)
{
    return world_map(0, SOURCE_ASKEW, 500, WORLD_ANYWHERE);
}

static int64_t map_device(void)
{
    return world_map(0, SOURCE_DEVICE_PAGE, 16, FAR);
}

static int64_t map_mixed(void)
{
    return world_map(0, SOURCE_DEVICE_PAGE - 1, 16, FAR);
}

static int file_run(struct memobj *object, uint64_t offset, uint64_t max, struct phys_run *out)
{
    *out = (struct phys_run){source_frame[SOURCE_SCATTERED + offset / PAGE_SIZE], PAGE_SIZE};
    return 0;
}

static void file_destroy(struct memobj *object)
{
}

static struct memobj file;

static int64_t map_file(void)
{
    static const struct memobj_ops ops = {.run = file_run, .destroy = file_destroy};
    struct ioas_source source = ioas_source_memobj(&file);
    uint64_t iova = FAR;

    if (!file.ops)
        memobj_init(&file, &ops, MANY * PAGE_SIZE, 0);
    return ioas_map(world_space[0], &source, 0, MANY * PAGE_SIZE, IOAS_READ | IOAS_FIXED, &iova);
}

static int64_t copy_to(int to, int from, uint64_t first, uint64_t length, uint64_t iova)
{
    unsigned flags = IOAS_READ | (iova == WORLD_ANYWHERE ? 0 : IOAS_FIXED);

    return ioas_copy(world_space[to], world_space[from], first, length, flags, &iova);
}

static int64_t copy_inside(void)
{
    return copy_to(0, 0, SPARSE + PAGE_SIZE, SIZE_2M, FAR);
}

static int64_t copy_between(void)
{
    return copy_to(0, 1, FAR + PAGE_SIZE, (IN_TURN * 4 - 2) * PAGE_SIZE, FAR - 3 * PAGE_SIZE);
}

static int64_t copy_anywhere(void)
{
    return copy_to(0, 1, FAR, IN_TURN * 4 * PAGE_SIZE, WORLD_ANYWHERE);
}

static int64_t copy_to_nowhere(void)
{
    return copy_to(1, 0, SPARSE, SIZE_2M, SPARSE);
}

static int64_t cut(void)
{
    return ioas_cut(world_space[0], SPARSE + 7 * PAGE_SIZE, SPARSE + 9 * PAGE_SIZE - 1);
}

static int64_t attach(void)
{
    return world_attach(0, 0);
}

static int64_t attach_another(void)
{
    return world_attach(0, 2);
}

static int64_t allow(void)
{
    static const struct ioas_range ranges[] = {{FAR, FAR + SIZE_1G}, {PAGE_SIZE, SIZE_1G}};

    return ioas_allow(world_space[0], ranges, ARRAY_SIZE(ranges));
}

static int64_t reserve(void)
{
    return ioas_reserve(world_space[0], &made, SIZE_1G, SIZE_1G + SIZE_2M - 1);
}

static int64_t reserve_group(void)
{
    return ioas_reserve_group(world_space[0], &world_pair);
}

static int64_t attach_group(void)
{
    return ioas_attach_group(&tables, &world_split);
}

static int64_t attach_second_group(void)
{
    return ioas_attach_group(&tables, &world_pair);
}

static int64_t attach_requesters(void)
{
    return ioas_requesters_attach(&world_pair, NULL, world_table[0]);
}

static int64_t replace_requesters(void)
{
    return ioas_requesters_attach(&world_pair, ioas_iommu_domain_of(world_pair.members[0]->rid),
                                  world_table[0]);
}

/* ---- what cannot fail ---- */

static int64_t unmap_range(void)
{
    uint64_t unmapped;

    return ioas_unmap(world_space[0], SPARSE, SPARSE + SIZE_2M - 1, &unmapped);
}

static int64_t unmap_everything(void)
{
    uint64_t unmapped;

    return ioas_unmap_all(world_space[0], &unmapped);
}

static int64_t detach(void)
{
    ioas_detach(world_space[0], world_table[0]);
    return 0;
}

static int64_t detach_group(void)
{
    ioas_detach_group(&tables, &world_split);
    return 0;
}

static int64_t set_small_leaves(void)
{
    return ioas_set_small_leaves(world_space[1], true);
}

/* ---- the table ---- */

static const struct operation {
    const char *name;
    void (*prepare)(void);
    int64_t (*run)(void);
    unsigned steps;   /* at least; 0: none at all */
    unsigned breaths; /* that can hear an end, likewise */
} operations[] = {
    {"ioas_create", nothing, create, 1, 0},
    {"map, one page", populated, map_page, 6, 1},
    {"map, many runs", populated, map_many_runs, 15, 15},
    {"map, a large leaf", populated, map_large, 6, 1},
    {"map, in the way of an idle table", populated_with_idle_table, map_large, 5, 1},
    {"map, at a place of its choice", populated, map_anywhere, 5, 2},
    {"map, device memory", populated, map_device, 6, 1},
    {"map, RAM and device memory", populated_with_mixed_memory, map_mixed, 10, 5},
    {"map, a file", populated, map_file, 12, 15},
    {"map, without page tables", nothing, map_many_runs, 1, 0},
    {"copy, within a space", populated, copy_inside, 8, 5},
    {"copy, between spaces", two_spaces, copy_between, IN_TURN * 4, IN_TURN * 4},
    {"copy, between populated spaces", two_populated_spaces, copy_between, IN_TURN * 3,
     IN_TURN * 4},
    {"copy, at a place of its choice", two_spaces, copy_anywhere, IN_TURN * 4, IN_TURN * 4},
    {"copy, to a space without tables", two_spaces, copy_to_nowhere, 2, 1},
    {"cut", small_leaves, cut, 2, 0},
    {"attach, the first page table", unpopulated, attach, 20, 20},
    {"attach, another page table", once_attached, attach_another, 10, 10},
    {"allow", nothing, allow, 2, 2},
    {"reserve", populated, reserve, 1, 0},
    {"reserve, for a group", reserved_memory, reserve_group, 2, 0},
    {"attach, a group", empty_tables, attach_group, 20, 20},
    {"attach, a second group", tables_with_a_group, attach_second_group, 10, 10},
    {"requesters, attach", populated, attach_requesters, 2, 0},
    {"requesters, replace", requesters_attached, replace_requesters, 2, 0},
    {"unmap, a range", populated, unmap_range, 0, 1},
    {"unmap, everything", populated, unmap_everything, 0, 2},
    {"detach", populated, detach, 0, 0},
    {"detach, a group", tables_with_a_group, detach_group, 0, 0},
    {"small leaves", nothing, set_small_leaves, 0, 0},
};

static void start(const struct operation *operation)
{
    world_create();
    made = NULL;
    ioas_tables_init(&tables, world_space[0]);
    operation->prepare();
}

static void assert_at_least(unsigned least, uint64_t count)
{
    assert_true(least ? count >= least : count == 0);
}

static void every_step(void **state)
{
    const struct operation *operation = *state;

    start(operation);
    assert_at_least(operation->steps,
                    every_step_fails(operation->name, operation->run, world_snapshot));
}

static void every_breath(void **state)
{
    const struct operation *operation = *state;

    start(operation);
    assert_at_least(operation->breaths,
                    every_breath_ends(operation->name, operation->run, world_snapshot));
}

/* Takes back what the operation or its preparation left. */
static int teardown(void **state)
{
    struct iommu_domain *domain;

    if (made)
        ioas_destroy(made);
    if (world_attached(&tables, &world_pair))
        ioas_detach_group(&tables, &world_pair);
    if (world_attached(&tables, &world_split))
        ioas_detach_group(&tables, &world_split);
    domain = ioas_iommu_domain_of(world_pair.members[0]->rid);
    if (domain)
        ioas_requesters_detach(&world_pair, domain);
    while ((domain = ioas_iommu_domain(1)) != world_table[1]) {
        ioas_detach(world_space[1], domain);
        iommu_domain_destroy(domain);
    }
    world_destroy();
    return 0;
}

int main(void)
{
    static char names[ARRAY_SIZE(operations)][64];
    struct CMUnitTest tests[2 * ARRAY_SIZE(operations)];

    for (size_t i = 0; i < ARRAY_SIZE(operations); i++) {
        void *operation = (void *)(uintptr_t)&operations[i];

        snprintf(names[i], sizeof(names[i]), "%s: ended", operations[i].name);
        tests[2 * i] =
            (struct CMUnitTest){operations[i].name, every_step, NULL, teardown, operation};
        tests[2 * i + 1] = (struct CMUnitTest){names[i], every_breath, NULL, teardown, operation};
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
