/* SPDX-License-Identifier: BSD-2-Clause */
/* Sparse RAM objects against an array of bytes, one per page. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include "kernel/lib/error.h"
#include "kernel/mm/direct.h"
#include "kernel/mm/frames/frames.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/ramobj.h"
#include "kernel/mm/zero.h"
#include "tests/unit/host_heap.h"
#include "tests/unit/host_memory.h"
#include "tests/unit/host_thread.h"
#include "tests/unit/pins.h"

#define RAM_BASE (2 * GIB - 8 * MIB)
#define RAM_SIZE (GIB + 64 * MIB)
#define PAGES    2048 /* of the object under test */

static const struct phys_run ram[] = {{RAM_BASE, RAM_SIZE}};
static uint64_t zapped_from;
static struct memobj *punched;

static uint64_t free_now(void)
{
    struct frames_stats s;

    frames_stats(&s);
    return s.free;
}

static int setup(void **state)
{
    host_memory_create(RAM_BASE, RAM_SIZE);
    return frames_init(ram, 1, NULL, 0);
}

static int teardown(void **state)
{
    host_fail_nth(0);
    host_memory_destroy();
    assert_int_equal(heap_used(), 0);
    return 0;
}

static void note_zap(struct memobj_watcher *watcher, uint64_t from, uint64_t to)
{
    zapped_from = from;
}

/* The page's first byte; holes are not filled. */
static unsigned char read_page(struct memobj *object, uint64_t page)
{
    struct phys_run run = ramobj_peek(object, page * PAGE_SIZE, PAGE_SIZE);

    assert_int_equal(run.length, PAGE_SIZE);
    return run.base == PADDR_NONE ? 0 : *(unsigned char *)phys_to_virt(run.base);
}

static void step(struct memobj *object, unsigned char *model, bool *filled, uint64_t *rng)
{
    uint64_t pages = object->size / PAGE_SIZE;
    uint64_t page = host_random_below(rng, PAGES);
    uint64_t count = 1 + host_random_below(rng, BIT(host_random_below(rng, 11)));
    struct phys_run run;

    switch (host_random_below(rng, 16)) {
    case 0:
        ramobj_resize(object, page * PAGE_SIZE);
        for (; page < pages; page++)
            model[page] = filled[page] = 0;
        return;
    case 1:
        ramobj_resize(object, PAGES * PAGE_SIZE);
        return;
    case 2:
        assert_int_equal(ramobj_punch(object, page * PAGE_SIZE, count * PAGE_SIZE), 0);
        for (uint64_t i = page; i < MIN(page + count, pages); i++)
            model[i] = filled[i] = 0;
        return;
    default:
        if (page >= pages) {
            assert_int_equal(memobj_run(object, page * PAGE_SIZE, PAGE_SIZE, &run), -EFAULT);
            return;
        }
        assert_int_equal(memobj_run(object, page * PAGE_SIZE, count * PAGE_SIZE, &run), 0);
        assert_true(run.length >= PAGE_SIZE && run.length <= count * PAGE_SIZE);
        for (uint64_t off = 0; off < run.length; off += PAGE_SIZE, page++) {
            unsigned char *at = phys_to_virt(run.base + off);

            assert_int_equal(*at, model[page]);
            model[page] = *at = (unsigned char)(1 + host_random_below(rng, 255));
            filled[page] = true;
        }
    }
}

static void random_work_agrees_with_the_model(void **state)
{
    static unsigned char model[PAGES];
    static bool filled[PAGES];
    uint64_t before = free_now(), rng = 17;
    struct memobj *object = ramobj_create(PAGES * PAGE_SIZE, PAGE_SIZE);

    for (int i = 0; i < 20000; i++) {
        uint64_t resident = 0;

        step(object, model, filled, &rng);
        if (i % 16 != 0)
            continue;
        for (uint64_t page = 0; page < object->size / PAGE_SIZE; page++) {
            assert_int_equal(read_page(object, page), model[page]);
            resident += filled[page];
        }
        assert_int_equal(before - free_now(), resident);
    }
    memobj_put(object);
    assert_int_equal(free_now(), before);
}

static void an_object_takes_the_largest_blocks(void **state)
{
    struct memobj *object = ramobj_create(2 * GIB, PAGE_SIZE);
    struct phys_run run;

    assert_true(memobj_is_ram(object));
    assert_int_equal(ramobj_populate(object, 0, 2 * GIB), 1);
    assert_int_equal(ramobj_populate(object, 0, 2 * GIB), 0);
    assert_int_equal(memobj_run(object, 0, 2 * GIB, &run), 0);
    assert_int_equal(run.length, GIB); /* the one whole GiB there is */
    assert_true(IS_ALIGNED(run.base, GIB));
    assert_int_equal(memobj_run(object, GIB, 2 * MIB, &run), 0);
    assert_int_equal(run.length, 2 * MIB);
    assert_true(IS_ALIGNED(run.base, 2 * MIB));
    /* No more than was asked for, though the object is larger. */
    assert_int_equal(memobj_run(object, GIB + 4 * MIB, PAGE_SIZE, &run), 0);
    assert_int_equal(run.length, PAGE_SIZE);
    memobj_put(object);
}

/* Shrinking tells watchers before the frames go, and pinned frames stay out of reach. */
static void a_shrink_zaps_and_orphans(void **state)
{
    struct memobj_watcher watcher = {.zap = note_zap};
    struct memobj *object = ramobj_create(4 * MIB, PAGE_SIZE);
    struct frames_stats s;
    struct phys_run run;
    uint64_t before = free_now();

    memobj_watch(object, &watcher);
    assert_int_equal(memobj_run(object, 2 * MIB, 2 * MIB, &run), 0);
    assert_int_equal(frames_pin(run.base, run.length), 0);
    ramobj_resize(object, 2 * MIB);
    assert_int_equal(zapped_from, 2 * MIB);
    frames_stats(&s);
    assert_int_equal(s.orphans, 512);
    frames_unpin(run.base, run.length);
    assert_true(frames_settle());
    assert_int_equal(free_now(), before);
    memobj_unwatch(&watcher);
    memobj_put(object);
}

static void a_failed_allocation_changes_nothing(void **state)
{
    struct memobj *object;
    struct phys_run run;
    uint64_t before = free_now();

    host_fail_nth(1);
    assert_null(ramobj_create(MIB, PAGE_SIZE));
    object = ramobj_create(4 * MIB, PAGE_SIZE);
    host_fail_nth(2); /* the frames come, the extent does not */
    assert_int_equal(memobj_run(object, 0, PAGE_SIZE, &run), -ENOMEM);
    assert_int_equal(free_now(), before);
    host_fail_nth(1); /* the first order fails: a smaller block does */
    assert_int_equal(memobj_run(object, 0, 2 * MIB, &run), 0);
    assert_int_equal(run.length, MIB);
    host_fail_nth(1);
    assert_int_equal(ramobj_punch(object, 0, PAGE_SIZE), -ENOMEM);
    assert_int_equal(before - free_now(), MIB / PAGE_SIZE);
    memobj_put(object);
    assert_int_equal(free_now(), before);
}

/* Others fill the hole while it is made: nothing beyond its end is lost, and it comes to an end. */
static unsigned fills;

static int fill_meanwhile(const char *point, enum thread_hears hears)
{
    struct phys_run run;

    if (fills++ > 1000)
        fail();
    assert_int_equal(memobj_run(punched, 0, 4 * PAGE_SIZE, &run), 0);
    assert_int_equal(memobj_run(punched, 2 * MIB, 2 * MIB, &run), 0);
    *(unsigned char *)phys_to_virt(run.base + run.length - 1) = 6;
    return 0;
}

static void a_punch_ends_and_spares_what_is_filled_beyond_it(void **state)
{
    uint64_t before = free_now();
    struct phys_run run;

    punched = ramobj_create(4 * MIB, PAGE_SIZE);
    for (uint64_t at = 0; at <= 2 * MIB; at += 8 * PAGE_SIZE)
        assert_int_equal(memobj_run(punched, at, PAGE_SIZE, &run), 0);
    host_breath = fill_meanwhile;
    host_breath_work = breath_left = 0;
    fills = 0;
    assert_int_equal(ramobj_punch(punched, 0, 2 * MIB + PAGE_SIZE), 0);
    host_breath = NULL;
    host_breath_work = breath_left = BREATH_WORK;
    run = ramobj_peek(punched, 4 * MIB - PAGE_SIZE, PAGE_SIZE);
    assert_int_not_equal(run.base, PADDR_NONE);
    assert_int_equal(((unsigned char *)phys_to_virt(run.base))[PAGE_SIZE - 1], 6);
    memobj_put(punched);
    assert_int_equal(free_now(), before);
}

/* Whole blocks and single pages. What is cleared from here on stays in no cache: it comes last. */
static void devices_that_do_not_snoop_see_nothing_older(void **state)
{
    struct memobj *object = ramobj_create(2 * GIB, PAGE_SIZE);
    struct phys_run run;

    assert_int_equal(memobj_run(object, 0, PAGE_SIZE, &run), 0);
    assert_false(host_zero_in_memory(run.base, PAGE_SIZE)); /* a line in a cache says so */
    memory_zero_past_caches();
    assert_int_equal(memobj_run(object, PAGE_SIZE, PAGE_SIZE, &run), 0);
    assert_true(host_zero_in_memory(run.base, PAGE_SIZE));
    assert_int_equal(memobj_run(object, 2 * MIB, 2 * MIB, &run), 0);
    assert_int_equal(run.length, 2 * MIB);
    assert_true(host_zero_in_memory(run.base, run.length));
    assert_int_equal(ramobj_populate(object, GIB, 64 * MIB), 1);
    assert_int_equal(memobj_run(object, GIB, 64 * MIB, &run), 0);
    assert_true(run.length > 2 * MIB && host_zero_in_memory(run.base, run.length));
    memobj_put(object);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(random_work_agrees_with_the_model, setup, teardown),
        cmocka_unit_test_setup_teardown(an_object_takes_the_largest_blocks, setup, teardown),
        cmocka_unit_test_setup_teardown(a_shrink_zaps_and_orphans, setup, teardown),
        cmocka_unit_test_setup_teardown(a_failed_allocation_changes_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(a_punch_ends_and_spares_what_is_filled_beyond_it, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(devices_that_do_not_snoop_see_nothing_older, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
