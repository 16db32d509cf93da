/* SPDX-License-Identifier: BSD-2-Clause */
/* Reserved memory of requesters, in the domains they are in. */
#ifndef KERNEL_IOMMU_RESERVED_H
#define KERNEL_IOMMU_RESERVED_H

#include "kernel/lib/types.h"

struct dmar_info;
struct iommu_domain;
struct requester;

/*
 * Joins overlapping regions and drops those that cannot be reserved memory, each with a warning.
 * -ENOMEM.
 */
int reserved_init(const struct dmar_info *dmar);
/*
 * Notes which regions the requester has, and whether one that was dropped is said to be its own.
 * -ENOMEM.
 */
int reserved_find(struct requester *requester);
/* Maps every region of the requester to itself. -ENOMEM, -EADDRINUSE, -EIO; all or nothing. */
int reserved_map(struct iommu_domain *domain, const struct requester *requester);
/* Drops what reserved_map() did, and invalidates. -EIO. */
int reserved_unmap(struct iommu_domain *domain, const struct requester *requester);

#endif
