/* SPDX-License-Identifier: BSD-2-Clause */
/* What a bridge passes down: its windows (PCI-to-PCI Bridge Architecture 1.2, 3.2.5). */
#ifndef KERNEL_PCI_WINDOW_H
#define KERNEL_PCI_WINDOW_H

#include "kernel/pci/pci.h"

enum pci_window_kind {
    PCI_WINDOW_IO,
    PCI_WINDOW_MEMORY,
    PCI_WINDOW_PREFETCH,
    PCI_WINDOWS,
};

struct pci_window {
    paddr_t base, last; /* inclusive */
};

/* False: the bridge passes nothing of that kind. */
bool pci_window(const struct pci_device *bridge, enum pci_window_kind kind, struct pci_window *out);
/*
 * The first bridge above the device that does not pass all of [base, last] down, of ports or of
 * memory; NULL: the device can be reached there. A bridge that takes what nobody else takes
 * (subtractive decoding) passes everything.
 */
const struct pci_device *pci_barred_by(const struct pci_device *device, bool io, paddr_t base,
                                       paddr_t last);

#endif
