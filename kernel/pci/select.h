/* SPDX-License-Identifier: BSD-2-Clause */
/* Which function the operator means. */
#ifndef KERNEL_PCI_SELECT_H
#define KERNEL_PCI_SELECT_H

#include "kernel/pci/pci.h"

/*
 * By id (vendor, device), or by address: the function `rid`, or, with a path, what is reached from
 * the bridge `rid` by one device/function number (7:3, 2:0) for each bus below it. A path stays
 * the same when firmware numbers buses anew.
 */
struct pci_selector {
    bool by_id;
    uint16_t vendor;
    uint16_t device;
    uint16_t segment;
    pci_rid_t rid;
    const uint8_t *path;
    size_t path_length;
};

/* The one function a selector names. -ENODEV: none; -EEXIST: more than one; with a sentence. */
int pci_select(const struct pci_selector *selector, struct pci_device **out, struct refusal *why);

#endif
