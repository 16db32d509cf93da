/* SPDX-License-Identifier: BSD-2-Clause */
/* The short way of mapping and unmapping one leaf: inplace_fast.c. */
#ifndef KERNEL_IOMMU_INPLACE_H
#define KERNEL_IOMMU_INPLACE_H

#include "kernel/table/page_table.h"

/*
 * Maps a run that is one leaf; `small`: of a page only. False: not a case for the short way, and
 * nothing is changed.
 */
bool map_in_place(struct page_table *table, uint64_t iova, const struct phys_run *run,
                  uint64_t bits, bool small);
/* Unmaps one leaf of so many bytes. False: as above. */
bool unmap_in_place(struct page_table *table, uint64_t iova, uint64_t length);

#endif
