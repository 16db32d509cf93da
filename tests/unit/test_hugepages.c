/* SPDX-License-Identifier: BSD-2-Clause */
/* The count of huge pages, and objects of them, against what is really there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "kernel/lib/error.h"
#include "kernel/mm/direct.h"
#include "kernel/mm/frames/frames.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/hugepages.h"
#include "kernel/mm/ramobj.h"
#include "tests/unit/host_heap.h"
#include "tests/unit/host_memory.h"

#define RAM_BASE (2 * GIB)
#define RAM_SIZE (256 * MIB)
#define PAGES    64 /* of the object: more than there may be */

static const struct phys_run ram[] = {{RAM_BASE, RAM_SIZE}};

static int setup(void **state)
{
    host_memory_create(RAM_BASE, RAM_SIZE);
    assert_int_equal(frames_init(ram, 1, NULL, 0), 0);
    hugepages_set_limit(PAGES - 1);
    return 0;
}

static int teardown(void **state)
{
    host_fail_nth(0);
    host_memory_destroy();
    assert_int_equal(heap_used(), 0);
    return 0;
}

static uint64_t now(enum hugepages_figure figure)
{
    return hugepages(figure);
}

static uint64_t in_use(void)
{
    return hugepages(HUGEPAGES_TOTAL) - hugepages(HUGEPAGES_FREE);
}

static uint64_t blocks_free(void)
{
    struct frames_stats stats;

    frames_stats(&stats);
    return stats.blocks;
}

/* Single frames and blocks come and go: at the end as many blocks can be taken as were told. */
static void free_blocks_are_counted(void **state)
{
    static paddr_t held[4000];
    uint64_t rng = 5;
    size_t count = 0;

    for (int i = 0; i < 20000; i++) {
        size_t at = host_random_below(&rng, ARRAY_SIZE(held));

        if (at < count) {
            frames_release(held[at], PAGE_SIZE);
            held[at] = held[--count];
        } else if (count < ARRAY_SIZE(held)) {
            held[count] = frames_alloc(ORDER_4K, 0);
            count += held[count] != PADDR_NONE;
        }
    }
    for (size_t i = count / 2; i < count; i++)
        frames_release(held[i], PAGE_SIZE);
    /* Those on the stack of single frames are in no block until somebody wants one. */
    assert_int_equal(frames_alloc(ORDER_1G, 0), PADDR_NONE);
    uint64_t told = blocks_free();
    assert_true(told > 50 && told < RAM_SIZE / SIZE_2M);
    for (; told > 0; told--) {
        assert_int_equal(blocks_free(), told);
        assert_int_not_equal(frames_alloc(ORDER_2M, 0), PADDR_NONE);
    }
    assert_int_equal(frames_alloc(ORDER_2M, 0), PADDR_NONE);
}

static uint64_t resident(const struct memobj *object)
{
    uint64_t bytes = 0;

    for (uint64_t at = 0; at < object->size; at += SIZE_2M) {
        struct phys_run run = ramobj_peek(object, at, SIZE_2M);

        assert_int_equal(run.length, SIZE_2M); /* all there, or nothing */
        assert_true(run.base == PADDR_NONE || IS_ALIGNED(run.base, SIZE_2M));
        bytes += run.base == PADDR_NONE ? 0 : SIZE_2M;
    }
    return bytes / SIZE_2M;
}

static void step(struct memobj *object, uint64_t *rng)
{
    uint64_t at = host_random_below(rng, PAGES * 512) * PAGE_SIZE;
    uint64_t length = (1 + host_random_below(rng, 4000)) * PAGE_SIZE;
    uint64_t had = resident(object), start = ALIGN_DOWN(at, SIZE_2M);
    struct phys_run run;
    int error;

    switch (host_random_below(rng, 8)) {
    case 0:
        ramobj_resize(object, start);
        return;
    case 1:
        ramobj_resize(object, PAGES * SIZE_2M);
        return;
    case 2:
        assert_int_equal(ramobj_punch(object, at, length), 0);
        return;
    case 3:
    case 4:
        error = ramobj_allocate(object, start, ALIGN_UP(length, SIZE_2M));
        assert_true(error == 0 || error == -ENOMEM);
        if (error)
            assert_int_equal(resident(object), had); /* none of it */
        return;
    default:
        error = memobj_run(object, at, length, &run);
        assert_true(error == 0 || error == -ENOMEM || error == -EFAULT);
        assert_int_equal(error == -EFAULT, at >= object->size);
        if (!error)
            assert_int_equal(run.base % SIZE_2M, at % SIZE_2M);
    }
}

static void an_object_has_whole_pages_and_all_are_counted(void **state)
{
    struct memobj *object = ramobj_create(PAGES * SIZE_2M, SIZE_2M);
    uint64_t limit = now(HUGEPAGES_TOTAL), rng = 11, refused = 0;

    assert_int_equal(limit, PAGES - 1);
    for (int i = 0; i < 5000; i++) {
        if (i % 64 == 0)
            hugepages_set_limit(host_random_below(&rng, PAGES));
        step(object, &rng);
        assert_int_equal(in_use(), resident(object));
        refused += now(HUGEPAGES_FREE) == 0;
    }
    assert_true(refused > 100);
    memobj_put(object);
    assert_int_equal(now(HUGEPAGES_TOTAL), now(HUGEPAGES_FREE));
}

static void the_limit(void **state)
{
    uint64_t all = blocks_free();

    assert_int_equal(now(HUGEPAGES_TOTAL), PAGES - 1);
    hugepages_set_limit(UINT64_MAX); /* no more than there are, and the kernel needs some */
    assert_true(now(HUGEPAGES_TOTAL) > PAGES && now(HUGEPAGES_TOTAL) <= all);
    hugepages_set_limit(4);
    assert_int_equal(now(HUGEPAGES_FREE), 4);
    hugepages_charge(3 * (int64_t)SIZE_2M);
    assert_int_equal(now(HUGEPAGES_TOTAL), 4);
    assert_int_equal(now(HUGEPAGES_FREE), 1);
    hugepages_set_limit(1); /* what is in use stays */
    assert_int_equal(now(HUGEPAGES_TOTAL), 3);
    assert_int_equal(now(HUGEPAGES_FREE), 0);
    assert_int_equal(now(HUGEPAGES_SURPLUS), 2);
    hugepages_charge(-3 * (int64_t)SIZE_2M);
    assert_int_equal(now(HUGEPAGES_TOTAL), 1);
    assert_int_equal(now(HUGEPAGES_SURPLUS), 0);
}

/* What else needs memory takes it from huge pages that nobody has. */
static void others_take_them(void **state)
{
    uint64_t taken = 0;

    for (; now(HUGEPAGES_FREE) == PAGES - 1; taken++)
        assert_int_not_equal(frames_alloc(ORDER_2M, FRAMES_PAYLOAD), PADDR_NONE);
    assert_true(taken > PAGES / 2);
    while (now(HUGEPAGES_FREE) > 0)
        assert_int_not_equal(frames_alloc(ORDER_2M, FRAMES_PAYLOAD), PADDR_NONE);
    assert_int_equal(frames_alloc(ORDER_2M, FRAMES_PAYLOAD), PADDR_NONE);
    assert_int_equal(now(HUGEPAGES_TOTAL), 0);
}

static void a_failure_gives_back_what_was_counted(void **state)
{
    struct memobj *object = ramobj_create(8 * SIZE_2M, SIZE_2M);
    struct phys_run run;

    assert_int_equal(memobj_run(object, SIZE_2M, SIZE_2M, &run), 0);
    for (uint64_t n = 1;; n++) {
        host_fail_nth(n);
        int error = ramobj_allocate(object, 0, 8 * SIZE_2M);
        bool failed = host_failed();
        host_fail_nth(0);
        assert_int_equal(in_use(), resident(object));
        if (!failed)
            break;
        assert_true(error == 0 || error == -ENOMEM);
        ramobj_resize(object, 0);
        ramobj_resize(object, 8 * SIZE_2M);
    }
    memobj_put(object);
    assert_int_equal(now(HUGEPAGES_TOTAL), now(HUGEPAGES_FREE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(free_blocks_are_counted, setup, teardown),
        cmocka_unit_test_setup_teardown(an_object_has_whole_pages_and_all_are_counted, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_limit, setup, teardown),
        cmocka_unit_test_setup_teardown(others_take_them, setup, teardown),
        cmocka_unit_test_setup_teardown(a_failure_gives_back_what_was_counted, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
