/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory given back in parts while a device may reach it: a page, a 2 MiB block and a GiB under a
 * pin of each size are handed out to nobody before the last pin over them is gone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "kernel/lib/error.h"
#include "kernel/mm/frames/internal.h"
#include "tests/unit/host_memory.h"
#include "tests/unit/pins.h"

/* Ends where a GiB does: the last page of everything is used, too. */
#define RAM_BASE (3 * GIB - 32 * MIB)
#define RAM_SIZE (GIB + 32 * MIB)
#define BLOCK    (3 * GIB)
#define TAIL     (BLOCK + GIB - PAGE_SIZE)

static int setup(void **state)
{
    static const struct phys_run ram = {RAM_BASE, RAM_SIZE};

    host_memory_create(RAM_BASE, RAM_SIZE);
    return frames_init(&ram, 1, NULL, 0) || frames_alloc(ORDER_1G, 0) != BLOCK;
}

static int teardown(void **state)
{
    host_memory_destroy();
    return 0;
}

static struct frames_stats stats_now(void)
{
    struct frames_stats stats;

    frames_stats(&stats);
    return stats;
}

/* Takes all other memory, page by page: is any of [base, base + length) among it? */
static bool is_handed_out(paddr_t base, uint64_t length)
{
    bool found = false;
    paddr_t at;

    while ((at = frames_alloc(ORDER_4K, 0)) != PADDR_NONE)
        found = found || (at >= base && at < base + length);
    return found;
}

/* A part of pinned memory given back: out of reach until the pin is gone, and then to be had. */
static void part_waits_for_its_pin(struct phys_run pin, paddr_t part, uint64_t length)
{
    assert_int_equal(frames_pin(pin.base, pin.length), 0);
    frames_release(part, length);
    assert_int_equal(stats_now().orphans, length / PAGE_SIZE);
    assert_false(is_handed_out(part, length));
    frames_unpin(pin.base, pin.length);
    while (frames_settle())
        ;
    assert_int_equal(stats_now().orphans, 0);
    assert_int_equal(stats_now().free, length / PAGE_SIZE);
    assert_true(is_handed_out(part, length));
    assert_int_equal(stats_now().pins, 0);
}

static const struct phys_run giga = {BLOCK, SIZE_1G};
static const struct phys_run region = {BLOCK + 7 * SIZE_2M, SIZE_2M};

static void one_page_of_a_pinned_gib_waits(void **state)
{
    part_waits_for_its_pin(giga, BLOCK + 5 * SIZE_2M + 3 * PAGE_SIZE, PAGE_SIZE);
}

static void the_first_page_of_a_pinned_gib_waits(void **state)
{
    part_waits_for_its_pin(giga, BLOCK, PAGE_SIZE);
}

static void the_last_page_of_a_pinned_gib_waits(void **state)
{
    part_waits_for_its_pin(giga, TAIL, PAGE_SIZE);
}

static void a_block_of_a_pinned_gib_waits(void **state)
{
    part_waits_for_its_pin(giga, BLOCK + 5 * SIZE_2M, SIZE_2M);
}

static void one_page_of_a_pinned_block_waits(void **state)
{
    part_waits_for_its_pin(region, region.base + 9 * PAGE_SIZE, PAGE_SIZE);
    part_waits_for_its_pin(region, region.base + SIZE_2M - PAGE_SIZE, PAGE_SIZE);
}

static void a_pinned_page_waits(void **state)
{
    part_waits_for_its_pin((struct phys_run){BLOCK + PAGE_SIZE, PAGE_SIZE}, BLOCK + PAGE_SIZE,
                           PAGE_SIZE);
    part_waits_for_its_pin((struct phys_run){TAIL, PAGE_SIZE}, TAIL, PAGE_SIZE);
}

/* Pins of all sizes over one page: the last of them gives it back, whatever their order. */
static void a_page_waits_for_the_last_of_its_pins(void **state)
{
    const struct phys_run pins[] = {giga, region, {region.base, PAGE_SIZE}};

    for (unsigned first = 0; first < 3; first++) {
        const paddr_t page = region.base;

        for (unsigned i = 0; i < 3; i++)
            assert_int_equal(frames_pin(pins[i].base, pins[i].length), 0);
        frames_release(page, PAGE_SIZE);
        for (unsigned i = 0; i < 3; i++) {
            const struct phys_run *pin = &pins[(first + i) % 3];

            assert_int_equal(stats_now().orphans, 1);
            assert_false(is_handed_out(page, PAGE_SIZE));
            frames_unpin(pin->base, pin->length);
        }
        assert_true(is_handed_out(page, PAGE_SIZE));
    }
}

/* What was pinned twice waits for the second unpin. */
static void a_pin_counts_as_often_as_it_was_made(void **state)
{
    const struct phys_run pins[] = {giga, region, {TAIL, PAGE_SIZE}};
    const paddr_t pages[] = {BLOCK, region.base + SIZE_2M - PAGE_SIZE, TAIL};

    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(frames_pin(pins[i].base, pins[i].length), 0);
        assert_int_equal(frames_pin(pins[i].base, pins[i].length), 0);
        frames_release(pages[i], PAGE_SIZE);
        frames_unpin(pins[i].base, pins[i].length);
        assert_false(is_handed_out(pages[i], PAGE_SIZE));
        frames_unpin(pins[i].base, pins[i].length);
        assert_true(is_handed_out(pages[i], PAGE_SIZE));
    }
}

#define MANY (SIZE_1G / PAGE_SIZE / 2)

/* Every other page of the GiB, so that each waits by itself. */
static void give_back_many(void)
{
    for (paddr_t at = BLOCK; at < BLOCK + SIZE_1G; at += 2 * PAGE_SIZE)
        frames_release(at, PAGE_SIZE);
}

/* However many wait for a pin: they are freed piece by piece, and after all, all of them are. */
static void many_are_settled_piece_by_piece(void **state)
{
    uint64_t free = stats_now().free, left = MANY;

    assert_int_equal(frames_pin(giga.base, giga.length), 0);
    give_back_many();
    assert_int_equal(stats_now().orphans, MANY);
    assert_false(frames_settle());
    frames_unpin(giga.base, giga.length);
    assert_int_equal(stats_now().orphans, MANY);
    while (frames_settle()) {
        assert_in_range(left - stats_now().orphans, 1, 300);
        left = stats_now().orphans;
        assert_int_equal(stats_now().free, free + MANY - left);
    }
    assert_int_equal(left, 0);
}

/* A block that is pinned again meanwhile: what has not been freed waits for that pin, too. */
static void a_pin_stops_the_settling(void **state)
{
    assert_int_equal(frames_pin(giga.base, giga.length), 0);
    assert_int_equal(frames_pin(region.base, region.length), 0);
    give_back_many();
    frames_unpin(giga.base, giga.length);
    assert_true(frames_settle());
    uint64_t left = stats_now().orphans;
    assert_int_equal(frames_pin(giga.base, giga.length), 0);
    while (frames_settle())
        ;
    assert_int_equal(stats_now().orphans, left);
    frames_unpin(giga.base, giga.length);
    while (frames_settle())
        ;
    assert_int_equal(stats_now().orphans, FRAMES_PER_2M / 2);
    frames_unpin(region.base, region.length);
    while (frames_settle())
        ;
    assert_int_equal(stats_now().orphans, 0);
}

/* A long run is freed in parts. Memory that is only to be settled is there for whoever needs it. */
static void a_long_run_is_settled_in_parts(void **state)
{
    assert_int_equal(frames_pin(giga.base, giga.length), 0);
    frames_release(giga.base, giga.length);
    frames_unpin(giga.base, giga.length);
    assert_true(frames_settle());
    assert_in_range(stats_now().orphans, MANY, 2 * MANY - 1);
    assert_int_equal(frames_alloc(ORDER_1G, 0), BLOCK);
    assert_int_equal(stats_now().orphans, 0);
}

/* However often pages of a region were pinned before, one that is pinned now is not freed. */
static void pins_that_came_and_went_leave_no_count(void **state)
{
    for (unsigned i = 0; i < UINT16_MAX; i++) {
        assert_int_equal(frames_pin(BLOCK + PAGE_SIZE, PAGE_SIZE), 0);
        frames_unpin(BLOCK + PAGE_SIZE, PAGE_SIZE);
    }
    assert_int_equal(frames_pin(BLOCK, PAGE_SIZE), 0);
    frames_release(BLOCK, 2 * PAGE_SIZE);
    assert_int_equal(stats_now().orphans, 1);
    assert_false(is_handed_out(BLOCK, PAGE_SIZE));
    frames_unpin(BLOCK, PAGE_SIZE);
    assert_true(is_handed_out(BLOCK, PAGE_SIZE));
}

/* A counter that is full refuses, with everything as it was. */
static void a_full_counter_refuses_the_pin(void **state)
{
    struct frame *frame = &frames.frame[(BLOCK >> PAGE_SHIFT) - frames.base];
    uint32_t *const counters[] = {&frame->pins, &region_of(BLOCK >> PAGE_SHIFT)->pins,
                                  &giga_of(BLOCK >> PAGE_SHIFT)->pins};
    static const uint64_t sizes[] = {PAGE_SIZE, SIZE_2M, SIZE_1G};

    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        const struct phys_run runs[] = {{TAIL, PAGE_SIZE}, {BLOCK, sizes[i]}};

        *counters[i] = UINT32_MAX - 1;
        assert_int_equal(frames_pin_runs(runs, 2), 0);
        assert_int_equal(stats_now().pins, 2);
        assert_int_equal(frames_pin_runs(runs, 2), -ENOMEM);
        assert_int_equal(*counters[i], UINT32_MAX);
        assert_int_equal(stats_now().pins, 2);
        frames_unpin_runs(runs, 2);
        assert_int_equal(*counters[i], UINT32_MAX - 1);
        *counters[i] = 0;
    }
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(one_page_of_a_pinned_gib_waits),        TEST(the_first_page_of_a_pinned_gib_waits),
        TEST(the_last_page_of_a_pinned_gib_waits),   TEST(a_block_of_a_pinned_gib_waits),
        TEST(one_page_of_a_pinned_block_waits),      TEST(a_pinned_page_waits),
        TEST(a_page_waits_for_the_last_of_its_pins), TEST(a_pin_counts_as_often_as_it_was_made),
        TEST(many_are_settled_piece_by_piece),       TEST(a_pin_stops_the_settling),
        TEST(a_long_run_is_settled_in_parts),        TEST(pins_that_came_and_went_leave_no_count),
        TEST(a_full_counter_refuses_the_pin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
