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
 *
 * `bars` are the function's own, of which there is one copy, or those of its first virtual
 * function, with room for a copy for each of them: virtual functions must not be enabled.
 */
int pci_place_bars(struct pci_device *device, struct pci_bar bars[PCI_BARS], unsigned copies,
                   const struct pci_machine *machine, struct refusal *why);

#endif
