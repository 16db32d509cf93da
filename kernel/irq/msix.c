/* SPDX-License-Identifier: BSD-2-Clause */
/* The MSI-X capability and its vector table (PCI local bus specification 3.0, section 6.8.2). */
#include "kernel/cpu/mmio.h"
#include "kernel/irq/internal.h"
#include "kernel/lib/error.h"
#include "kernel/mm/paging/paging.h"
#include "kernel/pci/registers.h"

enum {
    MSIX_CONTROL_MASK_ALL = 1 << 14,
    MSIX_ENTRY_SIZE = 16,
    MSIX_ENTRY_ADDRESS = 0,
    MSIX_ENTRY_ADDRESS_HIGH = 4,
    MSIX_ENTRY_DATA = 8,
    MSIX_ENTRY_CONTROL = 12,
    MSIX_ENTRY_MASKED = 1,
};

static unsigned msix_count(const struct pci_device *device)
{
    return device->msix_entries;
}

/*
 * Memory decoding on, for as long as the table is touched: with it off, the access would be an
 * error on the bus. Returns the command register as it was.
 */
static uint16_t decode_on(const struct pci_device *device)
{
    uint16_t command = pci_read16(device, PCI_COMMAND);

    if (!(command & PCI_COMMAND_MEMORY))
        pci_write16(device, PCI_COMMAND, command | PCI_COMMAND_MEMORY);
    return command;
}

static void decode_restore(const struct pci_device *device, uint16_t command)
{
    if (!(command & PCI_COMMAND_MEMORY))
        pci_write16(device, PCI_COMMAND, command);
}

static uint64_t table_bytes(const struct irq_set *set)
{
    return (uint64_t)set->offered * MSIX_ENTRY_SIZE;
}

/* Maps the table, if it lies inside a memory BAR. */
static int msix_open(struct irq_set *set)
{
    const struct pci_device *device = set->device;
    uint32_t location = device->msix_location;
    uint64_t offset = location & ~7u, bytes = table_bytes(set);
    const struct pci_bar *bar;

    if ((location & 7) >= PCI_BARS)
        return -ENODEV;
    bar = &device->bars[location & 7];
    if (!bar->base || (bar->flags & PCI_BAR_IO))
        return -ENODEV;
    if (offset > bar->size || bytes > bar->size - offset)
        return -ENODEV;
    set->table = mmio_map(bar->base + offset, bytes);
    return set->table ? 0 : -ENODEV;
}

static volatile uint8_t *entry_at(const struct irq_set *set, unsigned index)
{
    return set->table + (size_t)index * MSIX_ENTRY_SIZE;
}

static void mask_entry(const struct irq_set *set, unsigned index)
{
    mmio_write32(entry_at(set, index) + MSIX_ENTRY_CONTROL, MSIX_ENTRY_MASKED);
}

/*
 * Masked first: an entry may only change while it is. All of it is written, because what is there
 * need not be ours any more: the program may map the table, and a device may reset itself.
 */
static void write_entry(const struct irq_set *set, unsigned index)
{
    struct irq_message message = irq_message_for(set, index);
    volatile uint8_t *entry = entry_at(set, index);

    mask_entry(set, index);
    mmio_write32(entry + MSIX_ENTRY_ADDRESS, (uint32_t)message.address);
    mmio_write32(entry + MSIX_ENTRY_ADDRESS_HIGH, (uint32_t)(message.address >> 32));
    mmio_write32(entry + MSIX_ENTRY_DATA, message.data);
    if (!irq_is_masked(&set->vectors[index]))
        mmio_write32(entry + MSIX_ENTRY_CONTROL, 0);
}

static void set_control(const struct irq_set *set, uint16_t bits)
{
    uint16_t control = pci_read16(set->device, set->device->cap_msix + PCI_MSIX_CONTROL);

    control &= ~(PCI_MSIX_ENABLE | MSIX_CONTROL_MASK_ALL);
    pci_write16(set->device, set->device->cap_msix + PCI_MSIX_CONTROL, control | bits);
}

/* Some devices ignore what is written to the table while MSI-X is off: on, but all masked, first.
 */
static void msix_program(const struct irq_set *set)
{
    uint16_t command = decode_on(set->device);

    set_control(set, PCI_MSIX_ENABLE | MSIX_CONTROL_MASK_ALL);
    for (unsigned i = 0; i < set->offered; i++) {
        if (set->vectors[i].cpu_vector)
            write_entry(set, i);
        else
            mask_entry(set, i);
    }
    set_control(set, PCI_MSIX_ENABLE);
    decode_restore(set->device, command);
}

static void msix_stop(struct irq_set *set)
{
    set_control(set, 0);
    mmio_unmap((void *)set->table, table_bytes(set));
}

static bool msix_mask(const struct irq_set *set, unsigned index)
{
    uint16_t command = decode_on(set->device);

    if (irq_is_masked(&set->vectors[index]))
        mask_entry(set, index);
    else
        write_entry(set, index);
    decode_restore(set->device, command);
    return true;
}

const struct irq_ops irq_msix_ops = {
    .messages = true,
    .count = msix_count,
    .open = msix_open,
    .program = msix_program,
    .stop = msix_stop,
    .mask = msix_mask,
};
