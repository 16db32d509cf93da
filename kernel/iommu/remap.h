/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupt-remapping entries (VT-d specification, chapter 5): what an interrupt message of a
 * device becomes, and which requester ids may send it. For kernel/irq.
 */
#ifndef KERNEL_IOMMU_REMAP_H
#define KERNEL_IOMMU_REMAP_H

#include "kernel/machine/acpi/dmar.h"
#include "kernel/iommu/iommu.h"
#include "kernel/iommu/structures.h"
#include "kernel/lib/types.h"

struct pci_device;

/* Who may send: one requester id, or every id of a range of buses. */
struct remap_source {
    enum vtd_source_check check;
    uint16_t id; /* VTD_SOURCE_BUSES: first bus 15:8, last bus 7:0 */
};

/* What the interrupt messages of a function carry, also behind a PCIe-to-PCI bridge. */
struct remap_source remap_source_of(const struct pci_device *device);
/* An empty table for the unit: every interrupt request is refused. -ENOMEM. */
int remap_init(struct iommu_unit *unit, unsigned entries);

/* Source id of an I/O APIC or HPET, and the unit that remaps its interrupts; NULL: none does. */
struct iommu_unit *iommu_unit_for_special(enum dmar_scope_type type, uint8_t enumeration_id,
                                          uint16_t *source);

/*
 * `count` entries in a row; `aligned` to the next power of two, for MSI. -ENOSPC; -EIO when the
 * unit is fenced; -EOPNOTSUPP when it does not remap interrupts. The entries stay absent until
 * written.
 */
int remap_alloc(struct iommu_unit *unit, unsigned count, bool aligned, unsigned *first);
/* Writes one entry. Effective after remap_commit(). */
void remap_write(struct iommu_unit *unit, unsigned index, uint8_t vector, uint32_t apic_id,
                 bool level, struct remap_source source);
/* Invalidates what the unit cached of the entries. -EIO: the unit is fenced. */
int remap_commit(struct iommu_unit *unit, unsigned first, unsigned count);
/* Refuses the interrupts from now on and gives the entries back; on -EIO they are never reused. */
int remap_free(struct iommu_unit *unit, unsigned first, unsigned count);

/* The address of a message for entry `index`; its data is what is added to the index (5.1.2.2). */
static inline uint64_t remap_message_address(unsigned index)
{
    return UINT64_C(0xfee00000) | ((index & 0x7fff) << 5) | ((index >> 15) << 2) |
           (1u << 4) /* remappable format */ | (1u << 3) /* the data counts */;
}

#endif
