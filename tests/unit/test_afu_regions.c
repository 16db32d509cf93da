/* SPDX-License-Identifier: BSD-2-Clause */
/* DMA regions of an AFU over the real IO address space, page tables, frames and pins. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "drivers/afu/regions.h"
#include "kernel/lib/error.h"
#include "kernel/mm/frames/frames.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/paging/paging.h"
#include "tests/unit/host_heap.h"
#include "tests/unit/host_thread.h"
#include "tests/unit/ioas_iommu.h"
#include "tests/unit/ioas_source.h"

#define MEMORY source_address(SOURCE_SCATTERED)

static struct ioas_account account;
static struct ioas_user user;
static struct mutex lock; /* always held */
static struct ioas *ioas;
static struct iommu_domain *domain;
static struct afu_regions regions;

static int begin(void **state)
{
    uint64_t rng = 12345;

    (void)state;
    ioas_iommu_reset();
    source_create(&rng);
    account = (struct ioas_account){.limit = 64 * PAGE_SIZE};
    user = (struct ioas_user){.memory = source_get(), .account = &account};
    mutex_init(&lock);
    assert_int_equal(mutex_lock(&lock, "test"), 0);
    assert_int_equal(ioas_create(&account, &lock, &ioas), 0);
    assert_int_equal(iommu_domain_create(ioas_iommu_unit(0), &domain), 0);
    assert_int_equal(ioas_attach(ioas, domain), 0);
    afu_regions_init(&regions, ioas, &user);
    return 0;
}

static uint64_t pins(void)
{
    struct frames_stats stats;

    frames_stats(&stats);
    return stats.pins;
}

static int end(void **state)
{
    (void)state;
    afu_dma_remove_all(&regions);
    assert_int_equal(account.used, 0);
    assert_int_equal(pins(), 0);
    ioas_detach(ioas, domain);
    iommu_domain_destroy(domain);
    ioas_destroy(ioas);
    source_destroy();
    ioas_iommu_finish();
    return 0;
}

static uint64_t map(unsigned page, unsigned pages)
{
    uint64_t iova = 0;

    assert_int_equal(afu_dma_map(&regions, source_address(page), pages * PAGE_SIZE, &iova), 0);
    return iova;
}

static void maps_scattered_memory_as_one_range(void **state)
{
    struct iommu_translation t;
    uint64_t iova = map(SOURCE_SCATTERED, 8);

    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        assert_true(iommu_translate(domain, iova + i * PAGE_SIZE, &t));
        assert_int_equal(t.physical, source_frame[SOURCE_SCATTERED + i]);
        assert_int_equal(t.permissions, IOMMU_READ | IOMMU_WRITE);
    }
    assert_int_equal(account.used, 8 * PAGE_SIZE);
    assert_int_equal(afu_dma_unmap(&regions, iova), 0);
    assert_false(iommu_translate(domain, iova, &t));
    assert_int_equal(account.used, 0);
}

static void refuses_bad_arguments(void **state)
{
    uint64_t iova = 77;

    (void)state;
    assert_int_equal(afu_dma_map(&regions, MEMORY, 0, &iova), -EINVAL);
    assert_int_equal(afu_dma_map(&regions, MEMORY + 1, PAGE_SIZE, &iova), -EINVAL);
    assert_int_equal(afu_dma_map(&regions, MEMORY, PAGE_SIZE + 1, &iova), -EINVAL);
    assert_int_equal(afu_dma_map(&regions, USER_END, PAGE_SIZE, &iova), -EINVAL);
    assert_int_equal(afu_dma_map(&regions, MEMORY, -PAGE_SIZE, &iova), -EINVAL);
    assert_int_equal(afu_dma_map(&regions, -PAGE_SIZE, PAGE_SIZE, &iova), -EINVAL);
    assert_int_equal(iova, 77);
}

static void refuses_memory_that_is_not_writable_ram(void **state)
{
    uint64_t iova;

    (void)state;
    assert_int_equal(afu_dma_map(&regions, source_address(SOURCE_READ_ONLY), PAGE_SIZE, &iova),
                     -EFAULT);
    assert_int_equal(afu_dma_map(&regions, source_address(SOURCE_END), PAGE_SIZE, &iova), -EFAULT);
    assert_int_equal(afu_dma_map(&regions, source_address(SOURCE_DEVICE_PAGE), PAGE_SIZE, &iova),
                     -EFAULT);
    assert_int_equal(account.used, 0);
}

static void the_locked_memory_limit_binds(void **state)
{
    uint64_t iova;

    (void)state;
    assert_int_equal(afu_dma_map(&regions, MEMORY, 65 * PAGE_SIZE, &iova), -ENOMEM);
    assert_int_equal(account.used, 0);
    map(SOURCE_SCATTERED, 64);
    assert_int_equal(afu_dma_map(&regions, MEMORY, PAGE_SIZE, &iova), -ENOMEM);
}

/* The address space never gives one IOVA twice, so the tree is made to believe it is full. */
static void refuses_an_iova_that_has_a_region(void **state)
{
    struct afu_region everything = {.range = {.first = 0, .last = UINT64_MAX}};
    uint64_t iova = 77;

    (void)state;
    assert_true(itree_insert(&regions.tree, &everything.range));
    assert_int_equal(afu_dma_map(&regions, MEMORY, PAGE_SIZE, &iova), -EEXIST);
    assert_int_equal(iova, 77);
    assert_int_equal(account.used, 0);
    assert_int_equal(pins(), 0);
    itree_remove(&regions.tree, &everything.range);
    map(SOURCE_SCATTERED, 1);
}

static void unmap_wants_the_exact_start_of_a_region(void **state)
{
    uint64_t iova = map(SOURCE_SCATTERED, 4);

    (void)state;
    assert_int_equal(afu_dma_unmap(&regions, iova - 1), -EINVAL);
    assert_int_equal(afu_dma_unmap(&regions, iova + PAGE_SIZE), -EINVAL);
    assert_int_equal(afu_dma_unmap(&regions, iova + 4 * PAGE_SIZE), -EINVAL);
    assert_int_equal(afu_dma_unmap(&regions, UINT64_MAX), -EINVAL);
    assert_int_equal(account.used, 4 * PAGE_SIZE);
    assert_int_equal(afu_dma_unmap(&regions, iova), 0);
    assert_int_equal(afu_dma_unmap(&regions, iova), -EINVAL);
}

static void each_afu_has_a_tree_of_its_own(void **state)
{
    struct afu_regions other;
    uint64_t iova = map(SOURCE_SCATTERED, 1);

    (void)state;
    afu_regions_init(&other, ioas, &user);
    assert_int_equal(afu_dma_unmap(&other, iova), -EINVAL);
    afu_dma_remove_all(&other);
    assert_int_equal(account.used, PAGE_SIZE);
    assert_int_equal(afu_dma_unmap(&regions, iova), 0);
}

/* Every allocation, pin and table page fails in turn; then nothing may have changed. */
static void every_failure_leaves_all_as_it_was(void **state)
{
    uint64_t iova = 77;
    bool failed = true;

    (void)state;
    for (uint64_t n = 1; failed; n++) {
        uint64_t used = account.used, pinned = pins(), heap = heap_used();
        uint64_t tables = ioas_iommu_tables();

        assert_true(n < 100);
        host_fail_nth(n);
        int error = afu_dma_map(&regions, MEMORY, 8 * PAGE_SIZE, &iova);
        failed = host_failed();
        host_fail_nth(0);
        assert_int_equal(error, failed ? -ENOMEM : 0);
        if (!failed)
            break;
        assert_int_equal(iova, 77);
        assert_int_equal(account.used, used);
        assert_int_equal(pins(), pinned);
        assert_int_equal(heap_used(), heap);
        assert_int_equal(ioas_iommu_tables(), tables);
        assert_int_equal(regions.tree.count, 0);
    }
    /* Unmapping allocates nothing, so nothing can fail. */
    host_fail_nth(1);
    assert_int_equal(afu_dma_unmap(&regions, iova), 0);
    assert_false(host_failed());
    host_fail_nth(0);
}

static void a_silent_unit_keeps_the_memory_pinned(void **state)
{
    uint64_t iova = map(SOURCE_SCATTERED, 1);

    (void)state;
    ioas_iommu_kill(0);
    assert_int_equal(afu_dma_unmap(&regions, iova), -EIO);
    assert_int_equal(regions.tree.count, 0);
    assert_int_equal(pins(), 1);
}

/* The faults of the 2017 driver, one by one; the two of its reset are in test_port_reset.c. */

static void pitfall_37_partial_pin_releases_what_was_pinned(void **state)
{
    uint64_t iova, before = pins();

    (void)state;
    source_replace(SOURCE_SCATTERED + 5, true);
    assert_int_equal(afu_dma_map(&regions, MEMORY, 8 * PAGE_SIZE, &iova), -EFAULT);
    assert_int_equal(pins(), before);
    assert_int_equal(account.used, 0);
    source_replace(SOURCE_SCATTERED + 5, false);
}

static void pitfall_37_pin_failure_is_an_error_never_a_count(void **state)
{
    uint64_t iova;

    (void)state;
    source_replace(SOURCE_SCATTERED + 1, true);
    assert_true(afu_dma_map(&regions, MEMORY, 2 * PAGE_SIZE, &iova) < 0);
    assert_int_equal(regions.tree.count, 0);
    source_replace(SOURCE_SCATTERED + 1, false);
}

static void pitfall_37_removing_all_does_not_walk_erased_nodes(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 60; i++)
        map(SOURCE_SCATTERED + i, 1);
    afu_dma_remove_all(&regions);
    assert_int_equal(regions.tree.count, 0);
    assert_int_equal(account.used, 0);
}

static void pitfall_37_nothing_is_released_twice(void **state)
{
    uint64_t first = map(SOURCE_SCATTERED, 2), second = map(SOURCE_SCATTERED, 2);

    (void)state;
    assert_int_equal(afu_dma_unmap(&regions, first), 0);
    assert_int_equal(afu_dma_unmap(&regions, first), -EINVAL);
    assert_int_equal(account.used, 2 * PAGE_SIZE);
    assert_int_equal(afu_dma_unmap(&regions, second), 0);
    assert_int_equal(pins(), 0);
}

static unsigned breaths;

static int count_breath(const char *point, enum thread_hears hears)
{
    breaths++;
    return -EINTR; /* heard by nobody here */
}

static void others_are_let_in_while_many_regions_go(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 64; i++)
        map(SOURCE_SCATTERED, 1);
    breaths = 0;
    host_breath_work = breath_left = BREATH_WORK / 10;
    host_breath = count_breath;
    afu_dma_remove_all(&regions);
    host_breath = NULL;
    host_breath_work = breath_left = BREATH_WORK;
    assert_true(breaths >= 3);
    assert_int_equal(regions.tree.count, 0);
    assert_int_equal(account.used, 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(maps_scattered_memory_as_one_range),
        CASE(refuses_bad_arguments),
        CASE(refuses_memory_that_is_not_writable_ram),
        CASE(the_locked_memory_limit_binds),
        CASE(refuses_an_iova_that_has_a_region),
        CASE(unmap_wants_the_exact_start_of_a_region),
        CASE(each_afu_has_a_tree_of_its_own),
        CASE(every_failure_leaves_all_as_it_was),
        CASE(pitfall_37_partial_pin_releases_what_was_pinned),
        CASE(pitfall_37_pin_failure_is_an_error_never_a_count),
        CASE(pitfall_37_removing_all_does_not_walk_erased_nodes),
        CASE(pitfall_37_nothing_is_released_twice),
        CASE(others_are_let_in_while_many_regions_go),
        cmocka_unit_test_setup(a_silent_unit_keeps_the_memory_pinned, begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
