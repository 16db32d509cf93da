/* SPDX-License-Identifier: BSD-2-Clause */
/* Errors of functions stay errors: they do not reach the firmware, nor end the machine. */
#ifndef KERNEL_PCI_QUIET_H
#define KERNEL_PCI_QUIET_H

#include "kernel/pci/check.h"

/*
 * Takes from a function all reporting of errors, and masks those that a device makes at will:
 * requests that nobody supports, or that access control does not let through. To be recorded by
 * pci_save().
 */
void pci_quiet(const struct pci_device *device);
/*
 * All functions but those that are left, and what chipsets make of errors beyond the specification
 * (kernel/pci/quirks.c), which is told. Call once, before translation is on.
 */
void pci_quiet_all(const struct pci_machine *machine);

#endif
