/* SPDX-License-Identifier: BSD-2-Clause */
/* CPU page tables against a flat array of pages, with a walker of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "kernel/lib/error.h"
#include "kernel/mm/direct.h"
#include "kernel/mm/frames/frames.h"
#include "kernel/mm/paging/cpu_table.h"
#include "tests/unit/host_heap.h"
#include "tests/unit/host_memory.h"

#define RAM_BASE  (64 * MIB)
#define RAM_SIZE  (64 * MIB)
#define WINDOW    (UINT64_C(0x7f0000000000) - GIB - 16 * MIB) /* crosses a 512 GiB boundary */
#define PAGES     ((3 * GIB) / PAGE_SIZE)
#define ACCESS    (PAGE_READ | PAGE_WRITE | PAGE_EXEC)
#define ALL_FLAGS (ACCESS | PAGE_USER | PAGE_UNCACHED | PAGE_OWNED | PAGE_FRESH)

struct page {
    paddr_t base;
    unsigned flags;
    bool mapped;
};

static const struct phys_run ram[] = {{RAM_BASE, RAM_SIZE}};
static struct page model[PAGES];
static struct splittable table;
static uint64_t rng;

static uint64_t free_now(void)
{
    struct frames_stats s;

    frames_stats(&s);
    return s.free;
}

static int setup(void **state)
{
    host_memory_create(RAM_BASE, RAM_SIZE);
    assert_int_equal(frames_init(ram, 1, NULL, 0), 0);
    cpu_table_pool = (struct table_pool){0};
    assert_int_equal(cpu_table_init(&table, true, false), 0);
    memset(model, 0, sizeof(model));
    return 0;
}

static int teardown(void **state)
{
    host_memory_destroy();
    return 0;
}

/* The test's own walker, straight from the manual: the size of the leaf, 0 if there is none. */
static uint64_t walk(uint64_t at, struct page *out)
{
    paddr_t address = virt_to_phys(table.pages.root);

    for (int shift = 39; shift >= 12; shift -= 9) {
        const uint64_t *slots = phys_to_virt(address);
        uint64_t entry = slots[(at >> shift) & 511];

        if (entry == 0)
            return 0;
        address = entry & UINT64_C(0xffffffffff000);
        if (shift == 12 || entry & 0x80) {
            out->base = address + (at & (BIT(shift) - 1) & ~(PAGE_SIZE - 1));
            out->flags = entry & 1 ? PAGE_READ : 0;
            if (entry & 1) {
                out->flags |= entry & 2 ? PAGE_WRITE : 0;
                out->flags |= entry >> 63 ? 0 : PAGE_EXEC;
            }
            out->flags |= entry & 4 ? PAGE_USER : 0;
            out->flags |= entry & 0x10 ? PAGE_UNCACHED : 0;
            out->flags |= entry & 0x200 ? PAGE_OWNED : 0;
            out->flags |= entry & 0x800 ? PAGE_FRESH : 0;
            return BIT(shift);
        }
        assert_int_equal(entry & 7, 7);
    }
    return 0;
}

/* What is known of a table, against what is in it: adds its tables and leaves to the figures. */
static void count_table(const uint64_t *slots, unsigned level, uint64_t *tables, uint64_t *leaves)
{
    unsigned live = 0, below = 0;

    for (unsigned i = 0; i < 512; i++) {
        if (slots[i] == 0)
            continue;
        live++;
        if (level == 1 || slots[i] & 0x80) {
            leaves[level]++;
            continue;
        }
        below++;
        count_table(phys_to_virt(slots[i] & UINT64_C(0xffffffffff000)), level - 1, tables, leaves);
    }
    *tables += below;
    assert_int_equal(table_page_of(slots)->live, live);
    assert_int_equal(table_page_of(slots)->tables, below);
}

static void check_figures(const struct splittable *of)
{
    uint64_t tables = 0, leaves[PT_LEAF_MAX + 1] = {0};

    count_table(of->pages.root, 4, &tables, leaves);
    assert_int_equal(of->pages.tables, tables);
    for (unsigned level = 1; level <= PT_LEAF_MAX; level++)
        assert_int_equal(of->pages.leaves[level], leaves[level]);
}

static void check_all(void)
{
    struct page page;
    uint64_t i = 0;

    check_figures(&table);
    while (i < PAGES) {
        uint64_t size = walk(WINDOW + i * PAGE_SIZE, &page);

        assert_int_equal(size != 0, model[i].mapped);
        if (size) {
            assert_int_equal(page.base, model[i].base);
            assert_int_equal(page.flags, model[i].flags);
        }
        i++;
    }
}

/* What a reader of `flags` sees: without access nothing but the marks is left. */
static unsigned seen(unsigned flags)
{
    if (flags & (PAGE_WRITE | PAGE_EXEC))
        flags |= PAGE_READ;
    return flags;
}

static void model_set(uint64_t first, uint64_t count, paddr_t base, unsigned flags)
{
    for (uint64_t i = 0; i < count; i++)
        model[first + i] = (struct page){base + i * PAGE_SIZE, seen(flags), true};
}

static bool model_empty(uint64_t first, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        if (model[first + i].mapped)
            return false;
    return true;
}

static void random_range(uint64_t *first, uint64_t *count)
{
    uint64_t align = BIT(host_random_below(&rng, 3) * 9);

    *count = 1 + host_random_below(&rng, BIT(host_random_below(&rng, 19)));
    if (align > 1 && host_random_below(&rng, 2))
        *count = ALIGN_UP(*count, align);
    *first = ALIGN_DOWN(host_random_below(&rng, PAGES - *count + 1), align);
}

static void step(void)
{
    uint64_t first, count;
    unsigned flags = (unsigned)host_random(&rng) & ALL_FLAGS;
    paddr_t base =
        ALIGN_DOWN(host_random_below(&rng, BIT(40)), PAGE_SIZE << (9 * host_random_below(&rng, 3)));
    uint64_t at;

    random_range(&first, &count);
    at = WINDOW + first * PAGE_SIZE;
    if (host_random_below(&rng, 2) && model_empty(first, count)) {
        assert_int_equal(cpu_table_map(&table, at, base, count * PAGE_SIZE, flags), 0);
        model_set(first, count, base, flags);
        return;
    }
    assert_int_equal(page_table_cut(&table, at), 0);
    assert_int_equal(page_table_cut(&table, at + count * PAGE_SIZE), 0);
    if (host_random_below(&rng, 2)) {
        cpu_table_unmap(&table, at, count * PAGE_SIZE);
        memset(&model[first], 0, count * sizeof(model[0]));
        return;
    }
    cpu_table_protect(&table, at, count * PAGE_SIZE, flags);
    for (uint64_t i = first; i < first + count; i++)
        if (model[i].mapped)
            model[i].flags = (model[i].flags & (PAGE_OWNED | PAGE_UNCACHED)) |
                             (seen(flags) & ~(unsigned)(PAGE_OWNED | PAGE_UNCACHED));
}

static void test_model(void **state)
{
    uint64_t before = free_now();

    rng = 99;
    for (int i = 0; i < 400; i++) {
        step();
        if (i % 10 == 0)
            check_all();
    }
    check_all();
    assert_int_equal(page_table_cut(&table, WINDOW), 0);
    cpu_table_unmap(&table, WINDOW, PAGES * PAGE_SIZE);
    assert_int_equal(free_now(), before); /* every table went back */
}

/* find() against the model, for random ranges. */
static void test_find(void **state)
{
    struct cpu_mapping m;

    rng = 5;
    for (int i = 0; i < 200; i++)
        step();
    for (int i = 0; i < 2000; i++) {
        uint64_t first, count, n, length = 1;

        random_range(&first, &count);
        for (n = first; n < first + count && !model[n].mapped; n++)
            ;
        if (n == first + count) {
            assert_false(cpu_table_find(&table, WINDOW + first * PAGE_SIZE,
                                        WINDOW + (first + count) * PAGE_SIZE, &m));
            continue;
        }
        while (n + length < first + count && model[n + length].mapped &&
               model[n + length].flags == model[n].flags &&
               model[n + length].base == model[n].base + length * PAGE_SIZE)
            length++;
        assert_true(cpu_table_find(&table, WINDOW + first * PAGE_SIZE,
                                   WINDOW + (first + count) * PAGE_SIZE, &m));
        assert_int_equal(m.at, WINDOW + n * PAGE_SIZE);
        /* All of it, or as much as a search looks at. */
        assert_true(m.length == length * PAGE_SIZE ||
                    (m.length < length * PAGE_SIZE && m.length >= 512 * PAGE_SIZE));
        assert_int_equal(m.base, model[n].base);
        assert_int_equal(m.flags, model[n].flags);
    }
}

/* The quick way for one leaf says the same as the other, or nothing. */
static bool expect_fast_as_slow(uint64_t first, uint64_t count, unsigned need,
                                const struct phys_run *runs, size_t got, bool device)
{
    const uint64_t at = WINDOW + first * PAGE_SIZE;
    struct phys_run run;

    if (!cpu_table_run_of_leaf(&table, at, at + count * PAGE_SIZE, need, &run)) {
        /* A single page is a leaf. */
        assert_true(count > 1 || got == 0 || device);
        return false;
    }
    assert_int_equal(got, 1);
    assert_false(device);
    assert_int_equal(run.base, runs[0].base);
    assert_int_equal(run.length, count * PAGE_SIZE);
    assert_int_equal(run.length, runs[0].length);
    return true;
}

/* runs() against the model: the pages that come out, in order, and where it stops. */
static void test_runs(void **state)
{
    struct phys_run runs[40];
    unsigned taken = 0;
    bool device;

    rng = 6;
    for (int i = 0; i < 200; i++)
        step();
    for (int i = 0; i < 2000; i++) {
        uint64_t first, count, n;
        unsigned need = host_random_below(&rng, 2) ? PAGE_READ | PAGE_WRITE : PAGE_READ;
        size_t room = 1 + host_random_below(&rng, ARRAY_SIZE(runs)), got;

        random_range(&first, &count);
        got = cpu_table_runs(&table, WINDOW + first * PAGE_SIZE,
                             WINDOW + (first + count) * PAGE_SIZE, need, runs, room, &device);
        taken += expect_fast_as_slow(first, count, need, runs, got, device);
        n = first;
        for (size_t r = 0; r < got; r++) {
            for (uint64_t off = 0; off < runs[r].length; off += PAGE_SIZE, n++) {
                assert_true(n < first + count && model[n].mapped);
                assert_int_equal(model[n].base, runs[r].base + off);
                assert_int_equal(model[n].flags & need, need);
                assert_int_equal(!!(model[n].flags & PAGE_UNCACHED), device);
            }
        }
        assert_true(got <= room);
        if (got < room && n < first + count) /* it stopped for a reason */
            assert_true(!model[n].mapped || (model[n].flags & need) != need ||
                        !!(model[n].flags & PAGE_UNCACHED) != device);
        for (size_t r = 1; r < got; r++) /* runs are as long as possible */
            assert_true(runs[r - 1].base + runs[r - 1].length != runs[r].base);
    }
    assert_true(taken > 20);
}

/*
 * Scattered pages, of which one is unlike the others: not there, not writable, not cached, or next
 * to the one before it. They are looked at in groups, so it stands at every place of them.
 */
static void test_unlike_pages(void **state)
{
    static const unsigned flags[] = {0, PAGE_READ, PAGE_READ | PAGE_WRITE | PAGE_UNCACHED};
    const uint64_t count = 20, need = PAGE_READ | PAGE_WRITE;
    struct phys_run runs[20];
    bool device;

    for (uint64_t place = 1; place < count; place++) {
        for (size_t kind = 0; kind <= ARRAY_SIZE(flags); kind++) {
            size_t got;

            for (uint64_t i = 0; i < count; i++) {
                bool other = i == place, near = other && kind == ARRAY_SIZE(flags);
                unsigned f = other && !near ? flags[kind] : need;

                if (f)
                    assert_int_equal(cpu_table_map(&table, WINDOW + i * PAGE_SIZE,
                                                   (2 * i - near) * PAGE_SIZE, PAGE_SIZE, f),
                                     0);
            }
            got = cpu_table_runs(&table, WINDOW, WINDOW + count * PAGE_SIZE, need, runs, count,
                                 &device);
            cpu_table_unmap(&table, WINDOW, count * PAGE_SIZE);
            assert_int_equal(got, kind == ARRAY_SIZE(flags) ? count - 1 : place);
            for (size_t r = 0; r < got; r++) {
                uint64_t i = r >= place ? r + 1 : r;

                assert_int_equal(runs[r].base, 2 * i * PAGE_SIZE);
                assert_int_equal(runs[r].length, kind == ARRAY_SIZE(flags) && i + 1 == place
                                                     ? 2 * PAGE_SIZE
                                                     : PAGE_SIZE);
            }
        }
    }
}

/* The fewest leaves an address range can have, by trying every size at every place. */
static uint64_t fewest_leaves(uint64_t at, paddr_t base, uint64_t length)
{
    static const uint64_t sizes[] = {SIZE_1G, SIZE_2M, PAGE_SIZE};
    uint64_t leaves = 0;

    while (length > 0) {
        size_t s = 0;

        while (at % sizes[s] || base % sizes[s] || length < sizes[s])
            s++;
        at += sizes[s];
        base += sizes[s];
        length -= sizes[s];
        leaves++;
    }
    return leaves;
}

static void test_largest_leaves(void **state)
{
    static const uint64_t edge[] = {0,       PAGE_SIZE,         SIZE_2M - PAGE_SIZE,
                                    SIZE_2M, SIZE_1G - SIZE_2M, SIZE_1G - PAGE_SIZE};
    const uint64_t around = UINT64_C(0x100) * GIB;
    uint64_t before = free_now();

    for (size_t a = 0; a < ARRAY_SIZE(edge); a++) {
        for (size_t b = 0; b < ARRAY_SIZE(edge); b++) {
            for (size_t l = 1; l < ARRAY_SIZE(edge); l++) {
                uint64_t at = around + edge[a], length = edge[l] + (l & 1) * SIZE_1G;
                paddr_t base = 8 * GIB + edge[b];
                uint64_t leaves = 0;
                struct page page;

                assert_int_equal(cpu_table_map(&table, at, base, length, PAGE_READ), 0);
                for (uint64_t p = at; p < at + length; leaves++) {
                    uint64_t size = walk(p, &page);

                    assert_int_equal(page.base, base + (p - at));
                    p += size;
                }
                assert_int_equal(leaves, fewest_leaves(at, base, length));
                cpu_table_unmap(&table, at, length);
                assert_int_equal(free_now(), before);
            }
        }
    }
}

static void test_without_gib_pages(void **state)
{
    struct page page;

    table.pages.largest = 2;
    assert_int_equal(cpu_table_map(&table, GIB, GIB, GIB, PAGE_READ), 0);
    assert_int_equal(walk(GIB, &page), SIZE_2M);
    cpu_table_unmap(&table, GIB, GIB);
}

/* Each allocation in turn fails: afterwards nothing is mapped and no table is left over. */
static void test_map_failure_leaves_nothing(void **state)
{
    const uint64_t at = 5 * GIB - SIZE_2M - PAGE_SIZE;
    struct cpu_mapping m;
    uint64_t before = free_now();

    for (uint64_t n = 1;; n++) {
        int error;

        host_fail_nth(n);
        error = cpu_table_map(&table, at, 0x1000, 2 * GIB, PAGE_READ);
        if (!host_failed()) {
            assert_int_equal(error, 0);
            assert_true(n > 4);
            break;
        }
        assert_int_equal(error, -ENOMEM);
        assert_false(cpu_table_find(&table, 0, USER_END, &m));
        assert_int_equal(free_now(), before);
    }
    host_fail_nth(0);
}

static void test_cut_failure_changes_nothing(void **state)
{
    struct cpu_mapping m;

    assert_int_equal(cpu_table_map(&table, GIB, 4 * GIB, GIB, PAGE_READ | PAGE_OWNED), 0);
    for (uint64_t n = 1; n <= 2; n++) {
        host_fail_nth(n);
        assert_int_equal(page_table_cut(&table, GIB + 5 * PAGE_SIZE), -ENOMEM);
        assert_true(cpu_table_find(&table, 0, USER_END, &m));
        assert_int_equal(m.at, GIB);
        assert_int_equal(m.length, GIB);
        assert_int_equal(m.base, 4 * GIB);
        assert_int_equal(m.flags, PAGE_READ | PAGE_OWNED | PAGE_EXEC * 0);
    }
    host_fail_nth(0);
    assert_int_equal(page_table_cut(&table, GIB + 5 * PAGE_SIZE), 0);
    assert_int_equal(page_table_cut(&table, GIB), 0);
}

/* Two tables that share directories become one; nothing is lost and no table is left over. */
static void test_graft(void **state)
{
    struct splittable other;
    uint64_t before = free_now();

    assert_int_equal(cpu_table_init(&other, true, false), 0);
    assert_int_equal(cpu_table_map(&table, WINDOW, GIB, PAGE_SIZE, PAGE_READ), 0);
    model_set(0, 1, GIB, PAGE_READ);
    assert_int_equal(cpu_table_map(&other, WINDOW + PAGE_SIZE, 0, PAGE_SIZE, PAGE_READ), 0);
    model_set(1, 1, 0, PAGE_READ);
    assert_int_equal(cpu_table_map(&other, WINDOW + 2 * GIB, 7 * GIB, GIB, PAGE_WRITE), 0);
    model_set(2 * GIB / PAGE_SIZE, GIB / PAGE_SIZE, 7 * GIB, PAGE_WRITE);
    page_table_graft(&table.pages, &other.pages, 256);
    check_figures(&other);
    assert_int_equal(other.pages.tables, 0);
    page_table_destroy(&other.pages);
    check_all();
    cpu_table_unmap(&table, WINDOW, 3 * GIB);
    assert_int_equal(free_now(), before);
}

static void test_hold(void **state)
{
    uint64_t before = free_now();

    for (uint64_t n = 1; n <= 3; n++) {
        host_fail_nth(n);
        assert_int_equal(cpu_table_hold(&table, WINDOW), -ENOMEM);
        assert_int_equal(free_now(), before);
    }
    host_fail_nth(0);
    assert_int_equal(cpu_table_hold(&table, WINDOW), 0);
    host_fail_nth(1);
    assert_int_equal(cpu_table_map(&table, WINDOW + 5 * PAGE_SIZE, 0, PAGE_SIZE, PAGE_READ), 0);
    cpu_table_unmap(&table, WINDOW + 5 * PAGE_SIZE, PAGE_SIZE);
    assert_int_equal(cpu_table_map(&table, WINDOW, 0, PAGE_SIZE, PAGE_READ), 0);
    cpu_table_unmap(&table, WINDOW, PAGE_SIZE);
    host_fail_nth(0);
    cpu_table_unhold(&table, WINDOW);
    assert_int_equal(free_now(), before);
}

static void test_clear(void **state)
{
    uint64_t before = free_now();

    assert_int_equal(cpu_table_map(&table, 0x1000, 0x1000, PAGE_SIZE, PAGE_READ), 0);
    assert_int_equal(cpu_table_map(&table, 0x7f1234567000, 0x1000, 3 * MIB, PAGE_READ), 0);
    page_table_destroy(&table.pages);
    assert_int_equal(free_now(), before + 1); /* the root as well */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_model, setup, teardown),
        cmocka_unit_test_setup_teardown(test_find, setup, teardown),
        cmocka_unit_test_setup_teardown(test_runs, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unlike_pages, setup, teardown),
        cmocka_unit_test_setup_teardown(test_largest_leaves, setup, teardown),
        cmocka_unit_test_setup_teardown(test_without_gib_pages, setup, teardown),
        cmocka_unit_test_setup_teardown(test_map_failure_leaves_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cut_failure_changes_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_graft, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hold, setup, teardown),
        cmocka_unit_test_setup_teardown(test_clear, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
