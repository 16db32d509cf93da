/* SPDX-License-Identifier: BSD-2-Clause */
/* The loader's page tables, walked as the CPU does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "boot/efi/paging.h"

#define NOT_MAPPED UINT64_MAX
#define GIB        (UINT64_C(1) << 30)

static void *pages[64];
static size_t page_count, page_limit;

static void *allocate(void)
{
    if (page_count == page_limit)
        return NULL;
    pages[page_count] = aligned_alloc(4096, 4096);
    memset(pages[page_count], 0, 4096);
    return pages[page_count++];
}

static int start(void **state)
{
    page_count = 0;
    page_limit = 64;
    return 0;
}

static int end(void **state)
{
    while (page_count)
        free(pages[--page_count]);
    return 0;
}

static uint64_t translate(const struct paging *paging, uint64_t address)
{
    const uint64_t *table = paging->top;

    for (int shift = 39; shift > 21; shift -= 9) {
        uint64_t entry = table[address >> shift & 511];

        if (!(entry & 1))
            return NOT_MAPPED;
        assert_int_equal(entry & 0xfff, 3);
        table = (const uint64_t *)(uintptr_t)(entry & ~UINT64_C(0xfff));
    }
    uint64_t leaf = table[address >> 21 & 511];
    if (!(leaf & 1))
        return NOT_MAPPED;
    assert_int_equal(leaf & (PAGING_LEAF - 1), 0x83);
    return (leaf & ~(PAGING_LEAF - 1)) | (address & (PAGING_LEAF - 1));
}

/* Ranges of every kind, and the bytes around them. */
static void ranges_of_every_kind_are_mapped(void **state)
{
    static const struct {
        uint64_t at, physical, size;
    } cases[] = {
        {0, 0, 4 * GIB},
        {5 * GIB + 12345, 5 * GIB + 12345, 1},
        {8 * GIB - 1, 8 * GIB - 1, 2}, /* over a table's edge */
        {512 * GIB - 4096, 512 * GIB - 4096, 8192},
        {100 * 512 * GIB, 100 * 512 * GIB, 3 * PAGING_LEAF},
        {0xffffffff80200000, 0x123400000, 5000000},
        {0xffffffffffe00000, 0x7fe00000, PAGING_LEAF}, /* the last leaf of all */
    };
    struct paging paging;

    paging_init(&paging, allocate);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        paging_map(&paging, cases[i].at, cases[i].physical, cases[i].size);
    assert_false(paging.failed);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t first = cases[i].at & ~(PAGING_LEAF - 1);
        uint64_t last = (cases[i].at + cases[i].size - 1) | (PAGING_LEAF - 1);

        assert_int_equal(translate(&paging, cases[i].at), cases[i].physical);
        assert_int_equal(translate(&paging, cases[i].at + cases[i].size - 1),
                         cases[i].physical + cases[i].size - 1);
        if (first)
            assert_int_equal(translate(&paging, first - 1), NOT_MAPPED);
        if (last != UINT64_MAX)
            assert_int_equal(translate(&paging, last + 1), NOT_MAPPED);
    }
}

static void nothing_for_nothing(void **state)
{
    struct paging paging;

    paging_init(&paging, allocate);
    paging_map(&paging, 0, 0, 0);
    assert_int_equal(page_count, 1);
    assert_int_equal(translate(&paging, 0), NOT_MAPPED);
}

/* Every allocation in turn fails: it is noticed, and nothing is touched that is not there. */
static void every_failed_allocation_is_noticed(void **state)
{
    for (page_limit = 0; page_limit < 3; page_limit++) {
        struct paging paging;

        paging_init(&paging, allocate);
        paging_map(&paging, GIB, GIB, PAGING_LEAF);
        paging_map(&paging, 2 * GIB, 2 * GIB, PAGING_LEAF);
        assert_true(paging.failed);
        end(NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(ranges_of_every_kind_are_mapped, start, end),
        cmocka_unit_test_setup_teardown(nothing_for_nothing, start, end),
        cmocka_unit_test_setup_teardown(every_failed_allocation_is_noticed, start, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
