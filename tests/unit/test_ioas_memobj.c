/* SPDX-License-Identifier: BSD-2-Clause */
/* A memory object as the source of a mapping: neighbours are one run, and no more than fit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "kernel/ioas/source.h"
#include "kernel/lib/error.h"
#include "kernel/mm/memobj.h"

#define BASE  (7 * GIB)
#define PAGES 8u

/* Which page of physical memory each page of the object is; the last two are none. */
static const unsigned where[PAGES - 2] = {3, 4, 5, 9, 11, 12};
static struct memobj object;

/* One page at a time, as a file does whose pages were made one by one. */
static int run(struct memobj *of, uint64_t offset, uint64_t max, struct phys_run *out)
{
    uint64_t page = offset / PAGE_SIZE;

    if (page >= ARRAY_SIZE(where))
        return -ENOMEM;
    *out = (struct phys_run){BASE + where[page] * PAGE_SIZE, PAGE_SIZE};
    return 0;
}

static void destroy(struct memobj *of)
{
}

static const struct memobj_ops ops = {.run = run, .destroy = destroy};

static int setup(void **state)
{
    memobj_init(&object, &ops, PAGES * PAGE_SIZE, 0);
    return 0;
}

static int runs(unsigned page, unsigned count, struct phys_run *out, size_t room,
                struct memobj **device)
{
    const struct ioas_source source = ioas_source_memobj(&object);

    return source.ops->runs(source.context, page * PAGE_SIZE, count * PAGE_SIZE, true, out, room,
                            device);
}

static void assert_run(struct phys_run got, unsigned page, unsigned count)
{
    assert_int_equal(got.base, BASE + page * PAGE_SIZE);
    assert_int_equal(got.length, count * PAGE_SIZE);
}

static void neighbours_are_one_run(void **state)
{
    struct phys_run out[4] = {0};
    struct memobj *device;

    assert_int_equal(runs(0, 3, out, 4, &device), 1);
    assert_run(out[0], 3, 3);
    assert_int_equal(runs(0, 6, out, 4, &device), 3);
    assert_run(out[0], 3, 3);
    assert_run(out[1], 9, 1);
    assert_run(out[2], 11, 2);
    assert_int_equal(runs(1, 1, out, 4, &device), 1);
    assert_run(out[0], 4, 1);
}

/* The last run that fits is whole. */
static void no_more_than_there_is_room_for(void **state)
{
    struct phys_run out[4] = {0};
    struct memobj *device;

    assert_int_equal(runs(0, 6, out, 1, &device), 1);
    assert_run(out[0], 3, 3);
    assert_int_equal(runs(2, 4, out, 3, &device), 3);
    assert_run(out[2], 11, 2);
    assert_int_equal(out[3].length, 0);
}

static void an_error_counts_when_it_is_the_first_thing(void **state)
{
    struct phys_run out[4];
    struct memobj *device;

    assert_int_equal(runs(4, 4, out, 4, &device), 1);
    assert_run(out[0], 11, 2);
    assert_int_equal(runs(6, 1, out, 4, &device), -ENOMEM);
    assert_int_equal(runs(7, 2, out, 4, &device), -ENOMEM);
    assert_int_equal(runs(8, 1, out, 4, &device), -EFAULT); /* beyond the end */
}

static void device_memory_says_whose_it_is(void **state)
{
    struct phys_run out[4];
    struct memobj *device = &object;

    assert_int_equal(runs(0, 1, out, 4, &device), 1);
    assert_null(device);
    object.flags = MEMOBJ_DEVICE;
    assert_int_equal(runs(0, 1, out, 4, &device), 1);
    assert_ptr_equal(device, &object);
    memobj_revoke(&object);
    assert_int_equal(runs(0, 1, out, 4, &device), -EIO);
}

static void it_lives_as_long_as_something_is_mapped(void **state)
{
    const struct ioas_source source = ioas_source_memobj(&object);

    source.ops->get(source.context);
    assert_int_equal(object.references, 2);
    source.ops->put(source.context);
    assert_int_equal(object.references, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(neighbours_are_one_run, setup),
        cmocka_unit_test_setup(no_more_than_there_is_room_for, setup),
        cmocka_unit_test_setup(an_error_counts_when_it_is_the_first_thing, setup),
        cmocka_unit_test_setup(device_memory_says_whose_it_is, setup),
        cmocka_unit_test_setup(it_lives_as_long_as_something_is_mapped, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
