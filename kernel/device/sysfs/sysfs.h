/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What Linux tells under /sys of PCI functions, their groups, drivers and IOMMUs, and what a script
 * may write there: accepted is what asks for the state that is there already (docs/files.md). The
 * families of device files add their own classes.
 *
 * Call each once, when it is known which functions are assigned. -ENOMEM.
 */
#ifndef KERNEL_DEVICE_SYSFS_SYSFS_H
#define KERNEL_DEVICE_SYSFS_SYSFS_H

struct config;

/* /sys/bus/pci/devices and /sys/kernel/iommu_groups. */
int sysfs_add_devices(void);
/* /sys/bus/pci/drivers and /sys/module. */
int sysfs_add_drivers(const struct config *config);
/* /sys/class/iommu. */
int sysfs_add_units(void);

#endif
