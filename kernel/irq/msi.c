/* SPDX-License-Identifier: BSD-2-Clause */
/* The MSI capability (PCI local bus specification 3.0, section 6.8.1). */
#include "kernel/irq/internal.h"
#include "kernel/pci/registers.h"

enum {
    MSI_CONTROL_64BIT = 1 << 7,
    MSI_CONTROL_MASKABLE = 1 << 8,
    MSI_ADDRESS = 4,
    MSI_ADDRESS_HIGH = 8, /* 64-bit capabilities; what follows is then 4 bytes further */
    MSI_DATA = 8,
    MSI_MASK = 12,
    MSI_ENABLED_SHIFT = 4, /* bits 6:4: logarithm of the vectors enabled */
    MSI_ENABLED_MASK = 7 << MSI_ENABLED_SHIFT,
};

static uint16_t control_of(const struct pci_device *device)
{
    return pci_read16(device, device->cap_msi + PCI_MSI_CONTROL);
}

/* Offset of a register that lies behind the address. */
static unsigned behind_address(const struct pci_device *device, unsigned offset)
{
    return device->cap_msi + offset + (control_of(device) & MSI_CONTROL_64BIT ? 4 : 0);
}

static unsigned msi_count(const struct pci_device *device)
{
    unsigned shift;

    if (!device->cap_msi)
        return 0;
    shift = (control_of(device) >> 1) & 7;
    return shift > 5 ? 0 : 1u << shift;
}

/* All vectors that are offered but those in use and not masked. */
static uint32_t mask_bits(const struct irq_set *set)
{
    uint32_t bits = UINT32_MAX >> (32 - set->offered);

    for (unsigned i = 0; i < set->count; i++)
        if (!irq_is_masked(&set->vectors[i]))
            bits &= ~(1u << i);
    return bits;
}

static int msi_open(struct irq_set *set)
{
    return 0;
}

static void msi_program(const struct irq_set *set)
{
    const struct pci_device *device = set->device;
    struct irq_message message = irq_message_for(set, 0);
    uint16_t control = control_of(device) & ~(PCI_MSI_ENABLE | MSI_ENABLED_MASK);
    unsigned shift = 0;

    while ((1u << shift) < set->entries)
        shift++;
    control |= (uint16_t)(shift << MSI_ENABLED_SHIFT);
    pci_write16(device, device->cap_msi + PCI_MSI_CONTROL, control);
    if (control & MSI_CONTROL_MASKABLE)
        pci_write32(device, behind_address(device, MSI_MASK), mask_bits(set));
    pci_write32(device, device->cap_msi + MSI_ADDRESS, (uint32_t)message.address);
    if (control & MSI_CONTROL_64BIT)
        pci_write32(device, device->cap_msi + MSI_ADDRESS_HIGH, (uint32_t)(message.address >> 32));
    pci_write16(device, behind_address(device, MSI_DATA), (uint16_t)message.data);
    pci_write16(device, device->cap_msi + PCI_MSI_CONTROL, control | PCI_MSI_ENABLE);
}

static void msi_stop(struct irq_set *set)
{
    pci_write16(set->device, set->device->cap_msi + PCI_MSI_CONTROL,
                control_of(set->device) & ~(PCI_MSI_ENABLE | MSI_ENABLED_MASK));
}

static bool msi_mask(const struct irq_set *set, unsigned index)
{
    const struct pci_device *device = set->device;

    if (!(control_of(device) & MSI_CONTROL_MASKABLE))
        return false;
    pci_write32(device, behind_address(device, MSI_MASK), mask_bits(set));
    return true;
}

const struct irq_ops irq_msi_ops = {
    .messages = true,
    .count = msi_count,
    .open = msi_open,
    .program = msi_program,
    .stop = msi_stop,
    .mask = msi_mask,
};
