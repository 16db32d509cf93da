/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Second-level paging entries (VT-d specification 9.8): what the bits of one entry mean. How tables
 * are walked is kernel/iommu/pagetable.c's business; another format is another header like this.
 * Level 1 holds 4 KiB leaves, level 2 2 MiB, level 3 1 GiB. Absent entries are always zero.
 */
#ifndef KERNEL_IOMMU_FORMAT_H
#define KERNEL_IOMMU_FORMAT_H

#include "kernel/iommu/iommu.h"
#include "kernel/lib/types.h"

#define PT_ENTRIES    512u
#define PT_LEVELS_MIN 3u
#define PT_LEVELS_MAX 5u
#define PT_LEAF_MAX   3u /* the highest level with leaves */

_Static_assert(IOMMU_READ == 1 && IOMMU_WRITE == 2, "permissions are bits 0 and 1 of an entry");

#define PT_PERMISSIONS UINT64_C(3)
#define PT_LARGE       BIT(7)
#define PT_SNOOP       BIT(11)
#define PT_ADDRESS     UINT64_C(0x000ffffffffff000)

/*@ requires 1 <= level <= PT_LEVELS_MAX + 1;
    assigns \nothing;
    ensures \result == 12 + 9 * (level - 1); */
static inline unsigned pt_shift(unsigned level)
{
    return PAGE_SHIFT + 9 * (level - 1);
}

/* Bytes that one entry of a table of this level stands for; one more level is the whole tree. */
/*@ requires 1 <= level <= PT_LEVELS_MAX + 1;
    assigns \nothing;
    ensures \result == 1 << (12 + 9 * (level - 1));
    ensures level == 2 ==> \result == SIZE_2M;
    ensures level == 3 ==> \result == SIZE_1G; */
static inline uint64_t pt_span(unsigned level)
{
    return BIT(pt_shift(level));
}

/* Which entry of a table of this level an address uses. */
/*@ requires 1 <= level <= PT_LEVELS_MAX;
    assigns \nothing;
    ensures level == 1 ==> \result == iova / 0x1000 % 512;
    ensures level == 2 ==> \result == iova / 0x200000 % 512;
    ensures level == 3 ==> \result == iova / 0x40000000 % 512;
    ensures level == 4 ==> \result == iova / 0x8000000000 % 512;
    ensures level == 5 ==> \result == iova / 0x1000000000000 % 512; */
static inline unsigned pt_index(uint64_t iova, unsigned level)
{
    return (unsigned)(iova / pt_span(level) % PT_ENTRIES);
}

/* The bits of a leaf beside its address. `permissions` is not 0. */
static inline uint64_t pt_leaf_bits(unsigned level, unsigned permissions, bool snoop)
{
    return permissions | (level > 1 ? PT_LARGE : 0) | (snoop ? PT_SNOOP : 0);
}

static inline uint64_t pt_table(paddr_t table)
{
    return table | PT_PERMISSIONS;
}

static inline bool pt_is_leaf(uint64_t entry, unsigned level)
{
    return level == 1 || (entry & PT_LARGE);
}

static inline paddr_t pt_address(uint64_t entry)
{
    return entry & PT_ADDRESS;
}

static inline unsigned pt_permissions(uint64_t entry)
{
    return (unsigned)(entry & PT_PERMISSIONS);
}

#endif
