/* SPDX-License-Identifier: BSD-2-Clause */
/* The frame allocator against a byte map: what is held, and how many pins cover each frame. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include "kernel/lib/error.h"
#include "kernel/mm/direct.h"
#include "kernel/mm/frames/frames.h"
#include "tests/unit/host_memory.h"
#include "tests/unit/pins.h"

#define RAM_BASE   (3 * GIB - 32 * MIB)
#define RAM_SIZE   (2 * GIB + 64 * MIB)
#define RAM_FRAMES (RAM_SIZE / PAGE_SIZE)
#define HOLE_FIRST (2 * GIB / PAGE_SIZE + 5000)
#define HOLE_END   (HOLE_FIRST + 700)
#define RUNS_MAX   256

static const struct phys_run ram[] = {
    {RAM_BASE, HOLE_FIRST *PAGE_SIZE},
    {RAM_BASE + HOLE_END * PAGE_SIZE, RAM_SIZE - HOLE_END *PAGE_SIZE},
};

/* The reference. Frames are counted from RAM_BASE. */
static uint8_t held[RAM_FRAMES];
static uint8_t pins[RAM_FRAMES];
static uint64_t free_frames, orphans, pin_blocks;
static struct phys_run pinned[RUNS_MAX];
static size_t pinned_count;
static uint64_t rng;

static uint64_t frame_of(paddr_t address)
{
    return (address - RAM_BASE) / PAGE_SIZE;
}

static uint64_t blocks_of(struct phys_run run)
{
    static const uint64_t sizes[] = {SIZE_1G, SIZE_2M, PAGE_SIZE};
    uint64_t blocks = 0;

    while (run.length > 0) {
        size_t i = 0;

        while (!IS_ALIGNED(run.base, sizes[i]) || run.length < sizes[i])
            i++;
        run.base += sizes[i];
        run.length -= sizes[i];
        blocks++;
    }
    return blocks;
}

static void expect_stats(void)
{
    struct frames_stats s;

    frames_stats(&s);
    assert_int_equal(s.free, free_frames);
    assert_int_equal(s.orphans, orphans);
    assert_int_equal(s.pins, pin_blocks);
}

static void setup(void)
{
    struct frames_stats s;

    host_memory_create(RAM_BASE, RAM_SIZE);
    assert_int_equal(frames_init(ram, ARRAY_SIZE(ram), NULL, 0), 0);
    memset(held, 1, sizeof(held));
    memset(pins, 0, sizeof(pins));
    frames_stats(&s);
    assert_int_equal(s.free, s.total);
    free_frames = s.free;
    orphans = pin_blocks = pinned_count = 0;
    for (uint64_t f = 0; f < RAM_FRAMES; f++)
        held[f] = !frames_owned(RAM_BASE + f * PAGE_SIZE, PAGE_SIZE);
}

static bool model_alloc(unsigned order)
{
    paddr_t at = frames_alloc(order, 0);
    uint64_t f = frame_of(at);

    if (at == PADDR_NONE)
        return false;
    assert_true(IS_ALIGNED(at, PAGE_SIZE << order));
    for (uint64_t i = 0; i < BIT(order); i++) {
        assert_int_equal(held[f + i], 0);
        assert_int_equal(pins[f + i], 0);
        held[f + i] = 2;
    }
    free_frames -= BIT(order);
    return true;
}

static void model_release(uint64_t f, uint64_t count)
{
    for (uint64_t i = f; i < f + count; i++) {
        assert_int_equal(held[i], 2);
        held[i] = 0;
        if (pins[i])
            orphans++;
        else
            free_frames++;
    }
    frames_release(RAM_BASE + f * PAGE_SIZE, count * PAGE_SIZE);
}

static void model_pin(uint64_t f, uint64_t count)
{
    struct phys_run run = {RAM_BASE + f * PAGE_SIZE, count * PAGE_SIZE};

    if (pinned_count == RUNS_MAX)
        return;
    assert_int_equal(frames_pin(run.base, run.length), 0);
    for (uint64_t i = f; i < f + count; i++)
        pins[i]++;
    pin_blocks += blocks_of(run);
    pinned[pinned_count++] = run;
}

static void model_unpin(size_t index)
{
    struct phys_run run = pinned[index];
    uint64_t f = frame_of(run.base);

    pinned[index] = pinned[--pinned_count];
    for (uint64_t i = f; i < f + run.length / PAGE_SIZE; i++) {
        if (--pins[i] == 0 && !held[i]) {
            orphans--;
            free_frames++;
        }
    }
    pin_blocks -= blocks_of(run);
    frames_unpin(run.base, run.length);
    while (frames_settle())
        ;
}

/* A random run of held frames that starts near a random place: its first frame, or RAM_FRAMES. */
static uint64_t held_run(uint64_t *count)
{
    uint64_t f = host_random_below(&rng, RAM_FRAMES);
    uint64_t limit = BIT(host_random_below(&rng, 19)) + host_random_below(&rng, 3);
    uint64_t n = 0;

    if (host_random_below(&rng, 2))
        f &= ~(BIT(host_random_below(&rng, 19)) - 1);
    for (uint64_t tries = 0; f < RAM_FRAMES && held[f] != 2 && tries < 5000; tries++)
        f++;
    while (f + n < RAM_FRAMES && n < limit && held[f + n] == 2)
        n++;
    *count = n;
    return n ? f : RAM_FRAMES;
}

static void random_step(void)
{
    /* Small blocks often, large ones seldom: an order costs its length in the model. */
    unsigned most = host_random_below(&rng, 64) == 0 ? 19 : 10;
    uint64_t count, f;

    switch (host_random_below(&rng, 8)) {
    case 0:
    case 1:
    case 2:
        model_alloc((unsigned)host_random_below(&rng, most));
        break;
    case 3:
    case 4:
        f = held_run(&count);
        if (f != RAM_FRAMES)
            model_release(f, count);
        break;
    case 5:
    case 6:
        f = held_run(&count);
        if (f != RAM_FRAMES)
            model_pin(f, count);
        break;
    default:
        if (pinned_count)
            model_unpin(host_random_below(&rng, pinned_count));
    }
}

static void release_everything(void)
{
    while (pinned_count)
        model_unpin(pinned_count - 1);
    for (uint64_t f = 0; f < RAM_FRAMES; f++)
        if (held[f] == 2)
            model_release(f, 1);
    expect_stats();
    assert_int_equal(orphans, 0);
}

static void random_work_agrees_with_the_model(void **state)
{
    uint64_t rounds = host_steps(100000, 10000000) / 20000;
    paddr_t whole;

    for (uint64_t round = 0; round < rounds; round++) {
        rng = 12345 + round;
        setup();
        for (int step = 0; step < 20000; step++) {
            random_step();
            expect_stats();
        }
        release_everything();
        /* All blocks joined again: the one whole GiB of this memory can be had. */
        whole = frames_alloc(ORDER_1G, 0);
        assert_true(whole == 3 * GIB || whole == 4 * GIB);
        host_memory_destroy();
    }
}

/* Everything can be taken frame by frame, is zeroed on request, and nothing twice. */
static void every_frame_is_given_once(void **state)
{
    static const struct phys_run small[] = {{RAM_BASE, 3 * MIB}};
    struct frames_stats s;
    uint64_t count = 0;
    paddr_t at;

    host_memory_create(RAM_BASE, RAM_SIZE);
    memset(phys_to_virt(RAM_BASE), 0x5a, 3 * MIB);
    assert_int_equal(frames_init(small, 1, NULL, 0), 0);
    frames_stats(&s);
    assert_int_equal(s.total, 3 * MIB / PAGE_SIZE - 5); /* 768 * 16 bytes and the pin blocks */
    memset(held, 0, sizeof(held));
    while ((at = frames_alloc(0, FRAMES_ZERO)) != PADDR_NONE) {
        const uint64_t *word = phys_to_virt(at);

        assert_int_equal(held[frame_of(at)]++, 0);
        for (size_t i = 0; i < PAGE_SIZE / 8; i++)
            assert_int_equal(word[i], 0);
        count++;
    }
    assert_int_equal(count, s.total);
    assert_true(frames_alloc(1, 0) == PADDR_NONE);
    host_memory_destroy();
}

static void single_frames_do_not_hide_large_blocks(void **state)
{
    paddr_t one, large;

    rng = 1;
    setup();
    one = frames_alloc(0, 0);
    frames_release(one, PAGE_SIZE);
    /* The only whole GiB may have been split for `one`; asking for it must put it together. */
    large = frames_alloc(ORDER_1G, 0);
    assert_true(large != PADDR_NONE);
    assert_true(frames_alloc(ORDER_1G, 0) == PADDR_NONE);
    frames_release(large, SIZE_1G);
    host_memory_destroy();
}

static void a_pinned_gib_is_one_count(void **state)
{
    struct frames_stats s;
    paddr_t at;

    setup();
    at = frames_alloc(ORDER_1G, 0);
    assert_int_equal(frames_pin(at, SIZE_1G), 0);
    frames_stats(&s);
    assert_int_equal(s.pins, 1);
    frames_release(at, SIZE_1G);
    frames_stats(&s);
    assert_int_equal(s.orphans, SIZE_1G / PAGE_SIZE);
    assert_true(frames_alloc(ORDER_1G, 0) == PADDR_NONE);
    frames_unpin(at, SIZE_1G);
    assert_true(frames_alloc(ORDER_1G, 0) == at);
    host_memory_destroy();
}

static uint64_t pins_now(void)
{
    struct frames_stats s;

    frames_stats(&s);
    return s.pins;
}

/* Releases a block: is it free at once? */
static bool comes_back(paddr_t block)
{
    struct frames_stats s;

    frames_release(block, SIZE_2M);
    frames_stats(&s);
    return s.orphans == 0;
}

/* Many runs at once, of every kind and order: all or nothing. */
static void a_list_of_runs_is_pinned_whole_or_not_at_all(void **state)
{
    struct phys_run runs[8];
    paddr_t at;

    setup();
    at = frames_alloc(ORDER_2M + 3, 0);
    runs[0] = (struct phys_run){at + 2 * SIZE_2M, SIZE_2M};
    runs[1] = (struct phys_run){at, SIZE_2M};
    runs[2] = (struct phys_run){at + SIZE_2M, PAGE_SIZE};
    runs[3] = (struct phys_run){at + SIZE_2M + 3 * PAGE_SIZE, PAGE_SIZE};
    runs[4] = (struct phys_run){at + 2 * SIZE_2M, SIZE_2M};             /* a second time */
    runs[5] = (struct phys_run){at + 4 * SIZE_2M + PAGE_SIZE, SIZE_2M}; /* not one block */
    runs[6] = (struct phys_run){at + 6 * SIZE_2M, SIZE_2M};
    runs[7] = (struct phys_run){RAM_BASE - SIZE_2M, SIZE_2M}; /* not ours */
    assert_int_equal(frames_pin_runs(runs, 8), -EINVAL);
    assert_int_equal(pins_now(), 0);
    runs[7] = (struct phys_run){RAM_BASE + RAM_SIZE, SIZE_2M};
    assert_int_equal(frames_pin_runs(runs, 8), -EINVAL);
    assert_int_equal(pins_now(), 0);
    assert_int_equal(frames_pin_runs(runs, 7), 0);
    assert_int_equal(pins_now(), 5 + 512 + 1);
    /* A pin of the region that the run of frames begins in is another pin. */
    assert_int_equal(frames_pin(at + 4 * SIZE_2M, SIZE_2M), 0);
    frames_unpin_runs(runs, 7);
    assert_int_equal(pins_now(), 1);
    for (unsigned i = 0; i < 8; i++)
        if (i != 4)
            assert_true(comes_back(at + i * SIZE_2M));
    assert_false(comes_back(at + 4 * SIZE_2M));
    frames_unpin(at + 4 * SIZE_2M, SIZE_2M);
    assert_true(frames_settle());
    assert_true(frames_alloc(ORDER_2M + 3, 0) == at);
    host_memory_destroy();
}

/* Blocks of one size, which have a way of their own, with the last one not ours or pinned already.
 */
static void a_list_of_blocks_is_pinned_whole_or_not_at_all(void **state)
{
    static const uint64_t sizes[] = {PAGE_SIZE, SIZE_2M, SIZE_1G};
    uint64_t size;
    paddr_t at;

    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        size = sizes[i];
        setup();
        at = frames_alloc(ORDER_1G, 0);
        struct phys_run runs[] = {{at + (size < SIZE_1G ? size : 0), size},
                                  {at, size},
                                  {ALIGN_DOWN(RAM_BASE - PAGE_SIZE, size), size}};
        assert_int_equal(frames_pin_runs(runs, 3), -EINVAL);
        runs[2].base = ALIGN_UP(RAM_BASE + RAM_SIZE, size);
        assert_int_equal(frames_pin_runs(runs, 3), -EINVAL);
        assert_int_equal(pins_now(), 0);
        runs[2] = runs[0];
        assert_int_equal(frames_pin_runs(runs, 3), 0);
        assert_int_equal(pins_now(), 3);
        frames_unpin_runs(runs, 2);
        assert_int_equal(pins_now(), 1);
        frames_release(at, SIZE_1G);
        assert_true(frames_alloc(ORDER_1G, 0) != at);
        frames_unpin_runs(&runs[2], 1);
        assert_int_equal(pins_now(), 0);
        assert_true(frames_alloc(ORDER_1G, 0) == at);
        host_memory_destroy();
    }
}

/* What a run that cannot be pinned leaves of a list, wherever it stands in it. */
static void refused_at(const struct phys_run *good, size_t count, size_t place, struct phys_run bad)
{
    struct phys_run runs[16];

    memcpy(runs, good, count * sizeof(*runs));
    runs[place] = bad;
    assert_int_equal(frames_pin_runs(runs, count), -EINVAL);
    assert_int_equal(pins_now(), 0);
}

/* Lists are worked on in groups: a run that is unlike the others stands at every place of them. */
static void a_run_unlike_the_others_may_stand_anywhere(void **state)
{
    static const uint64_t sizes[] = {PAGE_SIZE, SIZE_2M};
    struct phys_run runs[11], other;
    const size_t count = ARRAY_SIZE(runs);
    paddr_t at;

    setup();
    at = frames_alloc(ORDER_1G, 0);
    for (size_t s = 0; s < ARRAY_SIZE(sizes); s++) {
        uint64_t size = sizes[s];

        for (size_t i = 0; i < count; i++)
            runs[i] = (struct phys_run){at + (3 * i + 1) * size, size};
        for (size_t place = 0; place < count; place++) {
            other = runs[place];
            refused_at(runs, count, place, (struct phys_run){RAM_BASE - size, size});
            refused_at(runs, count, place,
                       (struct phys_run){ALIGN_UP(RAM_BASE + RAM_SIZE, size), size});
            runs[place] = runs[(place + 5) % count]; /* a second time */
            assert_int_equal(frames_pin_runs(runs, count), 0);
            assert_int_equal(pins_now(), count);
            frames_unpin_runs(runs, count);
            assert_int_equal(pins_now(), 0);
            runs[place].base = at + SIZE_2M / 2; /* one page, or a 2 MiB that is no block */
            assert_int_equal(frames_pin_runs(runs, count), 0);
            assert_int_equal(pins_now(), count - 1 + (size == PAGE_SIZE ? 1 : 512));
            frames_unpin_runs(runs, count);
            assert_int_equal(pins_now(), 0);
            runs[place] = other;
        }
    }
    /* A GiB that is no block. */
    assert_int_equal(frames_pin(at + SIZE_2M, SIZE_1G), 0);
    assert_int_equal(pins_now(), 512);
    frames_unpin(at + SIZE_2M, SIZE_1G);
    assert_int_equal(pins_now(), 0);
    frames_release(at, SIZE_1G);
    assert_true(frames_alloc(ORDER_1G, 0) == at); /* no pin is left on any of it */
    host_memory_destroy();
}

static void foreign_memory_is_not_pinned(void **state)
{
    struct frames_stats s;
    uint64_t hole = RAM_BASE + HOLE_FIRST * PAGE_SIZE;

    setup();
    assert_int_equal(frames_pin(hole, PAGE_SIZE), -EINVAL);
    assert_int_equal(frames_pin(RAM_BASE - PAGE_SIZE, PAGE_SIZE), -EINVAL);
    assert_int_equal(frames_pin(RAM_BASE + RAM_SIZE, PAGE_SIZE), -EINVAL);
    assert_int_equal(frames_pin(RAM_BASE, UINT64_MAX & ~(PAGE_SIZE - 1)), -EINVAL);
    /* A large block with a hole in it, reached after pins that must come off again. */
    assert_int_equal(frames_pin(ALIGN_DOWN(hole, SIZE_2M), SIZE_2M), -EINVAL);
    assert_int_equal(frames_pin(ALIGN_DOWN(hole, SIZE_2M) - 8 * MIB, 16 * MIB), -EINVAL);
    assert_int_equal(frames_pin(4 * GIB, GIB), -EINVAL);
    frames_stats(&s);
    assert_int_equal(s.pins, 0);
    assert_false(frames_owned(hole - PAGE_SIZE, 2 * PAGE_SIZE));
    assert_true(frames_owned(3 * GIB, PAGE_SIZE));
    host_memory_destroy();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_work_agrees_with_the_model),
        cmocka_unit_test(every_frame_is_given_once),
        cmocka_unit_test(single_frames_do_not_hide_large_blocks),
        cmocka_unit_test(a_pinned_gib_is_one_count),
        cmocka_unit_test(a_list_of_runs_is_pinned_whole_or_not_at_all),
        cmocka_unit_test(a_list_of_blocks_is_pinned_whole_or_not_at_all),
        cmocka_unit_test(a_run_unlike_the_others_may_stand_anywhere),
        cmocka_unit_test(foreign_memory_is_not_pinned),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
