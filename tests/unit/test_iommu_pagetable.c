/* SPDX-License-Identifier: BSD-2-Clause */
/* Second-level page tables: brute force, and the cases with a name. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
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

static struct table_pool pool;
static struct page_table table;

static void start(unsigned levels, unsigned largest)
{
    vtd_memory_reset();
    table = (struct page_table){.levels = levels,
                                .largest = largest,
                                .address_bits = PAGE_SHIFT + 9 * levels,
                                .flush = true,
                                .physical_limit = BIT(46)};
    table_pool_init(&pool, true);
    assert_int_equal(page_table_init(&table, &pool), 0);
}

static void end(void)
{
    page_table_destroy(&table);
    assert_int_equal(pool.used, 0);
}

/* Every table that hangs in another one has something in it, as a unit without snooping sees it. */
static unsigned tables_seen(paddr_t at, unsigned level)
{
    const uint64_t *entries = vtd_memory_seen(at, true);
    unsigned tables = 0, present = 0;

    for (unsigned i = 0; i < 512; i++) {
        if (!entries[i])
            continue;
        present++;
        if (level > 1 && !(entries[i] & 0x80))
            tables += 1 + tables_seen(entries[i] & UINT64_C(0x000ffffffffff000), level - 1);
    }
    assert_true(present || level == table.levels);
    return tables;
}

static unsigned looks, most_tables;

static void look(void)
{
    unsigned tables = tables_seen(table_physical(table.root), table.levels);

    looks++;
    most_tables = tables > most_tables ? tables : most_tables;
}

/* Before each flush the unit is asked what it sees: filled tables, or none. */
static void only_filled_tables_are_installed(void **state)
{
    static const struct phys_run runs[] = {
        {3 * SIZE_1G, SIZE_2M}, {5 * SIZE_1G, 1300 * PAGE_SIZE}, {7 * SIZE_1G + SIZE_2M, SIZE_2M}};
    uint64_t mapped;

    for (unsigned levels = 3; levels <= 5; levels++) {
        start(levels, 3);
        looks = most_tables = 0;
        vtd_memory_on_flush = look;
        assert_int_equal(page_table_map(&table, SIZE_1G - SIZE_2M, runs, 3, 3, false, &mapped), 0);
        vtd_memory_on_flush = NULL;
        look();
        assert_true(looks >= 5);
        assert_int_equal(most_tables, table.tables);
        end();
    }
}

static void unmap_all(uint64_t iova, uint64_t length)
{
    struct iommu_gather gather = {.first = ~UINT64_C(0)};

    page_table_unmap(&table, iova, length, &gather);
    page_table_release(&table, &gather);
}

/* Scattered leaves are stored in groups: what stops them stands at every place of them. */
static void a_list_stops_at_any_place(void **state)
{
    struct iommu_translation found;
    struct phys_run runs[11], good;
    const size_t count = ARRAY_SIZE(runs);
    uint64_t mapped, span;

    for (unsigned level = 1; level <= 3; level++) {
        span = pt_span(level);
        start(4, 3);
        for (size_t i = 0; i < count; i++)
            runs[i] = (struct phys_run){(2 * i + 1) * span, span};
        for (size_t place = 0; place < count; place++) {
            good = runs[place];
            assert_int_equal(
                page_table_map(&table, (16 + place) * span, &good, 1, 3, false, &mapped), 0);
            assert_int_equal(page_table_map(&table, 16 * span, runs, count, 3, false, &mapped),
                             -EEXIST);
            assert_int_equal(mapped, place * span);
            unmap_all(16 * span, (place + 1) * span);
            runs[place].base = BIT(46);
            assert_int_equal(page_table_map(&table, 16 * span, runs, count, 3, false, &mapped),
                             -EINVAL);
            assert_int_equal(mapped, place * span);
            if (mapped)
                unmap_all(16 * span, mapped);
            runs[place] = good;
        }
        assert_int_equal(page_table_map(&table, 16 * span, runs, count, 3, false, &mapped), 0);
        assert_int_equal(table.leaves[level], count);
        for (size_t i = 0; i < count; i++) {
            assert_true(page_table_translate(&table, (16 + i) * span, &found));
            assert_int_equal(found.physical, runs[i].base);
        }
        unmap_all(16 * span, count * span);
        end();
    }
}

/* Runs the function in a child; true if the kernel would have panicked. */
static bool panics(void (*function)(void))
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        if (!freopen("/dev/null", "w", stderr))
            _exit(1);
        signal(SIGABRT, SIG_DFL);
        function();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void unmap_half_a_leaf(void)
{
    struct iommu_gather gather = {.first = ~UINT64_C(0)};

    page_table_unmap(&table, SIZE_1G, SIZE_2M / 2, &gather);
}

static void unmap_whole_leaf(void)
{
    struct iommu_gather gather = {.first = ~UINT64_C(0)};

    page_table_unmap(&table, SIZE_1G, SIZE_2M, &gather);
}

/* No leaf is ever split, so no order of splitting can be wrong: who asks for it is stopped. */
static void pitfall_05_leaves_are_never_split(void **state)
{
    static const struct phys_run run = {4 * SIZE_1G, SIZE_2M};
    uint64_t mapped;

    start(4, 3);
    assert_int_equal(page_table_map(&table, SIZE_1G, &run, 1, 3, false, &mapped), 0);
    assert_int_equal(table.leaves[2], 1);
    assert_true(panics(unmap_half_a_leaf));
    assert_false(panics(unmap_whole_leaf));
    end();
}

/* A table page comes back as all zeros, in memory as well, whatever was left in it. */
static void pages_of_the_pool_are_zero(void **state)
{
    static const struct phys_run run = {4 * SIZE_1G, SIZE_2M};
    struct iommu_gather gather = {.first = ~UINT64_C(0)};
    static const uint64_t zeros[512];
    uint64_t mapped;

    start(4, 1);
    for (unsigned round = 0; round < 3; round++) {
        assert_int_equal(page_table_map(&table, SIZE_1G, &run, 1, 3, false, &mapped), 0);
        page_table_unmap(&table, SIZE_1G, SIZE_2M, &gather);
        assert_int_equal(gather.leaves, 512 * (round + 1));
        page_table_release(&table, &gather);
    }
    for (unsigned i = 0; i < 40; i++) {
        struct iommu_table_page *page = table_alloc(&pool, 1);

        assert_int_equal(page->live, 0);
        assert_memory_equal(table_entries(page), zeros, sizeof(zeros));
        assert_memory_equal(vtd_memory_seen(table_physical(page), true), zeros, sizeof(zeros));
    }
}

/* The pool gives chunks back to the frame allocator when it holds many that nobody uses. */
static void the_pool_does_not_hoard(void **state)
{
    static struct iommu_table_page *pages[200 * (TABLE_CHUNK_PAGES - 1)];

    vtd_memory_reset();
    table_pool_init(&pool, false);
    for (size_t i = 0; i < ARRAY_SIZE(pages); i++)
        pages[i] = table_alloc(&pool, 1);
    assert_int_equal(pool.chunks, 200);
    for (size_t i = 0; i < ARRAY_SIZE(pages); i++)
        table_release(&pool, pages[i]);
    assert_int_equal(pool.chunks, TABLE_CHUNKS_KEPT);
    assert_int_equal(vtd_memory_used(), TABLE_CHUNKS_KEPT * TABLE_CHUNK_PAGES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_filled_tables_are_installed),
        cmocka_unit_test(a_list_stops_at_any_place),
        cmocka_unit_test(pitfall_05_leaves_are_never_split),
        cmocka_unit_test(pages_of_the_pool_are_zero),
        cmocka_unit_test(the_pool_does_not_hoard),
        cmocka_unit_test(brute_force),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
