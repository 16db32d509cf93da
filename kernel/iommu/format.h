/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The format of second-level tables (VT-d specification 9.8): what an entry holds beside what
 * kernel/table/shape.h says.
 */
#ifndef KERNEL_IOMMU_FORMAT_H
#define KERNEL_IOMMU_FORMAT_H

#include "kernel/iommu/iommu.h"
#include "kernel/table/shape.h"

_Static_assert(IOMMU_READ == 1 && IOMMU_WRITE == 2, "permissions are bits 0 and 1 of an entry");

#define SECOND_LEVEL_PERMISSIONS UINT64_C(3)
#define SECOND_LEVEL_SNOOP       BIT(11)
/* An entry that points to a table: what is allowed is up to the leaves. */
#define SECOND_LEVEL_LINK SECOND_LEVEL_PERMISSIONS

/* The bits of a leaf. `permissions` is not 0. */
static inline uint64_t second_level_bits(unsigned permissions, bool snoop)
{
    return permissions | (snoop ? SECOND_LEVEL_SNOOP : 0);
}

static inline unsigned second_level_permissions(uint64_t entry)
{
    return (unsigned)(entry & SECOND_LEVEL_PERMISSIONS);
}

#endif
