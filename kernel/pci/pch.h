/* SPDX-License-Identifier: BSD-2-Clause */
/* Access control of ports that do not have the capability: QUIRK_PCH_PORT. */
#ifndef KERNEL_PCI_PCH_H
#define KERNEL_PCI_PCH_H

#include "kernel/pci/pci.h"

/*
 * Has a root port of an Intel chipset send everything towards memory, and only what is of the buses
 * below it. False: the chipset does not let itself be told, or the port is not where such ports
 * are.
 */
bool pci_isolate_port(const struct pci_device *port);

#endif
