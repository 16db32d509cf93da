/* SPDX-License-Identifier: BSD-2-Clause */
/* Device TLBs of requesters. */
#ifndef KERNEL_IOMMU_ATS_H
#define KERNEL_IOMMU_ATS_H

#include "kernel/lib/types.h"

struct iommu_unit;
struct requester;

/* Do the options, the unit, the platform and the device allow a device TLB? Stores its depth. */
bool ats_allowed(const struct requester *requester, uint8_t *depth);
void ats_enable(const struct requester *requester, bool on);
/* May its device TLB hold something, and will it answer? */
bool ats_holds(const struct requester *requester);
/*
 * Device TLBs did not answer: stops the devices that have one, and lets no translated request of
 * theirs pass once the context cache has been invalidated, which is the caller's.
 */
void ats_distrust(struct iommu_unit *unit);

#endif
