/* SPDX-License-Identifier: BSD-2-Clause */
/* The IOMMU at work on real hardware, without VFIO and without a payload. */
#ifndef KERNEL_IOMMU_SELFTEST_H
#define KERNEL_IOMMU_SELFTEST_H

#include "kernel/lib/refusal.h"

/*
 * Uses kernel/iommu/iommu.h as a hypervisor core would: lets QEMU's edu device copy memory through
 * a domain and interrupt through remapping, then takes the mapping away and sees the next write
 * refused. Says what it found. -ENODEV without an edu device, -EIO with a sentence when something
 * was not as it must be. May sleep; leaves the device stopped and detached.
 */
int iommu_selftest(struct refusal *why);

#endif
