/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What single devices and chipsets get wrong, or do not tell: one table of data. Code that follows
 * a rule of a specification asks here whether the function in front of it keeps to that.
 */
#ifndef KERNEL_PCI_QUIRKS_H
#define KERNEL_PCI_QUIRKS_H

#include "kernel/pci/pci.h"

enum pci_quirk_kind {
    QUIRK_AS_FUNCTION,    /* it also sends with the id of function `value` of its slot */
    QUIRK_AS_SLOT,        /* the same of device (7:3) and function (2:0) `value` of its bus */
    QUIRK_HIDDEN_EXPRESS, /* a bridge that leads from PCI Express to PCI and does not say so */
    QUIRK_NO_FLR,         /* no function-level reset, of either kind */
    QUIRK_NO_BUS_RESET,   /* no reset of the bus it is on, or that it leads to */
    QUIRK_NO_PM_RESET,    /* no reset by way of D3hot */
    QUIRK_WIDE_ACS,       /* a port whose registers of access control have 32 bits each */
    QUIRK_ISOLATED,       /* functions that never talk to each other inside the device */
    QUIRK_PCH_PORT,       /* ports whose access control is in the chipset's registers */
    /* Of host bridges and graphics, about the machine's units of VT-d: kernel/iommu/capability.c.
     */
    QUIRK_NO_REMAPPING,     /* interrupts get lost where they are remapped */
    QUIRK_FLUSH_WRITES,     /* stores to tables need a flush, whatever CAP.RWBF says */
    QUIRK_NO_GRAPHICS_UNIT, /* the graphics' own one fails; `value`: not where bit 11 there is set
                             */
    /* What makes a platform error of a request that is blocked: kernel/pci/quiet.c. */
    QUIRK_FAULTS_ESCALATE, /* a unit of VT-d, with a mask at 0x1ac */
    QUIRK_PORT_ESCALATES,  /* a root port, or where the chipset's link ends, with one at 0x20c */
    QUIRK_LINK_ESCALATES,  /* a host bridge, with one in the registers of the chipset's link */
};

struct pci_quirk {
    enum pci_quirk_kind kind;
    uint16_t vendor, first, last; /* last: device ids up to this one; 0: `first` alone */
    uint32_t value;               /* the kind says what of */
    const char *why;              /* what is wrong, as the end of a sentence in logs and refusals */
    /* Where not all of them have it; 0: any. */
    uint8_t oldest, newest; /* revisions */
    uint16_t class;         /* base class 15:8, subclass 7:0 */
    uint16_t subsystem;     /* device id of the subsystem */
};

/* The first row of that kind for the function, or NULL. Walks the table. */
const struct pci_quirk *pci_quirk(const struct pci_device *device, enum pci_quirk_kind kind);
/* The same for the functions of the first root bus, of a kind about the machine. */
const struct pci_quirk *pci_machine_quirk(enum pci_quirk_kind kind);

#endif
