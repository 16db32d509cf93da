/* SPDX-License-Identifier: BSD-2-Clause */
/* How people name a device: by address, by path, or by id. */
#ifndef KERNEL_PCI_SELECT_H
#define KERNEL_PCI_SELECT_H

#include "kernel/acpi/dmar.h"
#include "kernel/pci/pci.h"

struct pci_selector {
    bool by_id; /* vendor and device; else segment, bus and path */
    uint16_t vendor;
    uint16_t device;
    uint16_t segment;
    uint8_t bus;
    uint8_t hops;
    struct dmar_hop path[DMAR_HOPS_MAX];
};

/*
 * Reads "SSSS:BB:DD.F", "BB:DD.F" (segment 0), either of them followed by "/DD.F" for each bridge
 * to go through (the path stays the same when bus numbers change), or "VVVV:DDDD" (vendor and
 * device id). Hexadecimal. Pure. -EINVAL if it is none of these.
 */
int pci_selector_parse(const char *text, struct pci_selector *out);

/* The one function a selector names. -ENODEV: none; -EEXIST: more than one; with a sentence. */
int pci_select(const struct pci_selector *selector, struct pci_device **out, struct refusal *why);

#endif
