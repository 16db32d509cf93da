/* SPDX-License-Identifier: BSD-2-Clause */
/* PCI functions: enumeration over ECAM, configuration space, BARs, capabilities. */
#ifndef KERNEL_PCI_PCI_H
#define KERNEL_PCI_PCI_H

#include "kernel/lib/list.h"
#include "kernel/lib/types.h"

/* A requester id on the wire: bus 15:8, device 7:3, function 2:0. */
typedef uint16_t pci_rid_t;
#define PCI_RID(bus, device, function) ((pci_rid_t)(((bus) << 8) | ((device) << 3) | (function)))
#define PCI_BUS(rid)                   ((uint8_t)((rid) >> 8))
#define PCI_DEVICE(rid)                ((uint8_t)(((rid) >> 3) & 31))
#define PCI_FUNCTION(rid)              ((uint8_t)((rid)&7))
#define PCI_BARS                       6

enum pci_bar_flags {
    PCI_BAR_IO = 1,
    PCI_BAR_64 = 2,
    PCI_BAR_PREFETCH = 4,
};

struct pci_bar {
    paddr_t base;  /* 0: not assigned by the firmware */
    uint64_t size; /* bytes, a power of two; 0: the BAR does not exist */
    unsigned flags;
};

struct pci_group;

struct pci_device {
    struct list link; /* in the list of all functions, sorted by segment and requester id */
    uint16_t segment;
    pci_rid_t rid;
    uint16_t vendor, device, subsystem_vendor, subsystem_device;
    uint32_t class_code; /* base class 23:16, subclass 15:8, interface 7:0 */
    uint8_t revision;
    uint8_t header_type;            /* without the multifunction bit */
    uint8_t secondary, subordinate; /* bridges only */
    struct pci_device *bridge;      /* the bridge above; NULL on a root bus */
    struct pci_bar bars[PCI_BARS];
    struct pci_bar rom;
    /* Offsets of capabilities in configuration space; 0: absent. */
    uint16_t cap_pm, cap_msi, cap_msix, cap_pcie, cap_acs, cap_ats, cap_sriov, cap_af;
    uint16_t config_size; /* 256 or 4096 */
    void *config;         /* ECAM mapping */
    struct pci_group *group;
    bool assigned;
};

/* Configuration space, naturally aligned offsets below config_size. Out of range reads as ones. */
uint8_t pci_read8(const struct pci_device *device, unsigned offset);
uint16_t pci_read16(const struct pci_device *device, unsigned offset);
uint32_t pci_read32(const struct pci_device *device, unsigned offset);
void pci_write8(const struct pci_device *device, unsigned offset, uint8_t value);
void pci_write16(const struct pci_device *device, unsigned offset, uint16_t value);
void pci_write32(const struct pci_device *device, unsigned offset, uint32_t value);

/* All functions found, in order. */
struct list *pci_devices(void);
struct pci_device *pci_find(uint16_t segment, pci_rid_t rid);
/* Offset of the capability, or 0. Loops in the list are survived. */
unsigned pci_find_capability(const struct pci_device *device, uint8_t id);
unsigned pci_find_extended_capability(const struct pci_device *device, uint16_t id);

/* Sets or clears the bus-master bit of the command register. */
void pci_set_bus_master(const struct pci_device *device, bool on);

/*
 * The requester ids that DMA of this device may carry: its own, and the alias that a
 * PCIe-to-PCI bridge above it puts on the wire. Returns how many (1 to 3).
 */
size_t pci_requester_ids(const struct pci_device *device, pci_rid_t out[3]);

/* Writes "0000:00:02.0"; the buffer holds 13 bytes. */
#define PCI_NAME_SIZE 13
const char *pci_name(const struct pci_device *device, char buffer[PCI_NAME_SIZE]);

#endif
