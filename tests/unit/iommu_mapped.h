/* SPDX-License-Identifier: BSD-2-Clause */
/* A page to map, a domain with a device in it, and the end of both. */
#ifndef TESTS_UNIT_IOMMU_MAPPED_H
#define TESTS_UNIT_IOMMU_MAPPED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "kernel/iommu/remap.h"
#include "kernel/lib/error.h"
#include "tests/unit/iommu_machine.h"

static const struct phys_run page = {TARGET, PAGE_SIZE};

static inline struct iommu_domain *attached_domain(uint16_t rid)
{
    struct iommu_domain *domain = machine_domain();

    assert_int_equal(iommu_attach(domain, machine_requester(rid)), 0);
    return domain;
}

static inline void end(struct iommu_domain *domain, uint16_t rid)
{
    iommu_detach(domain, machine_requester(rid));
    iommu_domain_destroy(domain);
    machine_stop();
}

static inline int unmap(struct iommu_domain *domain, uint64_t iova, uint64_t length)
{
    struct iommu_gather gather;

    iommu_gather_init(&gather, domain);
    iommu_unmap(domain, iova, length, &gather);
    return iommu_sync(&gather);
}

#endif
