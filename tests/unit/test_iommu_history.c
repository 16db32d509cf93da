/* SPDX-License-Identifier: BSD-2-Clause */
/* What the report keeps of the past: the peak of mapped memory, and how long units took. */
#include "tests/unit/iommu_report_fixture.h"

/* ---- history ---- */

static void the_peak_stays_known(void **state)
{
    struct iommu_domain *domain;
    struct domain_figures figures;

    machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    domain = machine_domain();
    machine_map(domain, IOVA, TARGET, SIZE_1G, IOMMU_READ);
    machine_map(domain, 2 * IOVA, TARGET, SIZE_2M + PAGE_SIZE, IOMMU_READ);
    machine_unmap(domain, IOVA, SIZE_1G);
    machine_map(domain, IOVA, TARGET, SIZE_2M, IOMMU_READ);
    figures = domain_figures(domain);
    assert_int_equal(figures.history.peak_bytes, SIZE_1G + SIZE_2M + PAGE_SIZE);
    assert_int_equal(figures.history.peak_leaves[1], 1);
    assert_int_equal(figures.history.peak_leaves[2], 1);
    assert_int_equal(figures.history.peak_leaves[3], 1);
    assert_int_equal(figures.leaves_made[2], 2);
    assert_int_equal(figures.maps, 3);
    assert_int_equal(figures.unmaps, 1);
    assert_int_equal(iommu_attach(domain, machine_requester(DEVICE)), 0);
    assert_int_equal(iommu_detach(domain, machine_requester(DEVICE)), 0);
    assert_int_equal(iommu_attach(domain, machine_requester(OTHER)), 0);
    assert_int_equal(iommu_detach(domain, machine_requester(OTHER)), 0);
    figures = domain_figures(domain);
    assert_int_equal(figures.history.attached.count, 2);
    iommu_domain_destroy(domain);
    report();
    assert_non_null(strstr(told, "\"bytes\": 1075843072"));
    assert_int_equal(times_told("\"0000:00:03.0\""), 1);
    machine_stop();
}

/* What single pages in one table hide from the peak is less than that table maps. */
static void the_peak_misses_less_than_a_table(void **state)
{
    struct iommu_domain *domain;
    uint64_t most = 0, mapped = 0, seed = 4711;
    bool there[4096] = {0};

    machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    domain = machine_domain();
    for (unsigned i = 0; i < 200000; i++) {
        /* Grows and shrinks in turn, in one table for a while and then in another. */
        unsigned page = (unsigned)(i / 3000 * 512 + (seed >> 33) % 700) % 4096;
        uint64_t iova = IOVA + page * PAGE_SIZE;
        bool growing = i / 700 % 2 == 0;

        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
        if (there[page] == growing)
            continue;
        if (growing)
            machine_map(domain, iova, TARGET, PAGE_SIZE, IOMMU_READ);
        else
            assert_int_equal(iommu_unmap_now(domain, iova, PAGE_SIZE), 0);
        there[page] = growing;
        mapped += growing ? PAGE_SIZE : -PAGE_SIZE;
        most = MAX(most, mapped);
        assert_in_range(domain_figures(domain).history.peak_bytes, mapped, most);
        assert_true(most - domain->history.peak_bytes < SIZE_2M);
    }
    assert_true(most > SIZE_2M);
    iommu_domain_destroy(domain);
    machine_stop();
}

/* ---- latencies ---- */

static void latencies_go_to_their_bucket(void **state)
{
    struct latency latency = {0};

    latency_add(&latency, 0);
    assert_int_equal(latency.buckets[0], 1);
    latency_add(&latency, 1);
    latency_add(&latency, 1023);
    latency_add(&latency, 1024);
    latency_add(&latency, UINT64_MAX / 2);
    assert_int_equal(latency.buckets[0], 2);
    assert_int_equal(latency.buckets[9], 1);
    assert_int_equal(latency.buckets[10], 1);
    assert_int_equal(latency.buckets[LATENCY_BUCKETS - 1], 1);
    assert_int_equal(latency.count, 5);
    assert_int_equal(latency.min_ns, 0);
    assert_int_equal(latency.max_ns, UINT64_MAX / 2);
}

static void the_first_waits_are_timed_and_then_some(void **state)
{
    const struct latency *pages, *context;
    struct invalidation *queue;
    struct iommu_domain *domain;
    uint64_t before;

    machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    queue = &machine_unit()->invalidation;
    pages = &queue->latency[INVALIDATED_PAGES];
    context = &queue->latency[INVALIDATED_CONTEXT];
    domain = machine_domain();
    assert_int_equal(iommu_attach(domain, machine_requester(DEVICE)), 0);
    before = queue->waits;
    assert_int_equal(pages->count, 0);
    for (unsigned i = 0; i < 1000; i++) {
        machine_map(domain, IOVA, TARGET, PAGE_SIZE, IOMMU_READ);
        machine_unmap(domain, IOVA, PAGE_SIZE);
        if (i < 20)
            assert_int_equal(pages->count, i + 1);
    }
    assert_int_equal(queue->waits, before + 1000);
    assert_int_equal(pages->count, WAITS_TIMED_FIRST - before +
                                       (queue->waits - WAITS_TIMED_FIRST) / WAITS_TIMED_EVERY);
    /* A wait for several kinds counts for each: the detach is timed now. */
    before = context->count;
    queue->notice_at = queue->waits;
    end(domain);
    assert_int_equal(context->count, before + 1);
    assert_int_equal(queue->latency[INVALIDATED_DEVICE_TLB].count, 0);
    report();
    assert_non_null(strstr(told, "\"latency_ns\": {"));
    assert_null(strstr(told, "\"device-tlb\": {"));
    assert_non_null(strstr(told, "\"iotlb-pages\": {"));
    machine_stop();
}

static void units_without_a_queue_time_every_request(void **state)
{
    struct invalidation *invalidation;
    struct iommu_domain *domain;

    machine_start(VTD_TEST_CAP, ECAP_WITH(0, BIT(VTD_ECAP_QI) | BIT(VTD_ECAP_IR)),
                  &(struct iommu_options){.unsafe_interrupts = true});
    invalidation = &machine_unit()->invalidation;
    domain = machine_domain();
    assert_int_equal(iommu_attach(domain, machine_requester(DEVICE)), 0);
    for (unsigned i = 0; i < 100; i++) {
        machine_map(domain, IOVA, TARGET, PAGE_SIZE, IOMMU_READ);
        machine_unmap(domain, IOVA, PAGE_SIZE);
    }
    assert_int_equal(invalidation->latency[INVALIDATED_PAGES].count, 100);
    for (unsigned kind = 0; kind < INVALIDATED_KINDS; kind++)
        assert_int_equal(invalidation->latency[kind].count, invalidation->counts[kind]);
    end(domain);
    machine_stop();
}

/* The usual wait looks neither at the clock nor at the fence: both share one comparison. */
static void a_fenced_unit_lets_no_wait_through(void **state)
{
    struct invalidation *queue;

    machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    queue = &machine_unit()->invalidation;
    for (unsigned i = 0; i < WAITS_TIMED_FIRST + 5; i++)
        assert_int_equal(invalidation_wait(machine_unit()), 0);
    assert_true(queue->waits < queue->notice_at);
    unit_fence(machine_unit(), "a test");
    for (unsigned i = 0; i < 2 * WAITS_TIMED_EVERY; i++)
        assert_int_equal(invalidation_wait(machine_unit()), -EIO);
    report();
    assert_non_null(strstr(told, "\"fence_reason\": \"a test\""));
    machine_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_peak_stays_known),
        cmocka_unit_test(the_peak_misses_less_than_a_table),
        cmocka_unit_test(latencies_go_to_their_bucket),
        cmocka_unit_test(the_first_waits_are_timed_and_then_some),
        cmocka_unit_test(units_without_a_queue_time_every_request),
        cmocka_unit_test(a_fenced_unit_lets_no_wait_through),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
