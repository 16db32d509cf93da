/* SPDX-License-Identifier: BSD-2-Clause */
/* Stopping and resetting a function. */
#ifndef KERNEL_PCI_RESET_H
#define KERNEL_PCI_RESET_H

#include "kernel/pci/pci.h"

enum pci_reset_method {
    PCI_RESET_NONE,
    PCI_RESET_FLR,
    PCI_RESET_AF_FLR,
    PCI_RESET_PM,
    PCI_RESET_SECONDARY_BUS,
};

/* What would be used; PCI_RESET_SECONDARY_BUS only when nothing else is on that bus. */
enum pci_reset_method pci_reset_method(const struct pci_device *device);
/* "function-level reset" and so on, for messages. */
const char *pci_reset_name(enum pci_reset_method method);
/*
 * Bus mastering off and a bounded wait for pending transactions. -ETIMEDOUT: still pending after
 * the bound; bus mastering is off all the same.
 */
int pci_quiesce(const struct pci_device *device);
/*
 * Quiesces, resets with the method above, waits as the specification asks, restores configuration
 * space: BARs, control registers, not bus mastering, not MSI and MSI-X (their owner sets them up
 * again). -ENOTTY: no method. -ETIMEDOUT: the function did not come back.
 */
int pci_reset(const struct pci_device *device);

/*
 * Configuration that a reset clears. pci_config_restore() leaves bus mastering off. The two are
 * public for whoever resets by other means.
 */
#define PCI_SAVED_MAX 32
struct pci_saved {
    uint32_t values[PCI_SAVED_MAX];
};
void pci_config_save(const struct pci_device *device, struct pci_saved *out);
void pci_config_restore(const struct pci_device *device, const struct pci_saved *saved);

#endif
