/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which addresses a function takes: for itself, by its BARs and its expansion ROM, and for what is
 * below it, by its windows (PCI-to-PCI Bridge Architecture 1.2, 3.2.5).
 */
#ifndef KERNEL_PCI_WINDOW_H
#define KERNEL_PCI_WINDOW_H

#include "kernel/pci/pci.h"

/* The ranges of a function; those before are its BARs. */
enum pci_range {
    PCI_RANGE_ROM = PCI_BARS,
    PCI_WINDOW_IO,
    PCI_WINDOW_MEMORY,
    PCI_WINDOW_PREFETCH,
    PCI_RANGES,
};

struct pci_window {
    paddr_t base, last; /* inclusive */
};

/* The nth range of a function, if it has that and it is one of ports, or of memory. */
bool pci_range(const struct pci_device *device, unsigned n, bool io, struct pci_window *out);
/*
 * Does the bridge pass all of [base, last] down, of ports or of memory? One that takes what nobody
 * else takes (subtractive decoding) passes everything.
 */
bool pci_passes(const struct pci_device *bridge, bool io, paddr_t base, paddr_t last);

#endif
