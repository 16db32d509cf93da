/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the MSI-X vector table of a function lies. Its entries are programmed by kernel/irq. Reads
 * and writes of the payload do not reach it; mappings do only where interrupts are remapped: then
 * a spoiled entry is no more than a message that the device could have sent by itself.
 */
#ifndef KERNEL_PCI_MSIX_TABLE_H
#define KERNEL_PCI_MSIX_TABLE_H

#include "kernel/pci/pci.h"

/* Does an access to the BAR share a byte with the table? */
bool msix_table_touches(const struct pci_device *device, unsigned bar, uint64_t offset,
                        uint64_t length);
/* The whole pages of the BAR that the table lies on, as offset and length; length 0: none. */
struct phys_run msix_table_pages(const struct pci_device *device, unsigned bar);

#endif
