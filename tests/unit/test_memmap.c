/* SPDX-License-Identifier: BSD-2-Clause */
/* The boot memory map against a page-by-page reference. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include "kernel/lib/error.h"
#include "kernel/mm/memmap.h"
#include "tests/unit/host_memory.h"

#define LOW   (MIB / PAGE_SIZE) /* pages that are never used */
#define PAGES (LOW + 250)

static struct memmap map;
static const struct memory_policy nothing;

static void paint(uint8_t *pages, const struct phys_run *runs, size_t count)
{
    uint64_t end = 0;

    memset(pages, 0, PAGES);
    for (size_t i = 0; i < count; i++) {
        assert_true(IS_ALIGNED(runs[i].base | runs[i].length, PAGE_SIZE));
        assert_true(runs[i].length > 0);
        assert_true(i == 0 || runs[i].base > end); /* sorted, disjoint, joined */
        end = runs[i].base + runs[i].length;
        memset(pages + runs[i].base / PAGE_SIZE, 1, runs[i].length / PAGE_SIZE);
    }
}

/* What one page is, byte range by byte range. */
static unsigned reference(const struct boot_memory *regions, size_t count, uint64_t page)
{
    unsigned best = 0;

    for (size_t i = 0; i < count; i++) {
        uint64_t end = regions[i].base + regions[i].length;
        uint32_t type = regions[i].type;

        if (type < 1 || type > 6)
            type = BOOT_MEMORY_RESERVED;
        if (type == BOOT_MEMORY_USABLE &&
            (regions[i].base > page * PAGE_SIZE || end < (page + 1) * PAGE_SIZE))
            continue;
        if (regions[i].base < (page + 1) * PAGE_SIZE && end > page * PAGE_SIZE)
            best = MAX(best, type);
    }
    return best;
}

static void random_maps_agree_with_a_page_by_page_model(void **state)
{
    uint64_t rng = 3;

    for (int round = 0; round < 3000; round++) {
        struct boot_memory regions[12];
        size_t count = 1 + host_random_below(&rng, 12);
        uint8_t usable[PAGES], held[PAGES], ram[PAGES], reserved[PAGES];
        uint64_t first = LOW - 50 + host_random_below(&rng, 150);
        uint64_t pages = host_random_below(&rng, 100);
        const struct memory_policy policy = {
            .window = {first * PAGE_SIZE, pages * PAGE_SIZE}}; /* none if pages is 0 */

        for (size_t i = 0; i < count; i++) {
            uint64_t unit = host_random_below(&rng, 2) ? PAGE_SIZE : 100;

            regions[i].base = (LOW - 50) * PAGE_SIZE;
            regions[i].base += host_random_below(&rng, 150 * PAGE_SIZE) / unit * unit;
            regions[i].length = (1 + host_random_below(&rng, 100 * PAGE_SIZE) / unit) * unit;
            regions[i].type = (uint32_t)host_random_below(&rng, 9);
        }
        assert_int_equal(memmap_build(&map, regions, count, &policy), 0);
        paint(usable, map.usable, map.usable_count);
        paint(held, map.held, map.held_count);
        paint(ram, map.ram, map.ram_count);
        paint(reserved, map.reserved, map.reserved_count);
        for (uint64_t page = 0; page < PAGES; page++) {
            unsigned type = reference(regions, count, page);
            bool inside = page >= LOW && (!pages || (page >= first && page < first + pages));

            assert_int_equal(usable[page], inside && type == BOOT_MEMORY_USABLE);
            assert_int_equal(held[page], inside && type == BOOT_MEMORY_BOOT);
            assert_int_equal(ram[page], type != 0 && type != BOOT_MEMORY_RESERVED);
            assert_int_equal(reserved[page], type == BOOT_MEMORY_RESERVED);
        }
    }
}

static void what_is_kept_out_or_beyond_the_limit_is_not_usable(void **state)
{
    static const struct boot_memory regions[] = {{0, 64 * MIB, BOOT_MEMORY_USABLE, 0}};
    static const struct phys_run keep_out[] = {{2 * MIB + 1, 10}};

    const struct memory_policy policy = {
        .keep_out = keep_out, .keep_out_count = 1, .limit = 3 * MIB + 5};

    assert_int_equal(memmap_build(&map, regions, 1, &policy), 0);
    assert_int_equal(map.usable_count, 2);
    assert_int_equal(map.usable[0].length, MIB);
    assert_int_equal(map.usable[1].base, 2 * MIB + PAGE_SIZE);
    assert_int_equal(map.usable[1].length, 2 * MIB);
    assert_int_equal(map.ram_count, 2);
    assert_int_equal(map.ram[1].length, 62 * MIB - PAGE_SIZE);
}

/* BIOS and SMM write there, also where the map says that it is free, or what the door used. */
static void the_first_mib_is_ram_that_nobody_gets(void **state)
{
    static const struct boot_memory regions[] = {{0, 640 * KIB, BOOT_MEMORY_USABLE, 0},
                                                 {640 * KIB, 64 * KIB, BOOT_MEMORY_BOOT, 0},
                                                 {MIB - 64 * KIB, 128 * KIB, BOOT_MEMORY_BOOT, 0},
                                                 {2 * MIB, 62 * MIB, BOOT_MEMORY_USABLE, 0}};
    static const struct memory_policy policies[] = {{0}, {.window = {512 * KIB, 64 * MIB}}};

    for (size_t i = 0; i < ARRAY_SIZE(policies); i++) {
        assert_int_equal(memmap_build(&map, regions, ARRAY_SIZE(regions), &policies[i]), 0);
        assert_int_equal(map.usable_count, 1);
        assert_int_equal(map.usable[0].base, 2 * MIB);
        assert_int_equal(map.held_count, 1);
        assert_int_equal(map.held[0].base, MIB);
        assert_int_equal(map.held[0].length, 64 * KIB);
        assert_int_equal(map.ram[0].base, 0);
        assert_int_equal(map.ram[1].base, MIB - 64 * KIB);
        assert_int_equal(map.ram[1].length, 128 * KIB);
    }
    assert_int_equal(
        memmap_build(&map, regions, 1, &(struct memory_policy){.window = {0, 512 * KIB}}), 0);
    assert_int_equal(map.usable_count, 0);
}

/* The limit counts what is in the window, from its beginning. */
static void the_limit_counts_in_the_window(void **state)
{
    static const struct boot_memory regions[] = {{0, 64 * MIB, BOOT_MEMORY_USABLE, 0},
                                                 {20 * MIB, MIB, BOOT_MEMORY_KERNEL, 0}};
    const struct memory_policy policy = {.limit = 8 * MIB, .window = {16 * MIB, 32 * MIB}};

    assert_int_equal(memmap_build(&map, regions, 2, &policy), 0);
    assert_int_equal(map.usable_count, 2);
    assert_int_equal(map.usable[0].base, 16 * MIB);
    assert_int_equal(map.usable[0].length, 4 * MIB);
    assert_int_equal(map.usable[1].base, 21 * MIB);
    assert_int_equal(map.usable[1].length, 4 * MIB);
    assert_int_equal(map.ram_count, 1);
    assert_int_equal(map.ram[0].length, 64 * MIB);
}

static void impossible_maps_are_refused(void **state)
{
    static struct boot_memory many[MEMMAP_REGIONS_MAX + 1];
    static const struct boot_memory wraps[] = {{UINT64_MAX - 5, 10, BOOT_MEMORY_USABLE, 0}};
    static const struct boot_memory top[] = {{UINT64_MAX - 5, 5, BOOT_MEMORY_USABLE, 0},
                                             {UINT64_MAX - 5, 5, BOOT_MEMORY_RESERVED, 0}};

    assert_int_equal(memmap_build(&map, wraps, 1, &nothing), -EINVAL);
    assert_int_equal(memmap_build(&map, top, 2, &nothing), 0);
    assert_int_equal(map.usable_count, 0);
    for (size_t i = 0; i < ARRAY_SIZE(many); i++)
        many[i] = (struct boot_memory){i * 2 * PAGE_SIZE, PAGE_SIZE, BOOT_MEMORY_USABLE, 0};
    assert_int_equal(memmap_build(&map, many, MEMMAP_REGIONS_MAX + 1, &nothing), -ENOSPC);
    assert_int_equal(memmap_build(&map, many, MEMMAP_RUNS_MAX + 1, &nothing), -ENOSPC);
    assert_int_equal(memmap_build(&map, many, MEMMAP_RUNS_MAX, &nothing), 0);
    assert_int_equal(memmap_build(&map, NULL, 0, &nothing), 0);
    assert_int_equal(map.usable_count, 0);
}

/* Firmware may list more than there is room for; nobody needs to know of each piece. */
static void reserved_memory_without_end_is_one_piece_at_last(void **state)
{
    static struct boot_memory many[MEMMAP_RUNS_MAX + 10];
    const struct phys_run *last = &map.reserved[MEMMAP_RUNS_MAX - 1];

    for (size_t i = 0; i < ARRAY_SIZE(many); i++)
        many[i] = (struct boot_memory){i * 2 * PAGE_SIZE, PAGE_SIZE, BOOT_MEMORY_RESERVED, 0};
    assert_int_equal(memmap_build(&map, many, ARRAY_SIZE(many), &nothing), 0);
    assert_int_equal(map.reserved_count, MEMMAP_RUNS_MAX);
    assert_int_equal(last->base, many[MEMMAP_RUNS_MAX - 1].base);
    assert_int_equal(last->base + last->length, many[ARRAY_SIZE(many) - 1].base + PAGE_SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_maps_agree_with_a_page_by_page_model),
        cmocka_unit_test(what_is_kept_out_or_beyond_the_limit_is_not_usable),
        cmocka_unit_test(the_first_mib_is_ram_that_nobody_gets),
        cmocka_unit_test(the_limit_counts_in_the_window),
        cmocka_unit_test(impossible_maps_are_refused),
        cmocka_unit_test(reserved_memory_without_end_is_one_piece_at_last),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
