/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iommufd (/dev/iommu): IO address spaces, page tables and devices as objects with ids, one id
 * space per open file (docs/iommufd.md). The functions here are for the device files that bind
 * devices to an iommufd: VFIO's device files, and its groups when an iommufd serves as container.
 */
#ifndef KERNEL_DEVICE_IOMMUFD_IOMMUFD_H
#define KERNEL_DEVICE_IOMMUFD_IOMMUFD_H

#include "kernel/file/file.h"
#include "kernel/ioas/ioas.h"
#include "kernel/pci/pci.h"

struct iommufd_device;

/* Adds /dev/iommu to the file tree. `user` must stay alive. */
int iommufd_add_file(const struct ioas_user *user);
/* A new open file; what opening /dev/iommu does. */
int iommufd_open(void *context, unsigned flags, struct file **out);
bool file_is_iommufd(const struct file *file);

/*
 * Makes the device an object of the file, which it keeps open. Its DMA stays refused.
 * -EBADFD: not an iommufd; -EBUSY: bound elsewhere, or its group belongs to another owner;
 * -ENOMEM.
 */
int iommufd_bind(struct file *file, struct pci_device *pci, struct iommufd_device **out);
/* Detaches and forgets the device. Bus mastering must be off. */
void iommufd_unbind(struct iommufd_device *device);
uint32_t iommufd_device_id(const struct iommufd_device *device);
#define IOMMUFD_NOT_OWNED UINT32_MAX
/*
 * The id of another function in the iommufd that `device` is bound to; 0: it is not bound, but one
 * of its group is, so nobody else can have it; IOMMUFD_NOT_OWNED: neither.
 */
uint32_t iommufd_id_of(const struct iommufd_device *device, const struct pci_device *pci);

/*
 * Sends the device's DMA through a page table: *id names an IOAS (a fitting page table of it is
 * found or made) or a HWPT, and is replaced by the id of the HWPT in use. An attached device is
 * moved without a gap, together with its group. -ENOENT: no such object; -EINVAL: wrong kind, or
 * another device of the group is attached elsewhere; errors of ioas_attach() and iommu_attach().
 * With `id` NULL through the IOAS that VFIO container calls work on; -ENODEV: there is none.
 * On failure the device stays where it was.
 */
int iommufd_attach(struct iommufd_device *device, uint32_t *id);
/* From the return on, DMA of the device is refused, once all of its group are detached. */
void iommufd_detach(struct iommufd_device *device);

/* The IOAS that VFIO container calls on the file work on: makes one if there is none. -ENOMEM. */
int iommufd_compat_create(struct file *file);

#endif
