/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory of a BAR as an object that can be mapped. */
#ifndef KERNEL_PCI_BAR_OBJECT_H
#define KERNEL_PCI_BAR_OBJECT_H

#include "kernel/mm/memobj.h"
#include "kernel/pci/pci.h"

/*
 * An object for BAR `bar` (0 to 5) with one reference, flags MEMOBJ_DEVICE. With `hide_table` the
 * pages that the MSI-X vector table lies on are not there (-EFAULT, whoever maps them): pass true
 * unless interrupts of the device are remapped. -EINVAL: the BAR does not exist, is an I/O BAR, is
 * not assigned, or shares a page with something else (PCI_BAR_OWN_PAGE). -ENOMEM.
 */
int pci_bar_object(const struct pci_device *device, unsigned bar, bool hide_table,
                   struct memobj **out);

#endif
