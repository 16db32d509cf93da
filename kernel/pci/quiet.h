/* SPDX-License-Identifier: BSD-2-Clause */
/* Errors of functions stay errors: they do not reach the firmware, nor end the machine. */
#ifndef KERNEL_PCI_QUIET_H
#define KERNEL_PCI_QUIET_H

#include "kernel/pci/pci.h"

/*
 * Takes from a function all reporting of errors, and masks those that a device makes at will:
 * requests that nobody supports, or that access control does not let through. To be recorded by
 * pci_save().
 */
void pci_quiet(const struct pci_device *device);
/* All functions but those that are left. Call once, before translation is on. */
void pci_quiet_all(void);

#endif
