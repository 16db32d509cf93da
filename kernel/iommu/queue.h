/* SPDX-License-Identifier: BSD-2-Clause */
/* The two ways an invalidation reaches a unit (VT-d specification 6.5.1 and 6.5.2). */
#ifndef KERNEL_IOMMU_QUEUE_H
#define KERNEL_IOMMU_QUEUE_H

#include "kernel/iommu/invalidate.h"

/* Allocates a queue and switches it on. -ENOMEM, -EIO. */
int queue_start(struct iommu_unit *unit, unsigned entries, struct refusal *why);
extern const struct invalidation_ops queue_invalidation;

/* Units without ECAP.QI: the same descriptors, carried out one by one through registers. */
extern const struct invalidation_ops register_invalidation;

#endif
