/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The beginning and the end of every use of an assigned device, whichever device-file family opens
 * it: at both ends it is silent (bus mastering off) and, where it can be, freshly reset.
 */
#ifndef KERNEL_PCI_USE_H
#define KERNEL_PCI_USE_H

#include "kernel/pci/pci.h"

/*
 * Claims the device for `owner` (a constant such as "vfio"), silences and resets it, brings it to
 * full power, lets it decode its BARs, and opens the path through the bridges above. Its own bus
 * mastering stays off. -EBUSY: somebody has it open; -EIO: it did not come back from its reset, and
 * is not claimed.
 */
int pci_use_begin(struct pci_device *device, const char *owner);
/*
 * Bus mastering off, pending transactions waited for, reset. The caller has taken its memory out of
 * all page tables before, of CPU and devices; after, it takes the IOMMU's translation and the
 * interrupts away, and last of all gives the claim up (pci_unclaim()), because all of this may let
 * others in. Cannot fail: what does not come back is logged and stays silent.
 */
void pci_use_end(struct pci_device *device);
/*
 * Resets a device in use. Afterwards it is as pci_use_begin() left it: bus mastering off, MSI and
 * MSI-X disabled. Errors as pci_reset().
 */
int pci_use_reset(struct pci_device *device);

#endif
