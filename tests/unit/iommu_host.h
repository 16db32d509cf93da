/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine around kernel/iommu and kernel/irq in host tests: simulated units and device memory
 * behind kernel/cpu/mmio.h, a clock, CPU vectors, PCI functions, and the log.
 */
#ifndef TESTS_UNIT_IOMMU_HOST_H
#define TESTS_UNIT_IOMMU_HOST_H

#include "kernel/machine/acpi/dmar.h"
#include "kernel/iommu/iommu.h"
#include "kernel/pci/pci.h"
#include "tests/unit/vtd_memory.h"
#include "tests/unit/vtd_unit.h"

/* An empty machine. */
void host_reset(void);
/* Called for each breath; what it says is told to who hears. NULL: nobody else is there. */
extern int (*machine_breath)(void);

/* Plain memory as a device's BAR. */
uint8_t *host_bar_add(paddr_t base, uint64_t size);
/* Called before each access to a BAR; NULL: nobody. */
extern void (*host_on_bar_access)(void);
/* A simulated unit whose registers take `size` bytes. */
struct vtd_unit *host_unit_add(paddr_t base, uint64_t size, uint64_t cap, uint64_t ecap);
uint64_t host_mapped(void); /* mmio_map() calls not undone */

/* A function with 4 KiB of empty configuration space. `bridge` may be NULL. */
struct pci_device *host_pci_add(uint16_t segment, pci_rid_t rid, struct pci_device *bridge);
/* Makes it a bridge with a PCI Express type (-1: conventional). */
void host_pci_bridge(struct pci_device *device, int type, uint8_t secondary, uint8_t subordinate);
bool host_pci_master(const struct pci_device *device);

/* Lets time pass until the first timer that was set, which expires. False: there is none. */
bool host_timer_expires(void);

/* Delivers a CPU vector. False: nobody owns it. */
bool host_raise(unsigned vector);
/* Holds a CPU vector back at its source, as kernel/cpu/storm.c does. False: its owner cannot. */
bool host_hold(unsigned vector, bool on);
unsigned host_vectors(void); /* in use */
void host_set_apic_id(uint32_t id);
void host_limit_vectors(unsigned limit);

/* Everything logged since the reset. */
const char *host_log(void);
void host_forget_log(void);

/* A DMAR table under construction. */
extern struct dmar_info host_dmar;
void host_dmar_reset(void);
struct dmar_unit *host_dmar_unit(paddr_t registers, bool include_all);
/* Adds a scope to the list being built last; -1 as function: 0. */
struct dmar_scope *host_dmar_scope(struct dmar_scope_list *list, uint8_t type, uint8_t id,
                                   uint8_t bus, uint8_t device, uint8_t function);

#endif
