/* SPDX-License-Identifier: BSD-2-Clause */
/* The editor of page tables: brute force, and the cases with a name. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "kernel/iommu/domain.h"
#include "kernel/lib/error.h"
#include "kernel/mm/direct.h"
#include "kernel/table/split.h"
#include "tests/unit/host_memory.h"
#include "tests/unit/pagetable_oracle.h"
#include "tests/unit/vtd_memory.h"

#define STEPS_DEFAULT 100000
#define LINK          3 /* second-level tables, and leaves that may be read and written */

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

static void brute_force(const struct oracle_format *format, uint64_t steps)
{
    struct chooser chooser = {
        .below = random_below,
        .state = from_environment("BULKHEAD_SEED", 20240611),
    };

    oracle_run(format, &chooser, from_environment("BULKHEAD_STEPS", steps));
}

static void brute_force_on_second_level_tables(void **state)
{
    brute_force(&oracle_second_level, STEPS_DEFAULT);
}

static void brute_force_on_tables_of_the_cpu(void **state)
{
    brute_force(&oracle_cpu, STEPS_DEFAULT / 10);
}

static void brute_force_on_a_format_nobody_has(void **state)
{
    brute_force(&oracle_toy, STEPS_DEFAULT / 10);
}

static struct table_pool pool;
static struct page_table table;

static void start(unsigned levels, unsigned largest)
{
    vtd_memory_reset();
    table = (struct page_table){.levels = levels,
                                .largest = largest,
                                .address_bits = PAGE_SHIFT + 9 * levels,
                                .link = LINK,
                                .flush = true,
                                .remembers = true,
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
    unsigned tables = tables_seen(virt_to_phys(table.root), table.levels);

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
    struct table_gather gather = TABLE_GATHER_EMPTY;

    page_table_unmap(&table, iova, length, &gather);
    page_table_release(&table, &gather);
}

/* Scattered leaves are stored in groups: what stops them stands at every place of them. */
static void a_list_stops_at_any_place(void **state)
{
    struct table_place found;
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
            found = page_table_seek(&table, (16 + i) * span);
            assert_int_equal(*found.slot, runs[i].base | LINK | (level > 1 ? 0x80 : 0));
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
    struct table_gather gather = TABLE_GATHER_EMPTY;

    page_table_unmap(&table, SIZE_1G, SIZE_2M / 2, &gather);
}

static void unmap_whole_leaf(void)
{
    struct table_gather gather = TABLE_GATHER_EMPTY;

    page_table_unmap(&table, SIZE_1G, SIZE_2M, &gather);
}

/*
 * No leaf of a device's tables is ever split, so no order of splitting can be wrong: who asks for
 * it is stopped by the compiler, as the operation does not take them, or here.
 */
/* clang-format off */
_Static_assert(_Generic(&page_table_cut, int (*)(struct page_table *, uint64_t) : 0,
                        int (*)(struct splittable *, uint64_t) : 1),
               "tables of every format can be split");
_Static_assert(_Generic(&((struct iommu_domain *)0)->table, struct page_table * : 1, default : 0),
               "the tables of domains can be split");
/* clang-format on */

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
    struct table_gather gather = TABLE_GATHER_EMPTY;
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
        uint64_t *entries = table_alloc(&pool);

        assert_int_equal(table_page_of(entries)->live, 0);
        assert_int_equal(table_page_of(entries)->tables, 0);
        assert_memory_equal(entries, zeros, sizeof(zeros));
        assert_memory_equal(vtd_memory_seen(virt_to_phys(entries), true), zeros, sizeof(zeros));
    }
}

/* The pool gives pages back to the frame allocator when it holds many that nobody uses. */
static void the_pool_does_not_hoard(void **state)
{
    static uint64_t *pages[3 * TABLE_PAGES_KEPT];

    vtd_memory_reset();
    table_pool_init(&pool, false);
    for (size_t i = 0; i < ARRAY_SIZE(pages); i++)
        pages[i] = table_alloc(&pool);
    assert_int_equal(vtd_memory_used(), ARRAY_SIZE(pages));
    for (size_t i = 0; i < ARRAY_SIZE(pages); i++)
        table_release(&pool, pages[i]);
    assert_int_equal(pool.idle, TABLE_PAGES_KEPT);
    assert_int_equal(vtd_memory_used(), TABLE_PAGES_KEPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_filled_tables_are_installed),
        cmocka_unit_test(a_list_stops_at_any_place),
        cmocka_unit_test(pitfall_05_leaves_are_never_split),
        cmocka_unit_test(pages_of_the_pool_are_zero),
        cmocka_unit_test(the_pool_does_not_hoard),
        cmocka_unit_test(brute_force_on_second_level_tables),
        cmocka_unit_test(brute_force_on_tables_of_the_cpu),
        cmocka_unit_test(brute_force_on_a_format_nobody_has),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
