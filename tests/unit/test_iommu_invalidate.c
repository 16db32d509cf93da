/* SPDX-License-Identifier: BSD-2-Clause */
/* Invalidation: no more than is needed, and no less. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "kernel/lib/error.h"
#include "kernel/mm/heap.h"
#include "tests/unit/host_heap.h"
#include "tests/unit/host_memory.h"
#include "tests/unit/iommu_machine.h"

/* One page at once, beside one that stays; with page-selective invalidation and without. */
static void one_page_goes_at_once(void **state)
{
    static const uint64_t caps[] = {VTD_TEST_CAP, VTD_TEST_CAP & ~BIT(VTD_CAP_PSI)};

    for (size_t i = 0; i < ARRAY_SIZE(caps); i++) {
        struct vtd_unit *unit = machine_start(caps[i], VTD_TEST_ECAP, NULL);
        struct iommu_domain *domain = machine_domain();

        assert_int_equal(iommu_attach(domain, machine_requester(DEVICE)), 0);
        machine_map(domain, IOVA, TARGET, 2 * PAGE_SIZE, IOMMU_WRITE);
        machine_expect_dma(unit, DEVICE, IOVA, true, TARGET);
        machine_expect_dma(unit, DEVICE, IOVA + PAGE_SIZE, true, TARGET + PAGE_SIZE);
        vtd_unit_forget_events(unit);
        assert_int_equal(iommu_unmap_now(domain, IOVA, PAGE_SIZE), 0);
        assert_int_equal(vtd_unit_count(unit, VTD_EVENT_IOTLB), 1);
        machine_expect_refused(unit, DEVICE, IOVA, true, 5);
        machine_expect_dma(unit, DEVICE, IOVA + PAGE_SIZE, true, TARGET + PAGE_SIZE);
        /* A unit that does not confirm it is fenced, and the caller knows. */
        unit->dead = true;
        assert_int_equal(iommu_unmap_now(domain, IOVA + PAGE_SIZE, PAGE_SIZE), -EIO);
        assert_true(machine_unit()->fenced);
        iommu_detach(domain, machine_requester(DEVICE));
        iommu_domain_destroy(domain);
        machine_stop();
    }
}

static void masks_cover_ranges_exactly(void **state)
{
    uint64_t rng = 99;

    for (unsigned i = 0; i < 200000; i++) {
        uint64_t first = host_random_below(&rng, BIT(1 + host_random_below(&rng, 40)));
        uint64_t last = first + host_random_below(&rng, BIT(1 + host_random_below(&rng, 20)));
        unsigned max = (unsigned)host_random_below(&rng, 19);
        unsigned mask = invalidation_mask(first, last, max);
        unsigned cover = invalidation_cover(first, last);

        /* Aligned, inside, and the largest such. */
        assert_true(mask <= max && IS_ALIGNED(first, BIT(mask)));
        assert_true(first + (BIT(mask) - 1) <= last);
        assert_true(mask == max || !IS_ALIGNED(first, BIT(mask + 1)) ||
                    first + (BIT(mask + 1) - 1) > last);
        /* The smallest aligned block around both. */
        assert_int_equal(first >> cover, last >> cover);
        assert_true(cover == 0 || first >> (cover - 1) != last >> (cover - 1));
    }
}

/* Number of IOTLB requests, by granularity, that an unmap of one mapping caused. */
static void expect_requests(uint64_t cap, uint64_t iova, uint64_t length, unsigned pages,
                            unsigned domain_wide)
{
    struct vtd_unit *unit = machine_start(cap, VTD_TEST_ECAP, NULL);
    struct iommu_domain *domain = machine_domain();
    unsigned got[4] = {0};

    assert_int_equal(iommu_attach(domain, machine_requester(DEVICE)), 0);
    machine_map(domain, iova, TARGET + iova % SIZE_1G, length, IOMMU_READ);
    vtd_unit_forget_events(unit);
    machine_unmap(domain, iova, length);
    for (size_t i = 0; i < unit->descriptor_count; i++) {
        if (vtd_descriptor_type(&unit->descriptors[i]) == VTD_DESCRIPTOR_IOTLB)
            got[vtd_descriptor_granularity(&unit->descriptors[i])]++;
    }
    assert_int_equal(got[VTD_PAGES], pages);
    assert_int_equal(got[VTD_DOMAIN], domain_wide);
    assert_int_equal(got[VTD_GLOBAL], 0);
    assert_int_equal(iommu_detach(domain, machine_requester(DEVICE)), 0);
    iommu_domain_destroy(domain);
    machine_stop();
}

static void invalidates_as_little_as_possible(void **state)
{
    uint64_t mamv9 = CAP_WITH(UINT64_C(9) << 48, UINT64_C(63) << 48);

    expect_requests(VTD_TEST_CAP, IOVA, PAGE_SIZE, 1, 0);
    expect_requests(VTD_TEST_CAP, IOVA, 8 * PAGE_SIZE, 1, 0);
    expect_requests(VTD_TEST_CAP, IOVA + PAGE_SIZE, 2 * PAGE_SIZE, 2, 0);
    expect_requests(VTD_TEST_CAP, IOVA, SIZE_1G, 1, 0);
    expect_requests(VTD_TEST_CAP, IOVA + PAGE_SIZE, 255 * PAGE_SIZE, 8, 0);
    expect_requests(VTD_TEST_CAP, IOVA + PAGE_SIZE, 65535 * PAGE_SIZE, 16, 0);
    expect_requests(VTD_TEST_CAP, IOVA + PAGE_SIZE, 131071 * PAGE_SIZE, 0, 1);
    expect_requests(VTD_TEST_CAP, 0, 17 * SIZE_1G, 0, 1);
    /* A mask too small for the leaf: the whole domain. */
    expect_requests(mamv9, IOVA, SIZE_2M, 1, 0);
    expect_requests(mamv9, IOVA, SIZE_1G, 0, 1);
    expect_requests(CAP_WITH(0, BIT(39)), IOVA, PAGE_SIZE, 0, 1);
}

/* Nothing is attached: nothing can be cached, and nothing is asked of the unit. */
static void no_invalidation_without_a_requester(void **state)
{
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    struct iommu_domain *domain = machine_domain();

    vtd_unit_forget_events(unit);
    machine_map(domain, IOVA, TARGET, SIZE_2M, IOMMU_READ);
    machine_unmap(domain, IOVA, SIZE_2M);
    assert_int_equal(unit->event_count, 0);
    iommu_domain_destroy(domain);
    machine_stop();
}

static void pitfall_15_write_buffers_are_flushed(void **state)
{
    struct vtd_unit *unit = machine_start(CAP_WITH(BIT(4), 0), ECAP_WITH(1, 0), NULL);
    struct iommu_domain *domain = machine_domain();

    assert_int_equal(iommu_attach(domain, machine_requester(DEVICE)), 0);
    machine_map(domain, IOVA, TARGET, PAGE_SIZE, IOMMU_WRITE);
    machine_expect_dma(unit, DEVICE, IOVA, true, TARGET);
    /* An invalidation flushes by itself: no command beside it. */
    vtd_unit_forget_events(unit);
    machine_unmap(domain, IOVA, PAGE_SIZE);
    assert_int_equal(vtd_unit_count(unit, VTD_EVENT_BUFFER_FLUSH), 0);
    machine_expect_refused(unit, DEVICE, IOVA, true, 5);
    /* A unit whose flush does not end is fenced. */
    unit->ignored = 1u << 27;
    assert_int_equal(
        iommu_map(domain, IOVA, &(struct phys_run){TARGET, PAGE_SIZE}, 1, IOMMU_READ, 0), -EIO);
    assert_true(machine_unit()->fenced);
    iommu_detach(domain, machine_requester(DEVICE));
    iommu_domain_destroy(domain);
    machine_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_page_goes_at_once),
        cmocka_unit_test(masks_cover_ranges_exactly),
        cmocka_unit_test(invalidates_as_little_as_possible),
        cmocka_unit_test(no_invalidation_without_a_requester),
        cmocka_unit_test(pitfall_15_write_buffers_are_flushed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
