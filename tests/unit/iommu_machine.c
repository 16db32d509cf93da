/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "kernel/iommu/reserved.h"
#include "kernel/mm/heap.h"
#include "tests/unit/iommu_machine.h"

static struct refusal last_refusal;
static size_t heap_before;

struct vtd_unit *machine_build(uint64_t cap, uint64_t ecap)
{
    struct vtd_unit *unit;

    host_reset();
    heap_before = heap_used();
    unit = host_unit_add(UNIT_BASE, 4 * PAGE_SIZE, cap, ecap);
    host_dmar_unit(UNIT_BASE, true);
    host_pci_add(0, DEVICE, NULL);
    host_pci_add(0, OTHER, NULL);
    return unit;
}

int machine_init(const struct iommu_options *options)
{
    static const struct iommu_options defaults;

    last_refusal.sentence[0] = 0;
    list_init(&iommu_units);
    return iommu_init(&host_dmar, options ? options : &defaults, &last_refusal);
}

const char *machine_refusal(void)
{
    return last_refusal.sentence;
}

struct vtd_unit *machine_start(uint64_t cap, uint64_t ecap, const struct iommu_options *options)
{
    struct vtd_unit *unit = machine_build(cap, ecap);
    int error = machine_init(options);

    if (error)
        fail_msg("the machine did not start: %s", last_refusal.sentence);
    return unit;
}

struct iommu_unit *machine_unit(void)
{
    return list_first(&iommu_units, struct iommu_unit, link);
}

struct requester *machine_requester(uint16_t rid)
{
    struct requester *requester;

    assert_int_equal(requesters_find(), 0);
    list_for_each_entry (requester, &iommu_requesters, link) {
        if (requester->segment == 0 && requester->rid == rid)
            return requester;
    }
    return requester_get(machine_unit(), rid);
}

static void free_requester(struct requester *requester)
{
    if (requester->domain)
        requester->domain->attached--;
    requester->domain = NULL;
    if (requester->quarantine)
        iommu_domain_destroy(requester->quarantine);
    kfree(requester->regions);
    kfree(requester);
}

static void free_unit(struct iommu_unit *unit)
{
    assert_true(list_empty(&unit->domains));
    kfree(unit->remap.used);
    kfree(unit->domain_ids);
    kfree(unit);
}

void machine_stop(void)
{
    struct requester *requester, *after;
    struct iommu_unit *unit, *next;

    list_for_each_entry_safe (requester, after, &iommu_requesters, link)
        free_requester(requester);
    list_init(&iommu_requesters);
    list_for_each_entry_safe (unit, next, &iommu_units, link)
        free_unit(unit);
    list_init(&iommu_units);
    assert_int_equal(reserved_init(&(struct dmar_info){0}), 0);
    assert_int_equal(heap_used(), heap_before);
}

struct iommu_domain *machine_domain(void)
{
    struct iommu_domain *domain;

    assert_int_equal(iommu_domain_create(machine_unit(), &domain), 0);
    return domain;
}

void machine_map(struct iommu_domain *domain, uint64_t iova, paddr_t base, uint64_t length,
                 unsigned permissions)
{
    struct phys_run run = {base, length};

    assert_int_equal(iommu_map(domain, iova, &run, 1, permissions, 0), 0);
}

void machine_unmap(struct iommu_domain *domain, uint64_t iova, uint64_t length)
{
    struct iommu_gather gather;

    iommu_gather_init(&gather, domain);
    iommu_unmap(domain, iova, length, &gather);
    assert_int_equal(iommu_sync(&gather), 0);
}

void machine_expect_dma(struct vtd_unit *unit, uint16_t rid, uint64_t iova, bool write,
                        paddr_t physical)
{
    paddr_t reached = PADDR_NONE;
    unsigned reason = vtd_unit_dma(unit, rid, iova, write, &reached);

    if (reason)
        fail_msg("DMA to 0x%llx refused: reason 0x%x", (unsigned long long)iova, reason);
    if (reached != physical)
        fail_msg("DMA to 0x%llx reached 0x%llx, not 0x%llx", (unsigned long long)iova,
                 (unsigned long long)reached, (unsigned long long)physical);
}

void machine_expect_refused(struct vtd_unit *unit, uint16_t rid, uint64_t iova, bool write,
                            unsigned reason)
{
    paddr_t reached = PADDR_NONE;
    unsigned got = vtd_unit_dma(unit, rid, iova, write, &reached);

    if (got == 0)
        fail_msg("DMA to 0x%llx reached 0x%llx", (unsigned long long)iova,
                 (unsigned long long)reached);
    assert_int_equal(got, reason);
}
