/* SPDX-License-Identifier: BSD-2-Clause */
/* PCI functions and isolation groups in the payload's file tree, under the names of Linux. */
#ifndef KERNEL_DEVICE_VFIO_SYSFS_H
#define KERNEL_DEVICE_VFIO_SYSFS_H

/*
 * Adds /sys/bus/pci/devices/ADDRESS/{vendor,device,...} for every function and
 * /sys/kernel/iommu_groups/N/devices/ADDRESS for every group. -ENOMEM.
 */
int vfio_sysfs_add(void);

#endif
