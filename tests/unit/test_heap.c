/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel heap over the real frame allocator. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include "kernel/mm/frames/frames.h"
#include "kernel/mm/heap.h"
#include "tests/unit/host_memory.h"

#define RAM_BASE (16 * MIB)
#define RAM_SIZE (64 * MIB)
#define SLOTS    2000

static const struct phys_run ram[] = {{RAM_BASE, RAM_SIZE}};

static uint64_t free_now(void)
{
    struct frames_stats s;

    frames_stats(&s);
    return s.free;
}

static int setup(void **state)
{
    heap_trim();
    host_memory_create(RAM_BASE, RAM_SIZE);
    return frames_init(ram, 1, NULL, 0);
}

static int teardown(void **state)
{
    heap_trim();
    host_memory_destroy();
    return 0;
}

static bool all_bytes(const unsigned char *at, size_t size, unsigned char value)
{
    for (size_t i = 0; i < size; i++)
        if (at[i] != value)
            return false;
    return true;
}

/* Random sizes live side by side without touching each other, and everything comes back. */
static void random_sizes_live_side_by_side(void **state)
{
    static unsigned char *object[SLOTS];
    static size_t size[SLOTS];
    uint64_t before = free_now();
    uint64_t rng = 7;

    for (int step = 0; step < 100000; step++) {
        size_t i = host_random_below(&rng, SLOTS);

        if (object[i]) {
            assert_true(all_bytes(object[i], size[i], (unsigned char)i));
            kfree(object[i]);
            object[i] = NULL;
            continue;
        }
        size[i] = host_random_below(&rng, 16) ? 1 + host_random_below(&rng, 2100)
                                              : 1 + host_random_below(&rng, 40000);
        object[i] = kmalloc(size[i]);
        assert_non_null(object[i]);
        assert_true(IS_ALIGNED((uintptr_t)object[i], 16));
        memset(object[i], (int)i, size[i]);
    }
    for (size_t i = 0; i < SLOTS; i++) {
        kfree(object[i]);
        object[i] = NULL;
    }
    assert_int_equal(heap_used(), 0);
    heap_trim();
    assert_int_equal(free_now(), before);
}

static void every_size_is_apart_from_the_next(void **state)
{
    for (size_t size = 1; size <= 2 * PAGE_SIZE; size++) {
        unsigned char *a = kzalloc(size);
        unsigned char *b = kzalloc(size);

        assert_true(all_bytes(a, size, 0));
        memset(a, 1, size);
        assert_true(all_bytes(b, size, 0));
        memset(b, 2, size);
        assert_true(all_bytes(a, size, 1));
        assert_true(heap_used() >= 2 * size);
        kfree(a);
        kfree(b);
    }
    assert_int_equal(heap_used(), 0);
}

static void all_memory_can_be_had_and_comes_back(void **state)
{
    static void *object[RAM_SIZE / 1008];
    size_t count = 0;

    while ((object[count] = kmalloc(1000)))
        count++;
    assert_true(count > RAM_SIZE / 1100);
    assert_null(kmalloc(PAGE_SIZE));
    assert_null(kmalloc(16));
    kfree(object[--count]);
    object[count] = kmalloc(1000);
    assert_non_null(object[count]);
    for (size_t i = 0; i <= count; i++)
        kfree(object[i]);
    assert_int_equal(heap_used(), 0);
}

/* As much as there is in one piece. */
static void as_much_as_there_is_in_one_piece_is_given(void **state)
{
    static paddr_t frame[RAM_SIZE / PAGE_SIZE];
    size_t size = 4 * PAGE_SIZE, count = 0;
    void *memory = kmalloc_most(&size, 100);

    assert_non_null(memory);
    assert_int_equal(size, 4 * PAGE_SIZE);
    kfree(memory);
    while ((frame[count] = frames_alloc(ORDER_4K, 0)) != PADDR_NONE)
        count++;
    size = 4 * PAGE_SIZE;
    assert_null(kmalloc_most(&size, PAGE_SIZE));
    frames_release(frame[0], PAGE_SIZE);
    size = 4 * PAGE_SIZE;
    assert_null(kmalloc_most(&size, PAGE_SIZE + 1));
    size = 4 * PAGE_SIZE;
    memory = kmalloc_most(&size, 100);
    assert_non_null(memory);
    assert_int_equal(size, PAGE_SIZE);
    kfree(memory);
    for (size_t i = 1; i < count; i++)
        frames_release(frame[i], PAGE_SIZE);
}

static void impossible_sizes_are_refused(void **state)
{
    assert_null(kmalloc(0));
    assert_null(kzalloc(0));
    assert_null(kcalloc(0, 8));
    assert_null(kcalloc(SIZE_MAX / 2, 3));
    assert_null(kmalloc(SIZE_MAX));
    assert_null(kmalloc(RAM_SIZE));
    kfree(NULL);
}

/* A large allocation keeps only the frames it needs. */
static void a_large_allocation_keeps_only_what_it_needs(void **state)
{
    uint64_t before = free_now();
    void *five = kmalloc(4 * PAGE_SIZE + 1);

    assert_int_equal(before - free_now(), 5);
    assert_int_equal(heap_used(), 5 * PAGE_SIZE);
    kfree(five);
    assert_int_equal(before, free_now());
}

/* What the sizes say is what the frame allocator lacks. */
static void assert_accounted(uint64_t before)
{
    struct heap_size size;
    uint64_t pages = 0, bytes = 0;

    for (size_t i = 0; heap_size(i, &size); i++) {
        assert_true(size.used <= size.pages * size.per_page);
        assert_true(size.per_page * size.bytes < PAGE_SIZE);
        pages += size.pages;
        bytes += size.used * size.bytes;
    }
    assert_int_equal(pages, before - free_now());
    assert_int_equal(bytes, heap_used());
}

/* Also of pages that are kept though nothing is in them. */
static void sizes_account_for_every_page(void **state)
{
    static void *object[SLOTS];
    uint64_t before = free_now(), rng = 3;
    struct heap_size size;

    assert_accounted(before);
    for (size_t i = 0; i < SLOTS; i++) {
        object[i] = kmalloc(1 + host_random_below(&rng, PAGE_SIZE / 2 - 16));
        assert_non_null(object[i]);
        assert_accounted(before);
    }
    for (size_t i = 0; i < SLOTS; i++) {
        kfree(object[i]);
        assert_accounted(before);
    }
    assert_int_equal(heap_used(), 0);
    assert_int_not_equal(free_now(), before);
    heap_trim();
    assert_int_equal(free_now(), before);
    assert_accounted(before);
    assert_false(heap_size(SIZE_MAX, &size));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(random_sizes_live_side_by_side, setup, teardown),
        cmocka_unit_test_setup_teardown(every_size_is_apart_from_the_next, setup, teardown),
        cmocka_unit_test_setup_teardown(all_memory_can_be_had_and_comes_back, setup, teardown),
        cmocka_unit_test_setup_teardown(as_much_as_there_is_in_one_piece_is_given, setup, teardown),
        cmocka_unit_test_setup_teardown(impossible_sizes_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_large_allocation_keeps_only_what_it_needs, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(sizes_account_for_every_page, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
