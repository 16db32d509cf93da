/* SPDX-License-Identifier: BSD-2-Clause */
/* What a map and an unmap do to the tables, and which translations they leave behind. */
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

/* ---- mapping ---- */

static void rejects_what_the_contract_forbids(void **state)
{
    static const struct {
        uint64_t iova;
        struct phys_run run;
        unsigned permissions;
        int error;
    } cases[] = {
        {IOVA + 1, {TARGET, PAGE_SIZE}, IOMMU_READ, -EINVAL},
        {IOVA, {TARGET + 1, PAGE_SIZE}, IOMMU_READ, -EINVAL},
        {IOVA, {TARGET, PAGE_SIZE + 1}, IOMMU_READ, -EINVAL},
        {IOVA, {TARGET, 0}, IOMMU_READ, -EINVAL},
        {IOVA, {TARGET, PAGE_SIZE}, 0, -EINVAL},
        {IOVA, {TARGET, PAGE_SIZE}, 4, -EINVAL},
        {IOVA, {TARGET, PAGE_SIZE}, 7, -EINVAL},
        {BIT(48), {TARGET, PAGE_SIZE}, IOMMU_READ, -EINVAL},
        {BIT(48) - PAGE_SIZE, {TARGET, 2 * PAGE_SIZE}, IOMMU_READ, -EINVAL},
        {~UINT64_C(0) - 0xfff, {TARGET, PAGE_SIZE}, IOMMU_READ, -EINVAL},
        {IOVA, {BIT(46) - PAGE_SIZE, 2 * PAGE_SIZE}, IOMMU_READ, -EINVAL},
        {IOVA, {BIT(46), PAGE_SIZE}, IOMMU_READ, -EINVAL},
        {IOVA, {~UINT64_C(0) - 0xfff, PAGE_SIZE}, IOMMU_READ, -EINVAL},
        {IOVA, {BIT(46) - PAGE_SIZE, PAGE_SIZE}, IOMMU_READ, 0},
        {BIT(48) - PAGE_SIZE, {TARGET, PAGE_SIZE}, IOMMU_WRITE, 0},
        {0, {0, PAGE_SIZE}, IOMMU_READ | IOMMU_WRITE, 0},
        {0, {0, PAGE_SIZE}, IOMMU_READ, -EEXIST},
    };
    struct iommu_domain *domain;

    machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    domain = machine_domain();
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t pages = machine_unit()->tables.used;
        int error = iommu_map(domain, cases[i].iova, &cases[i].run, 1, cases[i].permissions, 0);

        if (error != cases[i].error)
            fail_msg("case %zu: %d", i, error);
        if (error)
            assert_int_equal(machine_unit()->tables.used, pages);
    }
    assert_int_equal(iommu_map(domain, IOVA, NULL, 0, IOMMU_READ, 0), -EINVAL);
    iommu_domain_destroy(domain);
    machine_stop();
}

/* A run that is wrong in the middle of a list leaves nothing behind, not even in the IOTLB. */
static void a_failed_map_leaves_nothing(void **state)
{
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    struct phys_run runs[] = {
        {TARGET, SIZE_2M}, {TARGET + SIZE_1G, PAGE_SIZE}, {TARGET + 1, PAGE_SIZE}};
    struct iommu_domain *domain = machine_domain();
    uint64_t pages = machine_unit()->tables.used;

    assert_int_equal(iommu_attach(domain, machine_requester(DEVICE)), 0);
    assert_int_equal(iommu_map(domain, IOVA, runs, 3, IOMMU_WRITE, 0), -EINVAL);
    machine_expect_refused(unit, DEVICE, IOVA, true, 5);
    machine_expect_refused(unit, DEVICE, IOVA + SIZE_2M, true, 5);
    assert_int_equal(machine_unit()->tables.used, pages);
    assert_int_equal(domain->table.leaves[1] + domain->table.leaves[2], 0);
    assert_int_equal(domain->open, 0);
    assert_int_equal(iommu_detach(domain, machine_requester(DEVICE)), 0);
    iommu_domain_destroy(domain);
    machine_stop();
}

/* Every allocation of every call, made to fail in turn, changes nothing. */
static void survives_every_failed_allocation(void **state)
{
    struct phys_run run = {TARGET, 5 * PAGE_SIZE};
    struct iommu_domain *domain;
    bool done = false;

    for (uint64_t n = 1; !done; n++) {
        int error;

        machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
        host_fail_nth(n);
        error = iommu_domain_create(machine_unit(), &domain);
        if (!error) {
            error = iommu_map(domain, IOVA, &run, 1, IOMMU_READ, 0);
            if (!error)
                error = iommu_attach(domain, machine_requester(DEVICE));
            done = !host_failed();
            host_fail_nth(0);
            assert_int_equal(error, done ? 0 : -ENOMEM);
            if (done)
                assert_int_equal(iommu_detach(domain, machine_requester(DEVICE)), 0);
            iommu_domain_destroy(domain);
        } else {
            host_fail_nth(0);
            assert_int_equal(error, -ENOMEM);
            assert_true(list_empty(&machine_unit()->domains));
        }
        assert_int_equal(machine_unit()->tables.used, 0);
        machine_stop();
    }
}

static void small_leaves_on_request(void **state)
{
    struct phys_run run = {TARGET, SIZE_2M};
    struct iommu_translation found;
    struct iommu_domain *domain;

    machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    domain = machine_domain();
    assert_int_equal(iommu_map(domain, IOVA, &run, 1, IOMMU_READ, IOMMU_SMALL_LEAVES), 0);
    assert_true(iommu_translate(domain, IOVA + SIZE_2M - 1, &found));
    assert_int_equal(found.leaf_size, PAGE_SIZE);
    assert_int_equal(found.physical, TARGET + SIZE_2M - 1);
    /* They may be cut: part of the range goes, the rest stays. */
    machine_unmap(domain, IOVA + PAGE_SIZE, PAGE_SIZE);
    assert_true(iommu_translate(domain, IOVA, &found));
    assert_false(iommu_translate(domain, IOVA + PAGE_SIZE, &found));
    assert_true(iommu_translate(domain, IOVA + 2 * PAGE_SIZE, &found));
    iommu_domain_destroy(domain);
    machine_stop();
}

static void pitfall_02_unaligned_ranges_get_no_large_leaf(void **state)
{
    static const struct phys_run run = {TARGET + PAGE_SIZE, 2 * SIZE_2M};
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    struct iommu_domain *domain = machine_domain();
    struct iommu_translation found;

    assert_int_equal(iommu_attach(domain, machine_requester(DEVICE)), 0);
    /* IOVA and physical address differ modulo 2 MiB: every page on its own. */
    assert_int_equal(iommu_map(domain, IOVA, &run, 1, IOMMU_READ, 0), 0);
    assert_int_equal(domain->table.leaves[1], 1024);
    assert_int_equal(domain->table.leaves[2], 0);
    machine_expect_dma(unit, DEVICE, IOVA + SIZE_2M + 5, false, TARGET + PAGE_SIZE + SIZE_2M + 5);
    machine_unmap(domain, IOVA, run.length);
    /* The same offset in both: large in the middle, small around. */
    assert_int_equal(iommu_map(domain, IOVA + PAGE_SIZE, &run, 1, IOMMU_READ, 0), 0);
    assert_int_equal(domain->table.leaves[2], 1);
    assert_int_equal(domain->table.leaves[1], 512);
    assert_true(iommu_translate(domain, IOVA + SIZE_2M, &found));
    assert_int_equal(found.leaf_size, SIZE_2M);
    assert_int_equal(iommu_detach(domain, machine_requester(DEVICE)), 0);
    iommu_domain_destroy(domain);
    machine_stop();
}

static void pitfall_04_translations_carry_no_marker_bits(void **state)
{
    struct iommu_domain *domain;
    struct iommu_translation found;

    machine_start(VTD_TEST_CAP, ECAP_WITH(BIT(7), 0), NULL); /* with the snoop bit in leaves */
    domain = machine_domain();
    machine_map(domain, IOVA, BIT(46) - SIZE_1G, SIZE_1G, IOMMU_WRITE);
    assert_true(iommu_translate(domain, IOVA + 0x123456, &found));
    assert_int_equal(found.physical, BIT(46) - SIZE_1G + 0x123456);
    assert_int_equal(found.permissions, IOMMU_WRITE);
    assert_int_equal(found.leaf_size, SIZE_1G);
    iommu_domain_destroy(domain);
    machine_stop();
}

/* ---- stale translations ---- */

/* The directory entry of the small pages is in the paging-structure cache when the large leaf
 * comes, and the caller has not synced yet. */
static void pitfall_01_large_leaf_over_emptied_table(void **state)
{
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    struct iommu_domain *domain = machine_domain();
    static const struct phys_run small = {TARGET, SIZE_2M};
    struct iommu_gather gather;

    assert_int_equal(iommu_attach(domain, machine_requester(DEVICE)), 0);
    assert_int_equal(iommu_map(domain, IOVA, &small, 1, IOMMU_WRITE, IOMMU_SMALL_LEAVES), 0);
    machine_expect_dma(unit, DEVICE, IOVA + 0x5000, true, TARGET + 0x5000);
    iommu_gather_init(&gather, domain);
    iommu_unmap(domain, IOVA, SIZE_2M, &gather);
    machine_map(domain, IOVA, TARGET + SIZE_1G, SIZE_2M, IOMMU_WRITE);
    machine_expect_dma(unit, DEVICE, IOVA + 0x5000, true, TARGET + SIZE_1G + 0x5000);
    machine_expect_dma(unit, DEVICE, IOVA + 0x6000, true, TARGET + SIZE_1G + 0x6000);
    assert_int_equal(iommu_sync(&gather), 0);
    machine_expect_dma(unit, DEVICE, IOVA + 0x6000, true, TARGET + SIZE_1G + 0x6000);
    assert_int_equal(iommu_detach(domain, machine_requester(DEVICE)), 0);
    iommu_domain_destroy(domain);
    machine_stop();
}

/* A table page that the unit may still walk is neither changed nor handed out before the sync. */
static void pitfall_03_table_pages_wait_for_the_invalidation(void **state)
{
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    struct iommu_domain *domain = machine_domain(), *second = machine_domain();
    static const struct phys_run small = {TARGET, SIZE_2M};
    struct iommu_gather gather;
    uint64_t used;

    assert_int_equal(iommu_attach(domain, machine_requester(DEVICE)), 0);
    assert_int_equal(iommu_map(domain, IOVA, &small, 1, IOMMU_WRITE, IOMMU_SMALL_LEAVES), 0);
    machine_expect_dma(unit, DEVICE, IOVA, true, TARGET);
    used = machine_unit()->tables.used;
    iommu_gather_init(&gather, domain);
    iommu_unmap(domain, IOVA, SIZE_2M, &gather);
    assert_int_not_equal(gather.removed.freed, 0);
    assert_int_equal(machine_unit()->tables.used, used);
    /* Another domain takes table pages now; the walk through the old one still ends where it did.
     */
    machine_map(second, 7 * SIZE_1G, TARGET + 8 * SIZE_1G, 3 * PAGE_SIZE, IOMMU_READ);
    machine_expect_dma(unit, DEVICE, IOVA + 0x9000, true, TARGET + 0x9000);
    assert_int_equal(iommu_sync(&gather), 0);
    assert_true(machine_unit()->tables.used < used + 3);
    machine_expect_refused(unit, DEVICE, IOVA + 0x9000, true, 5);
    assert_int_equal(iommu_detach(domain, machine_requester(DEVICE)), 0);
    iommu_domain_destroy(domain);
    iommu_domain_destroy(second);
    machine_stop();
}

/* One flush per line of eight entries, and none where the unit snoops. */
static void pitfall_06_flushes_whole_lines_once(void **state)
{
    static const struct phys_run run = {TARGET, 64 * PAGE_SIZE};
    struct iommu_domain *domain;
    uint64_t before;

    machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    domain = machine_domain();
    machine_map(domain, IOVA + SIZE_1G - PAGE_SIZE, TARGET, PAGE_SIZE, IOMMU_READ);
    /* The page for the new table is one that was flushed before. */
    table_release(&machine_unit()->tables, table_alloc(&machine_unit()->tables));
    before = vtd_memory_flushes;
    assert_int_equal(iommu_map(domain, IOVA + 4 * PAGE_SIZE, &run, 1, IOMMU_READ, 0), 0);
    /* Entries 4 to 67 touch lines 0 to 8; one more each for the two tables above. */
    assert_int_equal(vtd_memory_flushes - before, 9 + 1);
    before = vtd_memory_flushes;
    machine_unmap(domain, IOVA + 4 * PAGE_SIZE, run.length);
    /* The same lines; the table stays, and without a requester nothing is queued. */
    assert_int_equal(vtd_memory_flushes - before, 9);
    iommu_domain_destroy(domain);
    machine_stop();

    machine_start(VTD_TEST_CAP, ECAP_WITH(BIT(0), 0), NULL);
    before = vtd_memory_flushes;
    domain = machine_domain();
    assert_int_equal(iommu_map(domain, IOVA, &run, 1, IOMMU_READ, 0), 0);
    machine_unmap(domain, IOVA, run.length);
    iommu_domain_destroy(domain);
    assert_int_equal(vtd_memory_flushes, before);
    machine_stop();
}

static void pitfall_07_caching_mode_invalidates_new_mappings(void **state)
{
    struct vtd_unit *unit = machine_start(CAP_WITH(BIT(7), 0), VTD_TEST_ECAP, NULL);
    struct iommu_domain *domain = machine_domain();

    machine_expect_refused(unit, DEVICE, IOVA, false, 2); /* absence is cached now */
    assert_int_equal(iommu_attach(domain, machine_requester(DEVICE)), 0);
    machine_expect_refused(unit, DEVICE, IOVA, false, 6);
    machine_map(domain, IOVA, TARGET, PAGE_SIZE, IOMMU_READ);
    machine_expect_dma(unit, DEVICE, IOVA, false, TARGET);
    machine_unmap(domain, IOVA, PAGE_SIZE);
    machine_expect_refused(unit, DEVICE, IOVA + SIZE_2M, false, 6);
    machine_expect_refused(unit, DEVICE, IOVA + SIZE_1G - 1, false, 6);
    machine_map(domain, IOVA, TARGET, SIZE_1G, IOMMU_READ);
    machine_expect_dma(unit, DEVICE, IOVA + SIZE_2M, false, TARGET + SIZE_2M);
    machine_expect_dma(unit, DEVICE, IOVA + SIZE_1G - 1, false, TARGET + SIZE_1G - 1);
    assert_int_equal(iommu_detach(domain, machine_requester(DEVICE)), 0);
    iommu_domain_destroy(domain);
    machine_stop();
}

static void pitfall_08_caching_mode_reserves_domain_0(void **state)
{
    struct vtd_unit *unit = machine_start(CAP_WITH(BIT(7), 0), VTD_TEST_ECAP, NULL);
    struct iommu_domain *domain = machine_domain();

    assert_int_equal(domain->id, 1);
    vtd_unit_forget_events(unit);
    assert_int_equal(iommu_attach(domain, machine_requester(DEVICE)), 0);
    /* The absence of the context entry is cached under id 0; what is below it under the new one. */
    assert_int_equal(vtd_descriptor_type(&unit->descriptors[0]), VTD_DESCRIPTOR_CONTEXT);
    assert_int_equal(bits_get(unit->descriptors[0].low, 31, 16), 0);
    assert_int_equal(vtd_descriptor_type(&unit->descriptors[1]), VTD_DESCRIPTOR_IOTLB);
    assert_int_equal(vtd_descriptor_granularity(&unit->descriptors[1]), VTD_DOMAIN);
    assert_int_equal(bits_get(unit->descriptors[1].low, 31, 16), 1);
    vtd_unit_forget_events(unit);
    machine_map(domain, IOVA, TARGET, PAGE_SIZE, IOMMU_READ);
    /* The IOTLB is invalidated under the domain's own id. */
    assert_int_equal(vtd_descriptor_type(&unit->descriptors[0]), VTD_DESCRIPTOR_IOTLB);
    assert_int_equal(bits_get(unit->descriptors[0].low, 31, 16), 1);
    assert_int_equal(iommu_detach(domain, machine_requester(DEVICE)), 0);
    iommu_domain_destroy(domain);
    machine_stop();

    machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    domain = machine_domain();
    assert_int_equal(domain->id, 0);
    iommu_domain_destroy(domain);
    machine_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rejects_what_the_contract_forbids),
        cmocka_unit_test(a_failed_map_leaves_nothing),
        cmocka_unit_test(survives_every_failed_allocation),
        cmocka_unit_test(small_leaves_on_request),
        cmocka_unit_test(pitfall_01_large_leaf_over_emptied_table),
        cmocka_unit_test(pitfall_02_unaligned_ranges_get_no_large_leaf),
        cmocka_unit_test(pitfall_03_table_pages_wait_for_the_invalidation),
        cmocka_unit_test(pitfall_04_translations_carry_no_marker_bits),
        cmocka_unit_test(pitfall_06_flushes_whole_lines_once),
        cmocka_unit_test(pitfall_07_caching_mode_invalidates_new_mappings),
        cmocka_unit_test(pitfall_08_caching_mode_reserves_domain_0),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
