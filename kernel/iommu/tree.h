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

/* Makes a table the one of its level that was used last. */
static inline void table_use(struct page_table *table, uint64_t *entries, uint64_t iova)
{
    struct iommu_table_page *page = table_page_of(entries);

    table->recent[page->level] =
        (struct recent_table){entries, page, iova >> pt_shift(page->level + 1)};
}

#endif
