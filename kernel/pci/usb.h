/* SPDX-License-Identifier: BSD-2-Clause */
/* USB controllers that the firmware drives to emulate a keyboard and a mouse, or to boot. */
#ifndef KERNEL_PCI_USB_H
#define KERNEL_PCI_USB_H

#include "kernel/pci/pci.h"

/*
 * Takes a controller (xHCI, EHCI or UHCI; of other functions nothing) from the firmware, and
 * switches its SMIs off. Sleeps, a second at most, until the firmware lets go; one that does not
 * loses it all the same, which is told. To be called before each use: a reset may give it back.
 */
void pci_usb_take(const struct pci_device *device);

#endif
