/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/pci/window.h"

#include "kernel/pci/registers.h"

#define CLASS_SUBTRACTIVE 0x060401

/* Base and limit: bits 7:4 are address bits 15:12; upper halves if the lowest bit says so. */
static void read_io(const struct pci_device *b, struct pci_window *out)
{
    uint8_t base = pci_read8(b, PCI_IO_BASE), limit = pci_read8(b, PCI_IO_LIMIT);

    out->base = (paddr_t)(base & 0xf0) << 8;
    out->last = (paddr_t)(limit & 0xf0) << 8 | 0xfff;
    if (!(base & PCI_WINDOW_WIDE))
        return;
    out->base |= (paddr_t)pci_read16(b, PCI_IO_UPPER) << 16;
    out->last |= (paddr_t)pci_read16(b, PCI_IO_UPPER + 2) << 16;
}

/* The same with bits 15:4, which are address bits 31:20. */
static void read_memory(const struct pci_device *b, unsigned offset, struct pci_window *out)
{
    uint16_t base = pci_read16(b, offset), limit = pci_read16(b, offset + 2);

    out->base = (paddr_t)(base & 0xfff0) << 16;
    out->last = (paddr_t)(limit & 0xfff0) << 16 | 0xfffff;
    if (offset != PCI_PREFETCH_BASE || !(base & PCI_WINDOW_WIDE))
        return;
    out->base |= (paddr_t)pci_read32(b, PCI_PREFETCH_UPPER) << 32;
    out->last |= (paddr_t)pci_read32(b, PCI_PREFETCH_UPPER + 4) << 32;
}

bool pci_range(const struct pci_device *device, unsigned n, bool io, struct pci_window *out)
{
    const struct pci_bar *bar = n < PCI_BARS ? &device->bars[n] : &device->rom;

    if (n <= PCI_RANGE_ROM) {
        *out = (struct pci_window){bar->base, bar->base + (bar->size - 1)};
        return bar->size && bar->base && !(bar->flags & PCI_BAR_IO) == !io;
    }
    if (!pci_is_bridge(device) || (n == PCI_WINDOW_IO) != io)
        return false;
    if (io)
        read_io(device, out);
    else
        read_memory(device, n == PCI_WINDOW_MEMORY ? PCI_MEMORY_BASE : PCI_PREFETCH_BASE, out);
    return out->base != 0 && out->base <= out->last; /* registers that do not exist read as zero */
}

bool pci_passes(const struct pci_device *bridge, bool io, paddr_t base, paddr_t last)
{
    struct pci_window w;

    for (unsigned n = PCI_WINDOW_IO; n < PCI_RANGES; n++)
        if (pci_range(bridge, n, io, &w) && base >= w.base && last <= w.last)
            return true;
    return bridge->class_code == CLASS_SUBTRACTIVE;
}
