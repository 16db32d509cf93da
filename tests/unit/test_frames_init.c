/* SPDX-License-Identifier: BSD-2-Clause */
/* What the frame allocator makes of the machine's memory map: which frames are its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "kernel/lib/error.h"
#include "kernel/mm/frames/frames.h"
#include "tests/unit/host_memory.h"
#include "tests/unit/pins.h"

#define RAM_BASE (3 * GIB - 32 * MIB)
#define RAM_SIZE (2 * GIB + 64 * MIB)

static void held_memory_can_be_released_later(void **state)
{
    static const struct phys_run usable[] = {{RAM_BASE, 8 * MIB}, {RAM_BASE + 10 * MIB, 8 * MIB}};
    static const struct phys_run boot[] = {{RAM_BASE + 8 * MIB, 2 * MIB}};
    struct frames_stats s;
    uint64_t before;

    host_memory_create(RAM_BASE, RAM_SIZE);
    assert_int_equal(frames_init(usable, 2, boot, 1), 0);
    frames_stats(&s);
    before = s.free;
    assert_int_equal(s.total - s.free, 2 * MIB / PAGE_SIZE);
    assert_int_equal(frames_pin(boot[0].base, boot[0].length), 0);
    frames_release(boot[0].base, boot[0].length);
    frames_unpin(boot[0].base, boot[0].length);
    assert_true(frames_settle());
    frames_stats(&s);
    assert_int_equal(s.free, before + 2 * MIB / PAGE_SIZE);
    host_memory_destroy();
}

static void bad_runs_are_refused(void **state)
{
    static const struct phys_run unaligned[] = {{RAM_BASE + 1, PAGE_SIZE}};
    static const struct phys_run empty[] = {{RAM_BASE, 0}};
    static const struct phys_run overlap[] = {{RAM_BASE, MIB}, {RAM_BASE, MIB}};
    static const struct phys_run wraps[] = {{~(uint64_t)0 & ~(PAGE_SIZE - 1), 2 * PAGE_SIZE}};
    static const struct phys_run one_page[] = {{RAM_BASE, PAGE_SIZE}};
    static const struct phys_run tiny[] = {{RAM_BASE, 2 * PAGE_SIZE}};
    static const struct phys_run far[] = {{64 * KIB * GIB, GIB}};

    host_memory_create(RAM_BASE, RAM_SIZE);
    assert_int_equal(frames_init(unaligned, 1, NULL, 0), -EINVAL);
    assert_int_equal(frames_init(empty, 1, NULL, 0), -EINVAL);
    assert_int_equal(frames_init(overlap, 2, NULL, 0), -EINVAL);
    assert_int_equal(frames_init(wraps, 1, NULL, 0), -EINVAL);
    assert_int_equal(frames_init(tiny, 1, unaligned, 1), -EINVAL);
    assert_int_equal(frames_init(tiny, 1, NULL, 0), 0); /* metadata takes it all: nothing free */
    assert_true(frames_alloc(0, 0) == PADDR_NONE);
    assert_int_equal(frames_init(far, 1, NULL, 0), -ENOMEM);
    assert_int_equal(frames_init(NULL, 0, NULL, 0), -ENOMEM);
    assert_int_equal(frames_init(one_page, 1, NULL, 0), -ENOMEM); /* its metadata takes two */
    host_memory_destroy();
}

/* The metadata goes where no whole GiB breaks; a run beyond a huge hole is left alone. */
static void metadata_goes_where_no_whole_gib_breaks(void **state)
{
    static const struct phys_run usable[] = {
        {3 * GIB - 16 * MIB, 16 * MIB},
        {3 * GIB + MIB, GIB - MIB},
        {4 * GIB, GIB},
        {1024 * GIB, GIB},
    };
    struct frames_stats s;
    paddr_t at;

    host_memory_create(RAM_BASE, RAM_SIZE);
    assert_int_equal(frames_init(usable, 4, NULL, 0), 0);
    at = frames_alloc(ORDER_1G, 0);
    assert_int_equal(at, 4 * GIB);
    frames_stats(&s);
    assert_true(s.total < 3 * GIB / PAGE_SIZE);
    host_memory_destroy();
}

/* Nor a block of 2 MiB, where a run without one is large enough for the metadata. */
static void metadata_goes_where_no_block_breaks(void **state)
{
    static const struct phys_run usable[] = {
        {RAM_BASE + MIB, MIB},          {RAM_BASE + 2 * MIB, 32 * MIB}, {RAM_BASE + 34 * MIB, MIB},
        {RAM_BASE + 36 * MIB, 2 * MIB}, {RAM_BASE + 38 * MIB, MIB},
    };
    static const unsigned blocks[] = {0, 16, 0, 1, 0};

    host_memory_create(RAM_BASE, RAM_SIZE);
    for (size_t i = 0; i + 1 < ARRAY_SIZE(usable); i++) { /* two neighbours at a time */
        assert_int_equal(frames_init(&usable[i], 2, NULL, 0), 0);
        for (unsigned left = blocks[i] + blocks[i + 1]; left > 0; left--)
            assert_true(frames_alloc(ORDER_2M, 0) != PADDR_NONE);
        assert_true(frames_alloc(ORDER_2M, 0) == PADDR_NONE);
    }
    host_memory_destroy();
}

/* A GiB is the largest block: two free ones side by side are two, also when they come back. */
static void neighbouring_gibs_are_not_joined(void **state)
{
    static const struct phys_run usable[] = {{4 * GIB - 32 * MIB, 32 * MIB}, {4 * GIB, 2 * GIB}};

    host_memory_create(4 * GIB - 32 * MIB, 2 * GIB + 32 * MIB);
    assert_int_equal(frames_init(usable, 2, NULL, 0), 0);
    for (unsigned round = 0; round < 2; round++) {
        assert_int_equal(frames_alloc(ORDER_1G, 0) + frames_alloc(ORDER_1G, 0), 9 * GIB);
        assert_true(frames_alloc(ORDER_1G, 0) == PADDR_NONE);
        frames_release(4 * GIB, GIB);
        frames_release(5 * GIB, GIB);
    }
    host_memory_destroy();
}

/* Takes every free frame: how many there were, all of them in [base, base + length). */
static uint64_t take_all(paddr_t base, uint64_t length)
{
    uint64_t count = 0;
    paddr_t at;

    while ((at = frames_alloc(ORDER_4K, 0)) != PADDR_NONE) {
        assert_in_range(at, base, base + length - PAGE_SIZE);
        count++;
    }
    return count;
}

/* Frame numbers have 32 bits: memory above is left alone. */
static void memory_is_used_up_to_16_tib(void **state)
{
    const uint64_t end = PAGE_SIZE << 32, half = 4 * MIB;
    const struct phys_run across = {end - half, 2 * half};
    struct frames_stats s;

    host_memory_create(across.base, across.length);
    assert_int_equal(frames_init(&across, 1, NULL, 0), 0);
    frames_stats(&s);
    assert_in_range(s.total, half / PAGE_SIZE - 16, half / PAGE_SIZE);
    assert_true(frames_owned(end - PAGE_SIZE, PAGE_SIZE));
    assert_false(frames_owned(end, PAGE_SIZE));
    assert_int_equal(take_all(end - half, half), s.total);
    host_memory_destroy();
}

/* Eight times the pages that the table spends on the hole in front of it, and not one less. */
static void a_far_run_pays_for_the_hole_before_it(void **state)
{
    const uint64_t hole = 256 * MIB, pays = hole / 256 * 8;
    struct phys_run usable[] = {{RAM_BASE, 16 * MIB}, {RAM_BASE + 16 * MIB + hole, pays}};
    const paddr_t far = usable[1].base;

    host_memory_create(RAM_BASE, RAM_SIZE);
    assert_int_equal(frames_init(usable, 2, NULL, 0), 0);
    assert_true(frames_owned(far, pays));
    usable[1].length -= PAGE_SIZE;
    assert_int_equal(frames_init(usable, 2, NULL, 0), 0);
    assert_false(frames_owned(far, PAGE_SIZE));
    host_memory_destroy();
}

/* Neither list is read beyond its end, whichever of them ends first. */
static void lists_end_where_they_end(void **state)
{
    static const struct phys_run runs[] = {
        {RAM_BASE, 8 * MIB},
        {RAM_BASE + 16 * MIB, 8 * MIB},
        {RAM_BASE + 2 * MIB, MIB}, /* beyond the end of the list */
    };
    static const struct phys_run held[] = {
        {RAM_BASE + 8 * MIB, 2 * MIB}, {RAM_BASE + 12 * MIB, 2 * MIB}, /* likewise */
    };
    const struct phys_run first[] = {runs[0], runs[2]};
    struct frames_stats s;

    host_memory_create(RAM_BASE, RAM_SIZE);
    assert_int_equal(frames_init(first, 1, held, 1), 0); /* held behind all that is usable */
    frames_stats(&s);
    assert_in_range(s.total, 8 * MIB / PAGE_SIZE - 64, 8 * MIB / PAGE_SIZE - 1); /* metadata */
    assert_int_equal(s.free, s.total);
    assert_int_equal(frames_init(runs, 2, held, 1), 0);
    frames_stats(&s);
    assert_in_range(s.total, 18 * MIB / PAGE_SIZE - 64, 18 * MIB / PAGE_SIZE);
    assert_int_equal(s.total - s.free, 2 * MIB / PAGE_SIZE);
    assert_true(frames_owned(held[0].base, held[0].length));
    assert_false(frames_owned(held[1].base, PAGE_SIZE));
    host_memory_destroy();
}

/* What follows the table in memory looks like an unpinned frame here: it is none. */
static void the_table_has_no_frame_behind_the_last(void **state)
{
    static const struct phys_run ram = {3 * GIB, 4 * MIB + 4 * PAGE_SIZE};
    struct frames_stats s;

    host_memory_create(ram.base, ram.length);
    assert_int_equal(frames_init(&ram, 1, NULL, 0), 0);
    assert_int_equal(frames_pin(ram.base + ram.length - PAGE_SIZE, PAGE_SIZE), 0);
    assert_int_equal(frames_pin(ram.base + ram.length, PAGE_SIZE), -EINVAL);
    frames_stats(&s);
    assert_int_equal(s.pins, 1);
    host_memory_destroy();
}

/*
 * The last block has no neighbour behind the end of the table. What follows in memory looks like
 * one here: the pins of the second region, whose list of orphans begins with frame 0x...204.
 */
static void the_last_block_has_no_neighbour(void **state)
{
    static const struct phys_run ram = {3 * GIB, 4 * MIB + 4 * PAGE_SIZE};
    const paddr_t region = 3 * GIB + SIZE_2M, orphan = region + 4 * PAGE_SIZE;
    struct frames_stats s;
    uint64_t held = 0;

    host_memory_create(ram.base, ram.length);
    assert_int_equal(frames_init(&ram, 1, NULL, 0), 0);
    while (frames_alloc(ORDER_4K, 0) != PADDR_NONE)
        held++;
    assert_int_equal(frames_pin(region, SIZE_2M), 0);
    frames_release(orphan, PAGE_SIZE);
    frames_release(ram.base + 4 * MIB, 4 * PAGE_SIZE);
    frames_stats(&s);
    assert_int_equal(s.free, 4);
    assert_true(frames_alloc(3, 0) == PADDR_NONE);
    assert_int_equal(take_all(ram.base + 4 * MIB, 4 * PAGE_SIZE), 4);
    frames_unpin(region, SIZE_2M);
    assert_int_equal(take_all(orphan, PAGE_SIZE), 1);
    assert_in_range(held, 1024 - 16, 1028);
    host_memory_destroy();
}

/* The metadata lies behind a run that is too small for it: the run stays as it is. */
static void a_run_ends_where_it_ends(void **state)
{
    static const struct phys_run usable[] = {{RAM_BASE, PAGE_SIZE}, {RAM_BASE + 4 * MIB, 8 * MIB}};
    struct frames_stats s;

    host_memory_create(RAM_BASE, RAM_SIZE);
    assert_int_equal(frames_init(usable, 2, NULL, 0), 0);
    assert_true(frames_owned(RAM_BASE, PAGE_SIZE));
    assert_false(frames_owned(RAM_BASE + PAGE_SIZE, PAGE_SIZE));
    assert_false(frames_owned(RAM_BASE + 4 * MIB - PAGE_SIZE, PAGE_SIZE));
    frames_stats(&s);
    assert_in_range(s.total, 8 * MIB / PAGE_SIZE - 64, 8 * MIB / PAGE_SIZE);
    host_memory_destroy();
}

/* A 64th of all memory, but 1 MiB at least and 16 MiB at most. */
static void the_reserve_follows_the_size(void **state)
{
    static const uint64_t sizes[] = {4 * MIB, 128 * MIB, 2 * GIB};
    struct frames_stats s;

    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        const struct phys_run ram = {RAM_BASE, sizes[i]};

        host_memory_create(RAM_BASE, RAM_SIZE);
        assert_int_equal(frames_init(&ram, 1, NULL, 0), 0);
        frames_stats(&s);
        assert_int_equal(s.reserve, i == 0 ? 256 : i == 1 ? s.total / 64 : 4096);
        host_memory_destroy();
    }
}

/* What a request of the payload leaves is the reserve or more, to the last frame. */
static void the_payload_does_not_get_the_reserve(void **state)
{
    static const struct phys_run ram = {RAM_BASE, 8 * MIB};
    struct frames_stats s;

    host_memory_create(RAM_BASE, RAM_SIZE);
    assert_int_equal(frames_init(&ram, 1, NULL, 0), 0);
    do {
        assert_true(frames_alloc(ORDER_4K, 0) != PADDR_NONE);
        frames_stats(&s);
    } while (s.free > s.reserve + 8);
    assert_true(frames_alloc(4, FRAMES_PAYLOAD) == PADDR_NONE);
    assert_true(frames_alloc(3, FRAMES_PAYLOAD) != PADDR_NONE);
    assert_true(frames_alloc(ORDER_4K, FRAMES_PAYLOAD) == PADDR_NONE);
    frames_stats(&s);
    assert_int_equal(s.free, s.reserve);
    assert_true(frames_alloc(3, 0) != PADDR_NONE);
    host_memory_destroy();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(held_memory_can_be_released_later),
        cmocka_unit_test(bad_runs_are_refused),
        cmocka_unit_test(metadata_goes_where_no_whole_gib_breaks),
        cmocka_unit_test(metadata_goes_where_no_block_breaks),
        cmocka_unit_test(neighbouring_gibs_are_not_joined),
        cmocka_unit_test(memory_is_used_up_to_16_tib),
        cmocka_unit_test(a_far_run_pays_for_the_hole_before_it),
        cmocka_unit_test(lists_end_where_they_end),
        cmocka_unit_test(the_table_has_no_frame_behind_the_last),
        cmocka_unit_test(a_run_ends_where_it_ends),
        cmocka_unit_test(the_reserve_follows_the_size),
        cmocka_unit_test(the_payload_does_not_get_the_reserve),
        cmocka_unit_test(the_last_block_has_no_neighbour),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
