/* SPDX-License-Identifier: BSD-2-Clause */
/* Contexts: how a device comes into a domain, moves to another, and leaves. */
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

static struct vtd_unit *watched;
static unsigned seen_absent, seen_old, seen_new;
static struct vtd_context_entry old_entry, new_entry;

/* What the unit would read from the entry of DEVICE right now. */
static struct vtd_context_entry entry_in_memory(bool flushed)
{
    uint64_t root = *(const uint64_t *)vtd_memory_seen(watched->root, flushed);

    if (!(root & 1))
        return (struct vtd_context_entry){0, 0};
    return *(const struct vtd_context_entry *)vtd_memory_seen(
        (root & VTD_ADDRESS_MASK) + DEVICE * 16, flushed);
}

/* Between any two stores: absent, or wholly old, or wholly new. Never a mixture. */
static void watch_entry(void)
{
    for (unsigned flushed = 0; flushed < 2; flushed++) {
        struct vtd_context_entry entry = entry_in_memory(flushed);

        if (!(entry.low & 1))
            seen_absent++;
        else if (memcmp(&entry, &old_entry, sizeof(entry)) == 0)
            seen_old++;
        else if (memcmp(&entry, &new_entry, sizeof(entry)) == 0)
            seen_new++;
        else
            fail_msg("torn context entry 0x%llx 0x%llx", (unsigned long long)entry.low,
                     (unsigned long long)entry.high);
    }
}

static struct vtd_context_entry entry_for(const struct iommu_domain *domain)
{
    return vtd_context(virt_to_phys(domain->table.root), domain->table.levels, domain->id, false);
}

static void pitfall_09_context_entries_are_never_torn(void **state)
{
    struct iommu_domain *first, *second;

    watched = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    first = machine_domain();
    second = machine_domain();
    old_entry = entry_for(first);
    new_entry = entry_for(second);
    vtd_memory_on_flush = watch_entry;

    assert_int_equal(iommu_attach(first, machine_requester(DEVICE)), 0);
    seen_absent = 0;
    assert_int_equal(iommu_replace(second, machine_requester(DEVICE)), 0);
    assert_int_equal(seen_absent, 0); /* no moment in which DMA is refused */
    assert_true(seen_old && seen_new);

    /* Detach: the present bit goes alone; the rest only after context and IOTLB invalidation. */
    vtd_unit_forget_events(watched);
    assert_int_equal(iommu_detach(second, machine_requester(DEVICE)), 0);
    assert_true(vtd_unit_first(watched, VTD_EVENT_CONTEXT) <
                vtd_unit_first(watched, VTD_EVENT_IOTLB));
    vtd_memory_on_flush = NULL;
    assert_int_equal(entry_in_memory(true).low, 0);
    assert_int_equal(entry_in_memory(true).high, 0);
    iommu_domain_destroy(first);
    iommu_domain_destroy(second);
    machine_stop();
}

static uint64_t high_at_wait;

static void remember_high(void)
{
    struct vtd_context_entry entry = entry_in_memory(true);

    if (!(entry.low & 1) && vtd_unit_count(watched, VTD_EVENT_WAIT) == 0)
        high_at_wait = entry.high;
}

static void a_revoked_entry_keeps_its_rest_until_invalidated(void **state)
{
    struct iommu_domain *domain;

    watched = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    domain = machine_domain();
    assert_int_equal(iommu_attach(domain, machine_requester(DEVICE)), 0);
    vtd_unit_forget_events(watched);
    high_at_wait = 0;
    vtd_memory_on_flush = remember_high;
    assert_int_equal(iommu_detach(domain, machine_requester(DEVICE)), 0);
    vtd_memory_on_flush = NULL;
    assert_int_equal(high_at_wait, entry_for(domain).high);
    iommu_domain_destroy(domain);
    machine_stop();
}

/* Replacing leaves the other members of both domains alone. */
static void replace_keeps_domains_apart(void **state)
{
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    struct iommu_domain *first = machine_domain(), *second = machine_domain();

    machine_map(first, IOVA, TARGET, PAGE_SIZE, IOMMU_WRITE);
    machine_map(second, IOVA, TARGET + SIZE_1G, PAGE_SIZE, IOMMU_WRITE);
    assert_int_equal(iommu_attach(first, machine_requester(DEVICE)), 0);
    assert_int_equal(iommu_attach(first, machine_requester(OTHER)), 0);
    machine_expect_dma(unit, DEVICE, IOVA, true, TARGET);
    assert_int_equal(iommu_replace(second, machine_requester(DEVICE)), 0);
    assert_int_equal(iommu_replace(second, machine_requester(DEVICE)),
                     0); /* again: nothing to do */
    machine_expect_dma(unit, DEVICE, IOVA, true, TARGET + SIZE_1G);
    machine_expect_dma(unit, OTHER, IOVA, true, TARGET);
    assert_int_equal(first->attached, 1);
    assert_int_equal(second->attached, 1);
    assert_int_equal(iommu_detach(first, machine_requester(DEVICE)), -ENODEV);
    assert_int_equal(iommu_detach(second, machine_requester(DEVICE)), 0);
    assert_int_equal(iommu_detach(first, machine_requester(OTHER)), 0);
    iommu_domain_destroy(first);
    iommu_domain_destroy(second);
    machine_stop();
}

/* Under the id of a device that was removed nothing is reached: neither where it was, nor where its
 * group goes meanwhile, nor when something new is there, until that is taken back. */
static void an_id_that_is_cut_reaches_nothing_wherever_it_is(void **state)
{
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    struct iommu_domain *first = machine_domain(), *second = machine_domain();
    struct requester *requester = machine_requester(DEVICE);

    machine_map(first, IOVA, TARGET, PAGE_SIZE, IOMMU_WRITE);
    machine_map(second, IOVA, TARGET + SIZE_1G, PAGE_SIZE, IOMMU_WRITE);
    assert_int_equal(iommu_attach(first, requester), 0);
    assert_int_equal(iommu_attach(first, machine_requester(OTHER)), 0);
    machine_expect_dma(unit, DEVICE, IOVA, true, TARGET);
    assert_int_equal(iommu_cut(requester, true), 0);
    machine_expect_refused(unit, DEVICE, IOVA, true, 2);
    machine_expect_dma(unit, OTHER, IOVA, true, TARGET);
    assert_int_equal(iommu_cut(requester, true), 0);
    assert_int_equal(iommu_replace(second, requester), 0);
    machine_expect_refused(unit, DEVICE, IOVA, true, 2);
    assert_int_equal(iommu_detach(second, requester), 0);
    machine_expect_refused(unit, DEVICE, IOVA, true, 2);
    assert_int_equal(iommu_attach(second, requester), 0);
    machine_expect_refused(unit, DEVICE, IOVA, true, 2);
    assert_int_equal(second->attached, 1);
    assert_int_equal(iommu_cut(requester, false), 0);
    machine_expect_dma(unit, DEVICE, IOVA, true, TARGET + SIZE_1G);
    assert_int_equal(iommu_detach(second, requester), 0);
    /* In no domain it makes no difference. */
    assert_int_equal(iommu_cut(requester, true), 0);
    assert_int_equal(iommu_cut(requester, false), 0);
    machine_expect_refused(unit, DEVICE, IOVA, true, 2);
    assert_int_equal(iommu_detach(first, machine_requester(OTHER)), 0);
    iommu_domain_destroy(first);
    iommu_domain_destroy(second);
    machine_stop();
}

/* CAP.ND = 0: 16 ids, one of them reserved. A freed id is used again; exhaustion is said. */
static void domain_ids_run_out_with_an_error(void **state)
{
    struct iommu_domain *domains[16], *extra;
    unsigned count = 0;

    machine_start(CAP_WITH(BIT(7), 7), VTD_TEST_ECAP, NULL);
    while (iommu_domain_create(machine_unit(), &domains[count]) == 0)
        count++;
    assert_int_equal(count, 15);
    assert_int_equal(iommu_domain_create(machine_unit(), &extra), -ENOSPC);
    assert_non_null(strstr(host_log(), "all 16 domain ids are in use"));
    iommu_domain_destroy(domains[7]);
    assert_int_equal(iommu_domain_create(machine_unit(), &domains[7]), 0);
    assert_int_equal(domains[7]->id, 8);
    while (count--)
        iommu_domain_destroy(domains[count]);
    machine_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pitfall_09_context_entries_are_never_torn),
        cmocka_unit_test(a_revoked_entry_keeps_its_rest_until_invalidated),
        cmocka_unit_test(replace_keeps_domains_apart),
        cmocka_unit_test(an_id_that_is_cut_reaches_nothing_wherever_it_is),
        cmocka_unit_test(domain_ids_run_out_with_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
