/* SPDX-License-Identifier: BSD-2-Clause */
/* VFIO for the payload: /dev/vfio/N and /dev/vfio/devices/vfioN (docs/vfio.md). */
#ifndef KERNEL_DEVICE_VFIO_VFIO_H
#define KERNEL_DEVICE_VFIO_VFIO_H

#include "kernel/lib/refusal.h"
#include "kernel/lib/types.h"

struct pci_device;

/*
 * Adds /dev/vfio/N for every group that holds an assigned device, and a file for each such device.
 * Call once, after the devices were assigned and checked. Says in the log which devices cannot be
 * reset. -ENOMEM with a sentence; -EPERM: a group with an assigned device is not viable.
 */
int vfio_add_groups(struct refusal *why);
/* Raises the interrupt ERR of an assigned device. */
void vfio_error(const struct pci_device *pci);
/*
 * Behind a port whose link was down: waits for it, and makes devices in use what they were, as
 * after a reset. -EBUSY: another family of device files has one; -ENOTTY: one did not come back.
 */
int vfio_recover_below(const struct pci_device *port);
/* The same for REQ: whoever uses it is to give it back. False: nobody would hear it. */
bool vfio_request(const struct pci_device *pci);
/*
 * A device was removed (its mark is set), whichever family of device files has it: takes its BARs
 * from all who mapped them, ends the interrupts of VFIO, and raises ERR and REQ. Whatever its user
 * asks of it from now on gives -ENODEV, until he lets go. Sleeps until nobody is at work on it.
 */
void vfio_removed(const struct pci_device *pci);

#endif
