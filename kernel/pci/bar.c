/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses and sizes of BARs and expansion ROMs (PCI Local Bus 3.0, 6.2.5). */
#include "kernel/pci/pci.h"
#include "kernel/lib/string.h"
#include "kernel/pci/registers.h"

/* The value that the address bits hold after ones were written; the register is put back. */
static uint32_t probe(const struct pci_device *d, unsigned offset, uint32_t ones)
{
    uint32_t saved = pci_read32(d, offset);
    uint32_t mask;

    pci_write32(d, offset, ones);
    mask = pci_read32(d, offset);
    pci_write32(d, offset, saved);
    return mask;
}

/* The lowest address bit that can be set is the size. */
static uint64_t lowest_bit(uint64_t mask)
{
    return mask & -mask;
}

static void size_io(const struct pci_device *d, unsigned offset, uint32_t value,
                    struct pci_bar *bar)
{
    bar->flags = PCI_BAR_IO;
    bar->base = value & PCI_BAR_IO_MASK;
    bar->size = lowest_bit(probe(d, offset, 0xffffffff) & PCI_BAR_IO_MASK);
}

static void size_memory(const struct pci_device *d, unsigned offset, uint32_t value, bool wide,
                        struct pci_bar *bar)
{
    uint64_t mask = probe(d, offset, 0xffffffff) & PCI_BAR_MEM_MASK;

    bar->flags = value & PCI_BAR_PREFETCHED ? PCI_BAR_PREFETCH : 0;
    bar->base = value & PCI_BAR_MEM_MASK;
    if (wide) {
        bar->flags |= PCI_BAR_64;
        bar->base |= (uint64_t)pci_read32(d, offset + 4) << 32;
        mask |= (uint64_t)probe(d, offset + 4, 0xffffffff) << 32;
    }
    bar->size = lowest_bit(mask);
}

static void size_rom(struct pci_device *d)
{
    unsigned offset = pci_is_bridge(d) ? PCI_ROM_BRIDGE : PCI_ROM_DEVICE;

    d->rom.base = pci_read32(d, offset) & PCI_ROM_ADDRESS;
    /* The enable bit stays clear while the address is made of ones. */
    d->rom.size = lowest_bit(probe(d, offset, PCI_ROM_ADDRESS) & PCI_ROM_ADDRESS);
    /* Firmware may have left it on; a function may decode that or its BARs, not both (6.2.5.2). */
    pci_write32(d, offset, (uint32_t)d->rom.base);
}

void pci_size_bars_at(const struct pci_device *d, unsigned offset, unsigned count,
                      struct pci_bar *bars)
{
    for (unsigned i = 0; i < count; i++) {
        unsigned at = offset + 4 * i;
        uint32_t value = pci_read32(d, at);
        bool wide = (value & PCI_BAR_TYPE_MASK) == PCI_BAR_TYPE_64 && i + 1 < count;

        if (value & PCI_BAR_SPACE_IO) {
            size_io(d, at, value, &bars[i]);
            continue;
        }
        size_memory(d, at, value, wide, &bars[i]);
        if (wide) /* the next register is the upper half */
            bars[++i] = (struct pci_bar){0};
    }
}

void pci_size_bars_of(struct pci_device *d)
{
    uint16_t command = pci_read16(d, PCI_COMMAND);

    memset(d->bars, 0, sizeof(d->bars));
    d->rom = (struct pci_bar){0};
    /* With decoding off at a host bridge some chipsets lose RAM; nobody needs its BARs. */
    if (d->header_type > PCI_HEADER_BRIDGE || d->class_code >> 8 == PCI_CLASS_HOST_BRIDGE ||
        d->left || d->removed)
        return;
    pci_write16(d, PCI_COMMAND, command & ~(PCI_COMMAND_IO | PCI_COMMAND_MEMORY));
    pci_size_bars_at(d, PCI_BAR0, pci_is_bridge(d) ? 2 : PCI_BARS, d->bars);
    size_rom(d);
    pci_write16(d, PCI_COMMAND, command);
}

void pci_size_bars(void)
{
    struct pci_device *d;

    list_for_each_entry (d, pci_devices(), link)
        pci_size_bars_of(d);
}
