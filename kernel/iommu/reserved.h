/* SPDX-License-Identifier: BSD-2-Clause */
/* Reserved memory of requesters, in the domains they are in. */
#ifndef KERNEL_IOMMU_RESERVED_H
#define KERNEL_IOMMU_RESERVED_H

#include "kernel/lib/types.h"

struct dmar_info;
struct iommu_domain;
struct requester;

/* Joins overlapping regions and drops those that are not reserved memory. */
void reserved_init(const struct dmar_info *dmar);
/* The regions of a requester id: bit n for region n of the DMAR table, of equal ones the first. */
uint64_t reserved_regions_of(uint16_t segment, uint16_t rid);
/* Maps every region of the requester to itself. -ENOMEM, -EADDRINUSE, -EIO; all or nothing. */
int reserved_map(struct iommu_domain *domain, const struct requester *requester);
/* Drops what reserved_map() did, and invalidates. -EIO. */
int reserved_unmap(struct iommu_domain *domain, const struct requester *requester);

#endif
