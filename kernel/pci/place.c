/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where address space is free. What a host bridge passes to its root bus only the firmware's byte
 * code tells; but between two things that the firmware placed on that bus lies what it passes, too.
 */
#include "kernel/pci/place.h"

#include "kernel/lib/error.h"
#include "kernel/lib/log.h"
#include "kernel/pci/registers.h"
#include "kernel/pci/reset.h"
#include "kernel/pci/window.h"

/* From here to 4 GiB are the chipset's own: I/O APICs, timers, messages, flash. */
#define LOW_LAST UINT64_C(0xfebfffff)
#define IO_FIRST 0x1000 /* what lies below tells nothing of what a host bridge passes */

/* ---- what is taken ---- */

#define RANGES (PCI_BARS + 1 + PCI_WINDOWS) /* of one function, with its expansion ROM */

/* The nth range that a function takes for itself or passes down. False: there is none. */
static bool taken_by(const struct pci_device *d, unsigned n, bool io, struct pci_window *out)
{
    const struct pci_bar *bar = n < PCI_BARS ? &d->bars[n] : &d->rom;
    unsigned kind = n - PCI_BARS - 1;

    if (n > PCI_BARS)
        return pci_is_bridge(d) && (kind == PCI_WINDOW_IO) == io && pci_window(d, kind, out);
    *out = (struct pci_window){bar->base, bar->base + (bar->size - 1)};
    return bar->size && bar->base && !(bar->flags & PCI_BAR_IO) == !io;
}

/* What lies between the ranges, within the bounds, on the device's root bus. False: no range. */
static bool hull_of(const struct pci_device *device, bool io, const struct pci_window *bounds,
                    struct pci_window *hull)
{
    const struct pci_device *d;
    struct pci_window w;

    *hull = (struct pci_window){PADDR_NONE, 0};
    list_for_each_entry (d, pci_devices(), link) {
        if (d->bridge || d->segment != device->segment || PCI_BUS(d->rid) != PCI_BUS(device->rid))
            continue;
        for (unsigned n = 0; n < RANGES; n++) {
            if (!taken_by(d, n, io, &w) || w.base < bounds->base || w.last > bounds->last)
                continue;
            hull->base = MIN(hull->base, w.base);
            hull->last = MAX(hull->last, w.last);
        }
    }
    return hull->base <= hull->last;
}

/* Is some of it another function's, and not passed down to the device? Then *after is its end. */
static bool is_taken(const struct pci_device *device, bool io, paddr_t base, uint64_t length,
                     paddr_t *after)
{
    const struct pci_device *d;
    struct pci_window w;

    list_for_each_entry (d, pci_devices(), link) {
        for (unsigned n = 0; n < RANGES; n++) {
            if ((n > PCI_BARS && pci_is_below(device, d)) || !taken_by(d, n, io, &w) ||
                !ranges_overlap(base, length, w.base, w.last - w.base + 1))
                continue;
            *after = w.last + 1;
            return true;
        }
    }
    return false;
}

/* ---- looking for room ---- */

/* The lowest place in the space where a BAR fits, or PADDR_NONE. */
static paddr_t find_room(const struct pci_device *device, const struct pci_bar *bar,
                         const struct pci_window *within, const struct pci_machine *machine)
{
    bool io = bar->flags & PCI_BAR_IO;
    uint64_t size = io ? bar->size : MAX(bar->size, PAGE_SIZE);
    paddr_t base = ALIGN_UP(within->base, size), after;

    /* Each round passes what stands in the way; at the end of all addresses the sum wraps. */
    while (base >= within->base && base <= within->last && within->last - base >= size - 1) {
        if (!is_taken(device, io, base, size, &after) &&
            pci_is_free(io, base, size, machine, &after))
            return pci_barred_by(device, io, base, base + size - 1) ? PADDR_NONE : base;
        base = ALIGN_UP(after, size);
    }
    return PADDR_NONE;
}

/* ---- which space is for which BAR ---- */

/* Of the bridge above: what may be fetched ahead goes there if it can be addressed. */
static size_t spaces_below(const struct pci_device *device, const struct pci_bar *bar,
                           struct pci_window out[2])
{
    size_t count = 0;

    if (bar->flags & PCI_BAR_IO)
        return pci_window(device->bridge, PCI_WINDOW_IO, &out[0]);
    if ((bar->flags & PCI_BAR_PREFETCH) &&
        pci_window(device->bridge, PCI_WINDOW_PREFETCH, &out[0]) &&
        ((bar->flags & PCI_BAR_64) || out[0].last <= UINT32_MAX))
        count++;
    return count + pci_window(device->bridge, PCI_WINDOW_MEMORY, &out[count]);
}

static size_t spaces_of_root(const struct pci_device *device, const struct pci_bar *bar,
                             struct pci_window out[2])
{
    static const struct pci_window high = {4 * GIB, PADDR_NONE}, low = {MIB, LOW_LAST},
                                   ports = {IO_FIRST, 0xffff};
    size_t count = 0;

    if (bar->flags & PCI_BAR_IO)
        return hull_of(device, true, &ports, &out[0]);
    if ((bar->flags & PCI_BAR_64) && hull_of(device, false, &high, &out[0]))
        count++;
    return count + hull_of(device, false, &low, &out[count]);
}

static int no_room(const struct pci_device *device, unsigned index, struct refusal *why)
{
    const struct pci_bar *bar = &device->bars[index];
    char name[PCI_NAME_SIZE], above[PCI_NAME_SIZE];
    unsigned long kib = (bar->size + 1023) / 1024;

    pci_name(device, name);
    if (!device->bridge)
        return refuse(why, -ENOSPC,
                      "BAR %u of device %s (%lu KiB) was given no address by the firmware, and "
                      "fits nowhere between what root bus %02x is known to have",
                      index, name, kib, PCI_BUS(device->rid));
    return refuse(why, -ENOSPC,
                  "BAR %u of device %s (%lu KiB) was given no address by the firmware, and fits "
                  "into no %s window of bridge %s",
                  index, name, kib,
                  bar->flags & PCI_BAR_PREFETCH ? "prefetchable or memory" : "memory",
                  pci_name(device->bridge, above));
}

/* A device that is left and may have BARs, of unknown size, in the same space. NULL: none. */
static const struct pci_device *unsized_beside(const struct pci_device *device)
{
    const struct pci_device *d;

    list_for_each_entry (d, pci_devices(), link)
        if (d->left && d->bridge == device->bridge && d->segment == device->segment &&
            PCI_BUS(d->rid) == PCI_BUS(device->rid))
            return d;
    return NULL;
}

/* ---- giving it out ---- */

static void set_address(struct pci_device *device, unsigned index, paddr_t base)
{
    pci_write32(device, PCI_BAR0 + 4 * index, (uint32_t)base);
    if (device->bars[index].flags & PCI_BAR_64)
        pci_write32(device, PCI_BAR0 + 4 * index + 4, (uint32_t)(base >> 32));
    device->bars[index].base = base;
}

static int place(struct pci_device *device, unsigned index, const struct pci_machine *machine,
                 struct refusal *why)
{
    const struct pci_bar *bar = &device->bars[index];
    char name[PCI_NAME_SIZE];
    struct pci_window spaces[2];
    size_t count =
        device->bridge ? spaces_below(device, bar, spaces) : spaces_of_root(device, bar, spaces);

    for (size_t i = 0; i < count; i++) {
        paddr_t base = find_room(device, bar, &spaces[i], machine);

        if (base == PADDR_NONE)
            continue;
        set_address(device, index, base);
        log_info("%s: BAR %u had no address: placed at 0x%lx", pci_name(device, name), index, base);
        return 0;
    }
    return bar->flags & PCI_BAR_IO ? 0 : no_room(device, index, why);
}

/* The largest BAR without an address and not tried yet, or PCI_BARS. */
static unsigned next_to_place(const struct pci_device *device, unsigned tried)
{
    unsigned next = PCI_BARS;

    for (unsigned i = 0; i < PCI_BARS; i++) {
        const struct pci_bar *bar = &device->bars[i];

        if (bar->size && !bar->base && !(tried & BIT(i)) &&
            (next == PCI_BARS || bar->size > device->bars[next].size))
            next = i;
    }
    return next;
}

int pci_place_bars(struct pci_device *device, const struct pci_machine *machine,
                   struct refusal *why)
{
    const struct pci_device *unsized = unsized_beside(device);
    char name[PCI_NAME_SIZE], other[PCI_NAME_SIZE];
    unsigned index, tried = 0;

    if (pci_is_bridge(device) || next_to_place(device, 0) == PCI_BARS)
        return 0;
    if (unsized)
        return refuse(why, -ENOSPC,
                      "device %s has a BAR without an address, and none is given out beside %s, "
                      "which is left and not sized",
                      pci_name(device, name), pci_name(unsized, other));
    pci_write16(device, PCI_COMMAND,
                pci_read16(device, PCI_COMMAND) & ~(PCI_COMMAND_IO | PCI_COMMAND_MEMORY));
    while ((index = next_to_place(device, tried)) != PCI_BARS) {
        int error = place(device, index, machine, why);

        if (error)
            return error;
        tried |= (unsigned)BIT(index);
    }
    pci_save(device);
    return 0;
}
