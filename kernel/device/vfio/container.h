/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VFIO containers (/dev/vfio/vfio): groups that share one IO address space, driven through the
 * type1 calls of the interface (docs/vfio-type1.md).
 *
 * A group in a container holds a reference to the container's file, so a container goes away after
 * its last group has left.
 */
#ifndef KERNEL_DEVICE_VFIO_CONTAINER_H
#define KERNEL_DEVICE_VFIO_CONTAINER_H

#include "kernel/file/file.h"
#include "kernel/ioas/ioas.h"
#include "kernel/pci/group.h"

struct vfio_container;

/*
 * Adds /dev/vfio/vfio to the file tree. `user` must stay alive. Linux asks at SET_IOMMU whether
 * interrupts are remapped; here iommu_init() has asked the operator before any payload ran.
 */
int vfio_container_add_file(const struct ioas_user *user);
/* A new open file; what opening /dev/vfio/vfio does. */
int vfio_container_open(void *context, unsigned flags, struct file **out);

/* NULL if the file is something else. The container lives as long as the file. */
struct vfio_container *vfio_container_of(struct file *file);

/* A group's place in the one container it can be in. */
struct vfio_container_member {
    struct list link;
    struct pci_group *group;
};

/*
 * Puts a group in; its members' DMA goes through the container's page tables at once if SET_IOMMU
 * was called before. Errors as ioas_attach_group(). Nothing changes on failure.
 */
int vfio_container_add_group(struct vfio_container *container,
                             struct vfio_container_member *member);
/*
 * Takes a group out: DMA of its members is refused from then on. All its devices must be closed.
 * With the last group the address space goes, as if SET_IOMMU had never been called.
 */
void vfio_container_remove_group(struct vfio_container *container,
                                 struct vfio_container_member *member);

/* Has SET_IOMMU been called? Devices of a group can only be opened then. */
bool vfio_container_ready(const struct vfio_container *container);

#endif
