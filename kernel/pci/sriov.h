/* SPDX-License-Identifier: BSD-2-Clause */
/* Virtual functions (PCI Express Base, chapter 9): which there are, and where. */
#ifndef KERNEL_PCI_SRIOV_H
#define KERNEL_PCI_SRIOV_H

#include "kernel/pci/check.h"

/* Switches off what the firmware left on, but not of devices that are left. */
void pci_virtual_disable_all(void);
/*
 * Enables virtual functions and adds them to the list of all functions, once for a device. Call
 * when BARs are sized, and before the IOMMU learns who sends requests. With a sentence: -EINVAL:
 * it has not so many, one has the id of something else or an impossible one, or a BAR where
 * something else is; -ENOSPC: no address is free for a BAR, or there are too many functions;
 * -EIO: one does not answer. Then none is enabled.
 */
int pci_virtual_enable(struct pci_device *device, unsigned count, const struct pci_machine *machine,
                       struct refusal *why);

#endif
