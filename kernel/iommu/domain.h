/* SPDX-License-Identifier: BSD-2-Clause */
/* Domains, as the files of kernel/iommu share them. */
#ifndef KERNEL_IOMMU_DOMAIN_H
#define KERNEL_IOMMU_DOMAIN_H

#include "kernel/iommu/history.h"
#include "kernel/iommu/iommu.h"
#include "kernel/lib/list.h"
#include "kernel/table/page_table.h"

struct iommu_domain {
    struct list link;
    struct iommu_unit *unit;
    uint16_t id;
    bool quarantine; /* belongs to one requester, not to a caller */
    unsigned attached;
    struct list requesters; /* those attached */
    unsigned with_ats;      /* how many of them have a device TLB */
    unsigned open;          /* gathers with removals that may not be invalidated yet */
    bool snoop;             /* leaves carry the snoop bit */
    struct page_table table;
    uint64_t maps;
    uint64_t unmaps;
    iommu_find_area find_area; /* NULL: nobody told */
    const void *areas;
    struct domain_history history;
};

/* As iommu_domain_create(). */
int domain_create(struct iommu_unit *unit, bool quarantine, struct iommu_domain **out);
/* Invalidates everything the unit and device TLBs may have cached of a domain, and waits. */
int domain_invalidate(struct iommu_domain *domain);
/* Adds the invalidation of [first, last] in the device TLBs that serve the domain. */
void domain_invalidate_device_tlbs(struct iommu_domain *domain, uint64_t first, uint64_t last);
/* The last IOVA of the domain. */
uint64_t domain_last(const struct iommu_domain *domain);

#endif
