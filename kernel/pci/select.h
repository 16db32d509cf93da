/* SPDX-License-Identifier: BSD-2-Clause */
/* Which function the operator means. */
#ifndef KERNEL_PCI_SELECT_H
#define KERNEL_PCI_SELECT_H

#include "kernel/pci/pci.h"
#include "kernel/pci/selector.h"

/*
 * The one function a selector names. -ENODEV: none; -EEXIST: more than one; with a sentence, and in
 * the log a list of the functions that might be meant.
 */
int pci_select(const struct pci_selector *selector, struct pci_device **out, struct refusal *why);
/*
 * Lets an address that leads to an empty slot name what is to come there (pci_add_empty()). Call
 * before BARs are sized.
 */
void pci_expect(const struct pci_selector *selector);
/* Does it name the function, and others like it, by its id or class? */
bool pci_selects(const struct pci_selector *selector, const struct pci_device *device);

#endif
