/* SPDX-License-Identifier: BSD-2-Clause */
/* What things are called wherever they are told: in the report and under /sys/kernel/iommu. */
#ifndef KERNEL_IOMMU_NAMES_H
#define KERNEL_IOMMU_NAMES_H

#include "kernel/iommu/format.h"
#include "kernel/iommu/invalidate.h"

#define RID_TEXT_SIZE 13

/* Leaf sizes by level: "4K", "2M", "1G". */
extern const char *const iommu_leaf_names[PT_LEAF_MAX + 1];
/* By enum invalidation_kind. */
extern const char *const iommu_kind_names[INVALIDATED_KINDS];

/* "0000:00:02.0" */
const char *iommu_rid_text(uint16_t segment, uint16_t rid, char buffer[RID_TEXT_SIZE]);
/* "r-", "-w" or "rw" */
const char *iommu_permission_text(unsigned permissions);

#endif
