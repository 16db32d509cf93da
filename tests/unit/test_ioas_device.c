/* SPDX-License-Identifier: BSD-2-Clause */
/* Several BARs inside one mapping: each can be taken back, and then nothing of it is reached. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "kernel/lib/error.h"
#include "tests/unit/host_heap.h"
#include "tests/unit/ioas_snapshot.h"
#include "tests/unit/ioas_world.h"

#define IOVA     (4 * GIB)
#define BARS     3u
#define BAR_SIZE (4 * PAGE_SIZE)
#define PARTS    (2 * BARS) /* each BAR occurs twice: 0, 1, 2, 0, 1, 2 */
#define BYTES    (PARTS * BAR_SIZE)

static struct memobj bars[BARS];

static int bar_run(struct memobj *object, uint64_t offset, uint64_t max, struct phys_run *out)
{
    *out = (struct phys_run){SOURCE_DEVICE + (uint64_t)(object - bars) * GIB + offset, max};
    return 0;
}

static void bar_destroy(struct memobj *object)
{
}

static const struct memobj_ops bar_ops = {.run = bar_run, .destroy = bar_destroy};

/* As memory of a payload that has mapped one BAR behind the other. */
static int runs(void *context, uint64_t offset, uint64_t length, bool write, struct phys_run *out,
                size_t room, struct memobj **device)
{
    uint64_t inside = offset % BAR_SIZE;
    int error;

    *device = &bars[offset / BAR_SIZE % BARS];
    error = memobj_run(*device, inside, MIN(length, BAR_SIZE - inside), out);
    return error ? error : 1;
}

static void nothing(void *context)
{
}

static const struct ioas_source_ops source_ops = {.runs = runs, .get = nothing, .put = nothing};

static int setup(void **state)
{
    world_create();
    for (unsigned i = 0; i < BARS; i++)
        memobj_init(&bars[i], &bar_ops, BAR_SIZE, MEMOBJ_DEVICE);
    return 0;
}

static int teardown(void **state)
{
    world_destroy();
    for (unsigned i = 0; i < BARS; i++) {
        assert_true(list_empty(&bars[i].watchers));
        assert_int_equal(bars[i].references, 1);
    }
    return 0;
}

static int map_bars(uint64_t offset, uint64_t length)
{
    const struct ioas_source source = {&source_ops, NULL};
    uint64_t iova = IOVA;

    return ioas_map(world_space[0], &source, offset, length, IOAS_READ | IOAS_WRITE | IOAS_FIXED,
                    &iova);
}

static int64_t map_all(void)
{
    return map_bars(0, BYTES);
}

static void unmap_all(int space)
{
    uint64_t unmapped;

    assert_int_equal(ioas_unmap_all(world_space[space], &unmapped), 0);
}

/* How many pages of [IOVA, IOVA + BYTES) a device reaches through a table. */
static unsigned reached(int table)
{
    struct iommu_translation t;
    unsigned count = 0;

    for (uint64_t at = 0; at < BYTES; at += PAGE_SIZE)
        count += iommu_translate(world_table[table], IOVA + at, &t);
    return count;
}

static unsigned watchers(const struct memobj *bar)
{
    struct memobj_watcher *watcher;
    unsigned count = 0;

    list_for_each_entry (watcher, &bar->watchers, link)
        count++;
    return count;
}

/* As whoever takes a BAR away does: without the lock of who maps it. */
static void take_away(struct memobj *bar)
{
    mutex_unlock(&world_lock);
    memobj_revoke(bar);
    assert_int_equal(mutex_lock(&world_lock, "test"), 0);
}

static void every_bar_of_a_mapping_is_watched(void **state)
{
    assert_int_equal(world_attach(0, 0), 0);
    assert_int_equal(world_attach(0, 1), 0);
    for (unsigned i = 0; i < BARS; i++) {
        assert_int_equal(map_all(), 0);
        assert_int_equal(reached(0), BYTES / PAGE_SIZE);
        take_away(&bars[i]);
        assert_int_equal(reached(0), 0);
        assert_int_equal(reached(1), 0);
        memobj_restore(&bars[i]);
        assert_int_equal(reached(0), 0); /* what went stays away */
        unmap_all(0);
    }
}

static void a_bar_that_occurs_twice_is_watched_once(void **state)
{
    assert_int_equal(world_attach(0, 0), 0);
    assert_int_equal(map_all(), 0);
    for (unsigned i = 0; i < BARS; i++) {
        assert_int_equal(watchers(&bars[i]), 1);
        assert_int_equal(bars[i].references, 2);
    }
    unmap_all(0);
    for (unsigned i = 0; i < BARS; i++)
        assert_int_equal(watchers(&bars[i]), 0);
}

/* A copy of a part that has nothing of the BAR goes too: it is one piece of memory. */
static void copies_lose_what_is_taken_back(void **state)
{
    uint64_t iova = IOVA;

    assert_int_equal(world_attach(0, 0), 0);
    assert_int_equal(world_attach(1, 2), 0);
    for (unsigned i = 0; i < BARS; i++) {
        assert_int_equal(map_all(), 0);
        assert_int_equal(ioas_copy(world_space[1], world_space[0], IOVA, BAR_SIZE,
                                   IOAS_READ | IOAS_FIXED, &iova),
                         0);
        assert_int_equal(reached(2), BAR_SIZE / PAGE_SIZE);
        take_away(&bars[i]);
        assert_int_equal(reached(2), 0);
        memobj_restore(&bars[i]);
        unmap_all(0);
        unmap_all(1);
    }
}

/* The space that memory was mapped into first may be gone when a table needs the memory. */
static void a_copy_outlives_the_space_it_came_from(void **state)
{
    uint64_t iova = IOVA;

    assert_int_equal(map_all(), 0);
    assert_int_equal(
        ioas_copy(world_space[1], world_space[0], IOVA, BYTES, IOAS_READ | IOAS_FIXED, &iova), 0);
    ioas_destroy(world_space[0]);
    assert_int_equal(ioas_create(&world_account, &world_lock, &world_space[0]), 0);
    assert_int_equal(world_attach(1, 2), 0);
    assert_int_equal(reached(2), BYTES / PAGE_SIZE);
    take_away(&bars[0]);
    assert_int_equal(reached(2), 0);
}

/* A table attached while a BAR is away does not get it, nor what the BAR was mapped with. */
static void a_table_that_comes_later_does_not_reach_it_either(void **state)
{
    assert_int_equal(world_attach(0, 0), 0);
    assert_int_equal(map_all(), 0);
    take_away(&bars[1]);
    assert_int_equal(world_attach(0, 1), 0);
    assert_int_equal(reached(1), 0);
    memobj_restore(&bars[1]);
    assert_int_equal(reached(1), 0);
    ioas_detach(world_space[0], world_table[0]);
    ioas_detach(world_space[0], world_table[1]);
    assert_int_equal(world_attach(0, 1), 0); /* looked up anew */
    assert_int_equal(reached(1), BYTES / PAGE_SIZE);
}

static void a_bar_that_is_away_cannot_be_mapped(void **state)
{
    assert_int_equal(world_attach(0, 0), 0);
    for (unsigned i = 0; i < BARS; i++) {
        take_away(&bars[i]);
        assert_int_equal(map_all(), -EFAULT);
        assert_int_equal(reached(0), 0);
        for (unsigned k = 0; k < BARS; k++)
            assert_int_equal(watchers(&bars[k]), 0);
        memobj_restore(&bars[i]);
    }
}

static void mapping_bars_fails_at_every_step(void **state)
{
    assert_int_equal(world_attach(0, 0), 0);
    assert_true(every_step_fails("map BARs", map_all, world_snapshot) > BARS);
    assert_int_equal(reached(0), BYTES / PAGE_SIZE);
}

/* Whether all areas are of one source shows with each of them, the first and the last. */
static void a_space_knows_where_all_of_it_came_from(void **state)
{
    const struct ioas_source_ops *other = source_get().ops;

    assert_true(ioas_all_from(world_space[0], &source_ops));
    assert_int_equal(map_all(), 0);
    assert_true(ioas_all_from(world_space[0], &source_ops));
    assert_false(ioas_all_from(world_space[0], other));
    assert_int_equal(world_map(0, SOURCE_SCATTERED, 1, 2 * IOVA), 0);
    assert_false(ioas_all_from(world_space[0], &source_ops));
    assert_false(ioas_all_from(world_space[0], other));
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(every_bar_of_a_mapping_is_watched),
        TEST(a_bar_that_occurs_twice_is_watched_once),
        TEST(copies_lose_what_is_taken_back),
        TEST(a_copy_outlives_the_space_it_came_from),
        TEST(a_table_that_comes_later_does_not_reach_it_either),
        TEST(a_bar_that_is_away_cannot_be_mapped),
        TEST(mapping_bars_fails_at_every_step),
        TEST(a_space_knows_where_all_of_it_came_from),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
