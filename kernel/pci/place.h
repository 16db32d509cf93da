/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses for BARs that the firmware gave none: virtual functions, hot-added devices. */
#ifndef KERNEL_PCI_PLACE_H
#define KERNEL_PCI_PLACE_H

#include "kernel/pci/check.h"

/*
 * Gives each BAR of a function without one an address that is free, in a window of the bridge
 * above. Naturally aligned, memory to whole pages. The record of the function follows. The function
 * must not decode. -ENOSPC with a sentence: a memory BAR fits nowhere, as all on a root bus. I/O
 * BARs that do not stay without.
 */
int pci_place_bars(struct pci_device *device, const struct pci_machine *machine,
                   struct refusal *why);

#endif
