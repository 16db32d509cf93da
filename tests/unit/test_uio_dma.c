/* SPDX-License-Identifier: BSD-2-Clause */
/* UIO's buffers for DMA over the real IO address space, page tables, frames and pins. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "kernel/lib/error.h"
#include "kernel/mm/direct.h"
#include "kernel/mm/frames/frames.h"
#include "kernel/mm/heap.h"
#include "kernel/device/uio/internal.h"
#include "tests/unit/host_heap.h"
#include "tests/unit/host_thread.h"
#include "tests/unit/ioas_iommu.h"
#include "tests/unit/ioas_source.h"

static struct ioas_account account;
static struct iommu_domain *domain;
static struct uio_device device;
static unsigned rows; /* maps shown in sysfs */

/* The rows of sysfs, which can fail as any allocation can. */
int uio_sysfs_add_map(struct uio_map *map)
{
    if (host_must_fail())
        return -ENOMEM;
    rows++;
    return 0;
}

void uio_sysfs_remove_map(const struct uio_map *map)
{
    rows--;
}

static int begin(void **state)
{
    uint64_t rng = 99;

    (void)state;
    ioas_iommu_reset();
    source_create(&rng);
    rows = 0;
    account = (struct ioas_account){.limit = 4 * MIB};
    device = (struct uio_device){.dma_memory = true};
    mutex_init(&device.lock);
    assert_int_equal(mutex_lock(&device.lock, "test"), 0);
    assert_int_equal(ioas_create(&account, &device.lock, &device.ioas), 0);
    assert_int_equal(iommu_domain_create(ioas_iommu_unit(0), &domain), 0);
    assert_int_equal(ioas_attach(device.ioas, domain), 0);
    for (unsigned bar = 0; bar < PCI_BARS; bar++) {
        struct uio_map *map = uio_map_new(&device, bar, false);

        assert_true(itree_insert(&device.maps, &map->node));
        assert_int_equal(uio_sysfs_add_map(map), 0);
    }
    return 0;
}

static int end(void **state)
{
    struct itree_node *node;

    (void)state;
    while ((node = itree_first(&device.maps)) != NULL) {
        itree_remove(&device.maps, node);
        uio_map_free(uio_map_of(node));
    }
    assert_int_equal(account.used, 0);
    ioas_detach(device.ioas, domain);
    iommu_domain_destroy(domain);
    ioas_destroy(device.ioas);
    source_destroy();
    ioas_iommu_finish();
    return 0;
}

static const struct uio_map *create(uint32_t number, uint64_t length)
{
    assert_int_equal(uio_dma_create(&device, length, &number), 0);
    const struct uio_map *map = uio_map_find(&device, number);
    assert_non_null(map);
    return map;
}

static void a_buffer_is_zeroed_mapped_charged_and_named(void **state)
{
    const struct uio_map *map = create(UIO_ANY, 3 * PAGE_SIZE - 1);
    struct iommu_translation t;

    (void)state;
    assert_int_equal(map->number, UIO_FIRST_DYNAMIC);
    assert_int_equal(map->size, 3 * PAGE_SIZE);
    assert_int_equal(account.used, 3 * PAGE_SIZE);
    assert_true(iommu_translate(domain, map->address, &t));
    assert_int_equal(t.permissions, IOMMU_READ | IOMMU_WRITE);
    const uint64_t *words = phys_to_virt(t.physical);
    assert_int_equal(words[0], map->address);
    assert_int_equal(words[1], map->number);
    for (unsigned i = 2; i < PAGE_SIZE / 8; i++)
        assert_int_equal(words[i], 0);
}

static void numbers_fill_the_lowest_gap(void **state)
{
    (void)state;
    create(UIO_FIRST_DYNAMIC + 1, PAGE_SIZE);
    assert_int_equal(create(UIO_ANY, PAGE_SIZE)->number, UIO_FIRST_DYNAMIC);
    assert_int_equal(create(UIO_ANY, PAGE_SIZE)->number, UIO_FIRST_DYNAMIC + 2);
    create(7, PAGE_SIZE);
    create(UIO_MAP_NUMBERS - 1, PAGE_SIZE);
    assert_int_equal(create(UIO_ANY, PAGE_SIZE)->number, UIO_FIRST_DYNAMIC + 3);
}

static void an_unused_slot_of_a_bar_makes_way(void **state)
{
    unsigned before = rows;

    (void)state;
    assert_true(create(3, PAGE_SIZE)->dynamic);
    assert_int_equal(rows, before);
    assert_int_equal(device.maps.count, PCI_BARS);
}

static void refuses_bad_requests(void **state)
{
    uint32_t number = UIO_ANY;

    (void)state;
    assert_int_equal(uio_dma_create(&device, 0, &number), -EINVAL);
    assert_int_equal(uio_dma_create(&device, UINT64_MAX, &number), -EINVAL);
    number = UIO_ANY + 1;
    assert_int_equal(uio_dma_create(&device, PAGE_SIZE, &number), -EINVAL);
    number = create(UIO_ANY, PAGE_SIZE)->number;
    assert_int_equal(uio_dma_create(&device, PAGE_SIZE, &number), -EEXIST);
    device.dma_memory = false;
    number = UIO_ANY;
    assert_int_equal(uio_dma_create(&device, PAGE_SIZE, &number), -EPERM);
    assert_int_equal(number, UIO_ANY);
}

static void the_limit_and_the_quota_bind(void **state)
{
    uint32_t number = UIO_ANY;

    (void)state;
    assert_int_equal(uio_dma_create(&device, 4 * MIB + 1, &number), -ENOMEM);
    assert_int_equal(account.used, 0);
    device.dynamic_count = UIO_DYNAMIC_MAX;
    assert_int_equal(uio_dma_create(&device, PAGE_SIZE, &number), -ENOSPC);
}

static void a_big_buffer_has_big_leaves(void **state)
{
    struct iommu_translation t;
    const struct uio_map *map = create(UIO_ANY, SIZE_2M);

    (void)state;
    assert_true(iommu_translate(domain, map->address, &t));
    assert_int_equal(t.leaf_size, SIZE_2M);
}

static unsigned breaths;

static int count_breath(const char *point, enum thread_hears hears)
{
    breaths++;
    return 0;
}

/* Clearing a mebibyte takes a good part of the time between two breaths. */
static void others_are_let_in_while_a_buffer_is_cleared(void **state)
{
    struct iommu_translation t;

    (void)state;
    account.limit = 32 * MIB;
    breaths = 0;
    host_breath = count_breath;
    const struct uio_map *map = create(UIO_ANY, 16 * MIB + PAGE_SIZE);
    host_breath = NULL;
    assert_true(breaths >= 16 / 3);
    assert_true(iommu_translate(domain, map->address, &t));
    assert_int_equal(t.leaf_size, SIZE_2M);
    assert_true(iommu_translate(domain, map->address + 16 * MIB, &t));
}

static int end_here(const char *point, enum thread_hears hears)
{
    return -EINTR;
}

static void a_buffer_that_is_no_longer_wanted_goes(void **state)
{
    struct frames_stats before, after;
    uint32_t number = UIO_ANY;

    (void)state;
    account.limit = 32 * MIB;
    frames_stats(&before);
    host_breath = end_here;
    assert_int_equal(uio_dma_create(&device, 16 * MIB, &number), -EINTR);
    host_breath = NULL;
    frames_stats(&after);
    assert_int_equal(after.pins, before.pins);
    assert_int_equal(account.used, 0);
    assert_int_equal(device.maps.count, PCI_BARS);
}

/* Every allocation, pin, table page and row fails in turn; then nothing may have changed. */
static void fail_nth_at(uint32_t number)
{
    bool failed = true;

    for (uint64_t n = 1; failed; n++) {
        struct frames_stats before, after;
        uint32_t chosen = number;
        uint64_t used = account.used;
        size_t maps = device.maps.count;
        unsigned shown = rows;

        assert_true(n < 100);
        frames_stats(&before);
        host_fail_nth(n);
        int error = uio_dma_create(&device, 5 * PAGE_SIZE, &chosen);
        failed = host_failed();
        host_fail_nth(0);
        if (!failed || error == 0) {
            /* A refused large block may be made up for by smaller ones; then the next number. */
            assert_int_equal(error, 0);
            number += number != UIO_ANY;
            continue;
        }
        frames_stats(&after);
        assert_int_equal(error, -ENOMEM);
        assert_int_equal(chosen, number);
        assert_int_equal(account.used, used);
        assert_int_equal(device.maps.count, maps);
        assert_int_equal(rows, shown);
        assert_int_equal(after.pins, before.pins);
    }
}

static void every_failure_leaves_all_as_it_was(void **state)
{
    (void)state;
    fail_nth_at(UIO_ANY);
    fail_nth_at(2);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_buffer_is_zeroed_mapped_charged_and_named),
        CASE(numbers_fill_the_lowest_gap),
        CASE(an_unused_slot_of_a_bar_makes_way),
        CASE(refuses_bad_requests),
        CASE(the_limit_and_the_quota_bind),
        CASE(a_big_buffer_has_big_leaves),
        CASE(others_are_let_in_while_a_buffer_is_cleared),
        CASE(a_buffer_that_is_no_longer_wanted_goes),
        CASE(every_failure_leaves_all_as_it_was),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
