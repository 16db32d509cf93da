/* SPDX-License-Identifier: BSD-2-Clause */
/* How the operator names a PCI function. */
#ifndef KERNEL_PCI_SELECTOR_H
#define KERNEL_PCI_SELECTOR_H

#include "kernel/lib/types.h"

#define PCI_PATH_MAX      8
#define PCI_SELECTOR_SIZE 64

enum pci_select_by {
    PCI_BY_ADDRESS,
    PCI_BY_ID,    /* vendor 31:16, device 15:0 */
    PCI_BY_CLASS, /* base class 23:16, subclass 15:8, interface 7:0 */
};

/*
 * By address: the function `rid`, or, with a path, what is reached from the bridge `rid` by one
 * device/function number (7:3, 2:0) for each bus below it. A path stays the same when firmware
 * numbers buses anew. By id or class: what is `value` in the bits of `mask`; of several that match,
 * the one with that number, counted from 1 in the order of addresses (0: there must be only one).
 */
struct pci_selector {
    enum pci_select_by by;
    uint32_t value;
    uint32_t mask;
    uint16_t number;
    uint16_t segment;
    uint16_t rid;
    uint8_t path_length; /* 0: rid is the function itself */
    uint8_t path[PCI_PATH_MAX];
    char words[PCI_SELECTOR_SIZE]; /* as the operator wrote it */
};

#endif
