/* SPDX-License-Identifier: BSD-2-Clause */
/* The way down in a page table, as the files that change and read one share it. */
#ifndef KERNEL_IOMMU_TREE_H
#define KERNEL_IOMMU_TREE_H

#include "kernel/iommu/pagetable.h"
#include "kernel/mm/direct.h"

static inline uint64_t *child_table(uint64_t entry)
{
    return phys_to_virt(pt_address(entry));
}

/* The level 1 table for an IOVA, or NULL where there is none. */
static inline uint64_t *leaf_table(const struct page_table *table, uint64_t iova)
{
    uint64_t *entries = table_entries(table->root);

    for (unsigned shift = pt_shift(table->levels); shift > PAGE_SHIFT; shift -= 9) {
        uint64_t entry = entries[(iova >> shift) & (PT_ENTRIES - 1)];

        if (!entry || pt_is_leaf(entry, 2))
            return NULL;
        entries = child_table(entry);
    }
    return entries;
}

#endif
