/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The quick way of pinning against the one for any run: the same random pins, unpins and releases
 * lead to the same answers and leave the same behind in the metadata, to the last byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "kernel/lib/error.h"
#include "kernel/mm/frames/internal.h"
#include "tests/unit/host_memory.h"

/* Ends with a whole GiB, and begins in the middle of another. */
#define RAM_BASE (3 * GIB - 32 * MIB)
#define RAM_SIZE (GIB + 32 * MIB)
#define BLOCK    (3 * GIB)
/* Where it happens: few places, so that the same is pinned more than once. */
#define REGIONS 3u
#define PAGES   4u

#define RUNS_MAX     9u
#define BATCHES      24u
#define STEPS        300u
#define ROUNDS       20u
#define REGION_COUNT (2 * FRAMES_PER_1G / FRAMES_PER_2M)

struct batch {
    struct phys_run runs[RUNS_MAX];
    size_t count;
};

/* What a sequence of steps leaves behind. */
struct outcome {
    int answers[STEPS];
    struct frames_stats stats;
    struct pin_block giga[2], region[REGION_COUNT];
    struct frame frame[RAM_SIZE / PAGE_SIZE];
};

static uint64_t state_of_random;

static uint64_t below(uint64_t bound)
{
    return host_random_below(&state_of_random, bound);
}

static struct phys_run random_run(void)
{
    const paddr_t region = BLOCK + below(REGIONS) * SIZE_2M;
    const paddr_t page = region + below(PAGES) * PAGE_SIZE;

    switch (below(16)) {
    case 0:
        return (struct phys_run){BLOCK, SIZE_1G};
    case 1:
    case 2:
    case 3:
        return (struct phys_run){region, SIZE_2M};
    case 4:
        return (struct phys_run){region + SIZE_2M - PAGE_SIZE, SIZE_2M + 2 * PAGE_SIZE};
    case 5:
        return (struct phys_run){page, 2 * PAGE_SIZE};
    case 6: /* some of it is nobody's */
        return (struct phys_run){below(2) ? RAM_BASE - PAGE_SIZE : BLOCK + SIZE_1G, PAGE_SIZE};
    default:
        return (struct phys_run){page, PAGE_SIZE};
    }
}

static int pin_slowly(const struct phys_run *runs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int error = pin_run_slowly(runs[i]);

        while (error && i > 0)
            unpin_run_slowly(runs[--i]);
        if (error)
            return error;
    }
    return 0;
}

static void unpin_slowly(const struct phys_run *runs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        unpin_run_slowly(runs[i]);
}

static int step_pin(struct batch *batch, bool fast)
{
    batch->count = 1 + below(RUNS_MAX);
    for (size_t i = 0; i < batch->count; i++)
        batch->runs[i] = random_run();
    return fast ? frames_pin_runs(batch->runs, batch->count)
                : pin_slowly(batch->runs, batch->count);
}

static void step_unpin(struct batch *batch, bool fast)
{
    if (fast)
        frames_unpin_runs(batch->runs, batch->count);
    else
        unpin_slowly(batch->runs, batch->count);
    while (frames_settle())
        ;
}

/* Gives a page back that is held, pinned or not. */
static void step_release(bool *released)
{
    const size_t i = below(REGIONS * PAGES);

    if (!released[i])
        frames_release(BLOCK + i / PAGES * SIZE_2M + i % PAGES * PAGE_SIZE, PAGE_SIZE);
    released[i] = true;
}

static void run_steps(uint64_t seed, bool fast, struct outcome *out)
{
    static const struct phys_run ram = {RAM_BASE, RAM_SIZE};
    bool released[REGIONS * PAGES] = {false};
    struct batch batches[BATCHES];
    size_t held = 0;

    state_of_random = seed;
    memset(out, 0, sizeof(*out));
    host_memory_create(RAM_BASE, RAM_SIZE);
    assert_int_equal(frames_init(&ram, 1, NULL, 0), 0);
    assert_int_equal(frames_alloc(ORDER_1G, 0), BLOCK);
    for (unsigned step = 0; step < STEPS; step++) {
        if (held < BATCHES && below(2)) {
            out->answers[step] = step_pin(&batches[held], fast);
            held += out->answers[step] == 0;
        } else if (held && below(8)) {
            size_t i = below(held);

            step_unpin(&batches[i], fast);
            batches[i] = batches[--held];
        } else if (below(16) == 0) {
            step_release(released);
        }
    }
    out->stats = frames.stats;
    memcpy(out->giga, frames.giga, sizeof(out->giga));
    memcpy(out->region, frames.region, sizeof(out->region));
    memcpy(out->frame, frames.frame, frames.count * sizeof(*out->frame));
    host_memory_destroy();
}

static void both_ways_lead_to_the_same(void **state)
{
    struct outcome *fast = malloc(sizeof(*fast)), *slow = malloc(sizeof(*slow));
    unsigned refused = 0;

    assert_true(fast && slow);
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        run_steps(seed, true, fast);
        run_steps(seed, false, slow);
        assert_memory_equal(fast, slow, sizeof(*fast));
        for (unsigned step = 0; step < STEPS; step++)
            refused += fast->answers[step] != 0;
    }
    assert_in_range(refused, ROUNDS, ROUNDS * STEPS / 2);
    free(fast);
    free(slow);
}

/* The quick way is taken: it does all of what is pinned once, and stops where it is told to. */
static void what_the_quick_way_does(void **state)
{
    static const struct phys_run ram = {RAM_BASE, RAM_SIZE};
    const struct phys_run pages[] = {{BLOCK, PAGE_SIZE},
                                     {BLOCK + 3 * PAGE_SIZE, PAGE_SIZE},
                                     {BLOCK + SIZE_2M, PAGE_SIZE},
                                     {BLOCK + 3 * PAGE_SIZE, PAGE_SIZE},
                                     {BLOCK + 4 * PAGE_SIZE, PAGE_SIZE}};
    const struct phys_run blocks[] = {{BLOCK, SIZE_2M}, {BLOCK + SIZE_2M + PAGE_SIZE, SIZE_2M}};
    const struct phys_run giga = {BLOCK, SIZE_1G};

    host_memory_create(RAM_BASE, RAM_SIZE);
    assert_int_equal(frames_init(&ram, 1, NULL, 0), 0);
    assert_int_equal(frames_alloc(ORDER_1G, 0), BLOCK);
    assert_int_equal(pin_frames_fast(pages, 5), 3);
    assert_int_equal(pin_frames_fast(pages + 3, 2), 0);
    /* The first frame of a region counts its pins beside: any run is done by the other way. */
    assert_int_equal(unpin_frames_fast(pages + 1, 2), 1);
    unpin_run_slowly(pages[0]);
    unpin_run_slowly(pages[2]);
    assert_int_equal(pin_regions_fast(blocks, 2), 1);
    assert_int_equal(unpin_regions_fast(blocks, 2), 1);
    assert_int_equal(pin_giga_fast(&giga, 1), 1);
    assert_int_equal(pin_giga_fast(&giga, 1), 0);
    assert_int_equal(unpin_giga_fast(&giga, 1), 1);
    host_memory_destroy();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ways_lead_to_the_same),
        cmocka_unit_test(what_the_quick_way_does),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
