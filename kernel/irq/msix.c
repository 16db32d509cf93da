/* SPDX-License-Identifier: BSD-2-Clause */
/* The MSI-X capability and its vector table (PCI local bus specification 3.0, section 6.8.2). */
#include "kernel/cpu/mmio.h"
#include "kernel/irq/set.h"
#include "kernel/lib/error.h"
#include "kernel/mm/paging.h"
#include "kernel/pci/registers.h"

enum {
    MSIX_CONTROL = 2,
    MSIX_CONTROL_SIZE = 0x7ff, /* entries - 1 */
    MSIX_CONTROL_MASK_ALL = 1 << 14,
    MSIX_CONTROL_ENABLE = 1 << 15,
    MSIX_TABLE = 4, /* offset 31:3, BAR 2:0 */
    MSIX_PENDING = 8,
    MSIX_ENTRY_SIZE = 16,
    MSIX_ENTRY_ADDRESS = 0,
    MSIX_ENTRY_ADDRESS_HIGH = 4,
    MSIX_ENTRY_DATA = 8,
    MSIX_ENTRY_CONTROL = 12,
    MSIX_ENTRY_MASKED = 1,
};

static uint16_t control_of(const struct pci_device *device)
{
    return pci_read16(device, device->cap_msix + MSIX_CONTROL);
}

static unsigned msix_count(const struct pci_device *device)
{
    return device->cap_msix ? (control_of(device) & MSIX_CONTROL_SIZE) + 1u : 0;
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
    return (uint64_t)msix_count(set->device) * MSIX_ENTRY_SIZE;
}

static uint64_t pending_bytes(const struct irq_set *set)
{
    return ALIGN_UP(msix_count(set->device), 64) / 8;
}

/* Maps what one of the two location registers points to, if it lies inside a memory BAR. */
static void *map_location(const struct irq_set *set, unsigned reg, uint64_t bytes)
{
    const struct pci_device *device = set->device;
    uint32_t location = pci_read32(device, device->cap_msix + reg);
    uint64_t offset = location & ~7u;
    const struct pci_bar *bar;

    if ((location & 7) >= PCI_BARS)
        return NULL;
    bar = &device->bars[location & 7];
    if (!bar->base || (bar->flags & PCI_BAR_IO))
        return NULL;
    if (offset > bar->size || bytes > bar->size - offset)
        return NULL;
    return mmio_map(bar->base + offset, bytes);
}

static volatile uint8_t *entry_at(const struct irq_set *set, unsigned index)
{
    return set->table + (size_t)index * MSIX_ENTRY_SIZE;
}

static void write_entry(const struct irq_set *set, unsigned index)
{
    struct irq_message message = irq_message_for(set, index);
    volatile uint8_t *entry = entry_at(set, index);

    mmio_write32(entry + MSIX_ENTRY_ADDRESS, (uint32_t)message.address);
    mmio_write32(entry + MSIX_ENTRY_ADDRESS_HIGH, (uint32_t)(message.address >> 32));
    mmio_write32(entry + MSIX_ENTRY_DATA, message.data);
    mmio_write32(entry + MSIX_ENTRY_CONTROL, 0);
}

static void unmap_all(struct irq_set *set)
{
    if (set->table)
        mmio_unmap((void *)set->table, table_bytes(set));
    if (set->pending_bits)
        mmio_unmap((void *)set->pending_bits, pending_bytes(set));
}

static int msix_program(struct irq_set *set)
{
    unsigned total = msix_count(set->device);
    uint16_t command;

    set->table = map_location(set, MSIX_TABLE, table_bytes(set));
    set->pending_bits = map_location(set, MSIX_PENDING, pending_bytes(set));
    if (!set->table || !set->pending_bits) {
        unmap_all(set);
        return -ENODEV;
    }
    command = decode_on(set->device);
    for (unsigned i = 0; i < total; i++)
        mmio_write32(entry_at(set, i) + MSIX_ENTRY_CONTROL, MSIX_ENTRY_MASKED);
    for (unsigned i = 0; i < set->count; i++)
        write_entry(set, i);
    decode_restore(set->device, command);
    return 0;
}

static void set_control(const struct irq_set *set, uint16_t bits)
{
    uint16_t control = control_of(set->device);

    control &= (uint16_t) ~(MSIX_CONTROL_ENABLE | MSIX_CONTROL_MASK_ALL);
    pci_write16(set->device, set->device->cap_msix + MSIX_CONTROL, control | bits);
}

static void msix_start(struct irq_set *set)
{
    set_control(set, MSIX_CONTROL_ENABLE);
}

static void msix_stop(struct irq_set *set)
{
    set_control(set, 0);
    unmap_all(set);
}

static bool msix_mask(struct irq_set *set, unsigned index, bool masked)
{
    uint16_t command = decode_on(set->device);

    mmio_write32(entry_at(set, index) + MSIX_ENTRY_CONTROL, masked ? MSIX_ENTRY_MASKED : 0);
    decode_restore(set->device, command);
    return true;
}

static bool msix_pending(const struct irq_set *set, unsigned index)
{
    uint16_t command = decode_on(set->device);
    uint32_t bits = mmio_read32(set->pending_bits + index / 32 * 4);

    decode_restore(set->device, command);
    return bits & (1u << (index % 32));
}

const struct irq_ops irq_msix_ops = {
    .count = msix_count,
    .program = msix_program,
    .start = msix_start,
    .stop = msix_stop,
    .mask = msix_mask,
    .pending = msix_pending,
};
