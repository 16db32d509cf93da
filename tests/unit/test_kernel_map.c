/* SPDX-License-Identifier: BSD-2-Clause */
/* Device registers and stacks in kernel space. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include "kernel/cpu/cpu.h"
#include "kernel/mm/direct.h"
#include "kernel/mm/frames/frames.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/paging/internal.h"
#include "tests/unit/host_heap.h"
#include "tests/unit/host_memory.h"
#include "tests/unit/host_paging.h"

#define RAM_BASE (64 * MIB)
#define RAM_SIZE (64 * MIB)
#define BAR      UINT64_C(0x380000000000)
#define STACK    (4 * PAGE_SIZE)

static const struct phys_run ram[] = {{RAM_BASE, RAM_SIZE}};

static uint64_t free_now(void)
{
    struct frames_stats s;

    frames_stats(&s);
    return s.free;
}

static int setup(void **state)
{
    void *mmio, *stack;

    host_memory_create(RAM_BASE, RAM_SIZE);
    assert_int_equal(frames_init(ram, 1, NULL, 0), 0);
    host_paging_init();
    /* The tables of the first 2 MiB of each window stay, so counts are compared from here on. */
    mmio = mmio_map(BAR, PAGE_SIZE);
    stack = stack_alloc(STACK);
    assert_true(mmio && stack);
    mmio_unmap(mmio, PAGE_SIZE);
    stack_free(stack, STACK);
    return 0;
}

static int teardown(void **state)
{
    host_fail_nth(0);
    assert_int_equal(heap_used(), 0);
    host_memory_destroy();
    return 0;
}

static void test_registers(void **state)
{
    char *a = mmio_map(BAR + 0x10, 8), *b = mmio_map(BAR + PAGE_SIZE - 4, 8);
    struct host_page page = host_translate((uintptr_t)a);

    assert_int_equal((uintptr_t)a % PAGE_SIZE, 0x10);
    assert_int_equal(page.base, BAR);
    assert_true(page.uncached && page.write && !page.execute && !page.user);
    assert_int_equal(host_translate((uintptr_t)b).base, BAR);
    assert_int_equal(host_translate((uintptr_t)b + 4).base, BAR + PAGE_SIZE);
    assert_int_equal(host_translate((uintptr_t)a + PAGE_SIZE).size, 0); /* a page between */
    mmio_unmap(a, 8);
    assert_true(host_tlb_coherent());
    assert_int_equal(host_translate((uintptr_t)a).size, 0);
    assert_ptr_equal(mmio_map(BAR, PAGE_SIZE), a - 0x10); /* the gap is used again */
    mmio_unmap(a - 0x10, PAGE_SIZE);
    mmio_unmap(b, 8);
}

static void test_large_registers_use_large_pages(void **state)
{
    char *a = mmio_map(BAR + SIZE_2M + PAGE_SIZE, 3 * SIZE_2M);
    char *b = mmio_map(BAR + 5 * SIZE_2M, 2 * GIB);

    assert_int_equal(host_translate((uintptr_t)a).size, PAGE_SIZE);
    assert_int_equal(host_translate((uintptr_t)a + SIZE_2M).size, SIZE_2M);
    assert_int_equal(host_translate((uintptr_t)b).size, SIZE_2M);
    assert_int_equal(host_translate((uintptr_t)b + GIB).size, SIZE_1G);
    mmio_unmap(b, 2 * GIB);
    mmio_unmap(a, 3 * SIZE_2M);
    assert_true(host_tlb_coherent());
}

static void test_refusals(void **state)
{
    assert_null(mmio_map(BAR, 0));
    assert_null(mmio_map(BAR, UINT64_MAX));
    assert_null(mmio_map(UINT64_MAX - 10, 20));
    assert_null(mmio_map(UINT64_MAX - 10, 5));
    assert_null(mmio_map(BAR, 512 * GIB)); /* larger than the window, with the page between */
    assert_null(mmio_map(RAM_BASE + RAM_SIZE - PAGE_SIZE, PAGE_SIZE));
    assert_null(mmio_map(RAM_BASE - PAGE_SIZE, 2 * RAM_SIZE));
}

static void test_stacks(void **state)
{
    uint64_t before = free_now();
    char *a = stack_alloc(STACK), *b = stack_alloc(STACK - 1);

    assert_int_equal(before - free_now(), 2 * STACK / PAGE_SIZE);
    for (char *top = a;; top = b) {
        assert_true(host_translate((uintptr_t)top - 1).write);
        assert_false(host_translate((uintptr_t)top - 1).execute);
        assert_true(host_translate((uintptr_t)top - STACK).write);
        assert_int_equal(host_translate((uintptr_t)top - STACK - 1).size, 0); /* the guard */
        assert_int_equal(host_translate((uintptr_t)top).size, 0);
        if (top == b)
            break;
    }
    stack_free(a, STACK);
    assert_true(host_tlb_coherent());
    stack_free(b, STACK - 1);
    assert_int_equal(free_now(), before);
}

static void test_failures_leave_nothing(void **state)
{
    uint64_t before = free_now();
    uint64_t failures = 0;

    for (uint64_t n = 1; n <= 8; n++) {
        void *stack, *mmio;

        host_fail_nth(n);
        stack = stack_alloc(STACK);
        if (stack)
            stack_free(stack, STACK);
        failures += !stack;
        host_fail_nth(n);
        mmio = mmio_map(BAR, PAGE_SIZE);
        if (mmio)
            mmio_unmap(mmio, PAGE_SIZE);
        failures += !mmio;
        host_fail_nth(0);
        assert_int_equal(free_now(), before);
        assert_int_equal(heap_used(), 0);
        assert_true(host_tlb_coherent());
    }
    assert_int_equal(failures, 6); /* a range and four frames; a range */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

struct cpu_features cpu_features = {.physical_bits = 46};

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_registers), TEST(test_large_registers_use_large_pages), TEST(test_refusals),
        TEST(test_stacks),    TEST(test_failures_leave_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
