/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stopping and resetting a function. Its waits sleep, bounded and deaf to signals and the end; the
 * caller keeps everybody else from the device meanwhile.
 */
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
/*
 * Takes bus mastering away and waits, one second at most, for pending transactions; resets with the
 * method above, waits as the specification asks, restores configuration space from the record made
 * at start, whatever the device says by now: BARs, control registers, not bus mastering, not MSI
 * and MSI-X (their owner sets them up again). -ENOTTY: no method; it is silent all the same.
 * -ETIMEDOUT: the function did not come back. Meanwhile, and then until another reset succeeds, it
 * is marked as in reset.
 */
int pci_reset(struct pci_device *device);

/* Records of every function what a reset clears. Once, before any device is used. */
void pci_save_all(void);
/* Writes back what was recorded. Bus mastering stays off. */
void pci_config_restore(const struct pci_device *device);

#endif
