/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is free in a bridge's windows. What a host bridge passes to its root bus only the firmware's
 * byte code tells: nothing is placed there.
 */
#include "kernel/pci/place.h"

#include "kernel/lib/error.h"
#include "kernel/lib/log.h"
#include "kernel/pci/registers.h"
#include "kernel/pci/reset.h"
#include "kernel/pci/window.h"

/* The nth window above, if the BAR can be there. */
static bool suits(const struct pci_device *device, const struct pci_bar *bar, unsigned n,
                  struct pci_window *out)
{
    if (!pci_range(device->bridge, n, bar->flags & PCI_BAR_IO, out))
        return false;
    return n != PCI_WINDOW_PREFETCH || ((bar->flags & PCI_BAR_PREFETCH) &&
                                        ((bar->flags & PCI_BAR_64) || out->last <= UINT32_MAX));
}

static uint64_t room_of(const struct pci_bar *bar)
{
    return bar->flags & PCI_BAR_IO ? bar->size : MAX(bar->size, PAGE_SIZE);
}

/* Is a place clear of those of the same set? Else *after is the end of one. */
static bool beside(const struct pci_bar *bars, unsigned copies, paddr_t base, uint64_t length,
                   paddr_t *after)
{
    for (unsigned i = 0; i < PCI_BARS; i++) {
        uint64_t taken = copies * room_of(&bars[i]);

        if (!bars[i].size || !bars[i].base || !ranges_overlap(base, length, bars[i].base, taken))
            continue;
        *after = bars[i].base + taken;
        return false;
    }
    return true;
}

/*
 * The lowest place where a BAR of a set fits, or PADDR_NONE. What may be fetched ahead goes to the
 * window for that if it can.
 */
static paddr_t find_room(const struct pci_device *device, const struct pci_bar *bars,
                         const struct pci_bar *bar, unsigned copies,
                         const struct pci_machine *machine)
{
    bool io = bar->flags & PCI_BAR_IO;
    uint64_t size = room_of(bar), length = copies * size;
    struct pci_window within;

    for (unsigned n = PCI_RANGES; --n >= PCI_WINDOW_IO;) {
        if (!suits(device, bar, n, &within))
            continue;
        /* Each round passes what stands in the way; at the end of all addresses the sum wraps. */
        for (paddr_t base = ALIGN_UP(within.base, size), after;
             base >= within.base && base <= within.last && within.last - base >= length - 1;
             base = ALIGN_UP(after, size))
            if (pci_is_free(device, io, base, length, machine, &after) &&
                beside(bars, copies, base, length, &after))
                return base;
    }
    return PADDR_NONE;
}

/* Why nothing can be placed beside the device; NULL: it can. Of what is left the size is unknown.
 */
static const char *no_room(const struct pci_device *device)
{
    const struct pci_device *d;

    if (!device->bridge)
        return "nothing tells what is free on its root bus";
    list_for_each_entry (d, pci_devices(), link)
        if (d->left && d->bridge == device->bridge)
            return "a device beside it is left and not sized";
    return NULL;
}

static int place(struct pci_device *device, struct pci_bar *bars, unsigned copies, unsigned index,
                 const struct pci_machine *machine, struct refusal *why)
{
    bool own = bars == device->bars;
    unsigned at = 4 * index + (own ? PCI_BAR0 : device->cap_sriov + PCI_SRIOV_BAR0);
    struct pci_bar *bar = &bars[index];
    const char *none = no_room(device), *of = own ? "" : "virtual functions of ";
    paddr_t base = none ? PADDR_NONE : find_room(device, bars, bar, copies, machine);
    const char *name = pci_name(device);

    if (base == PADDR_NONE && (bar->flags & PCI_BAR_IO))
        return 0;
    if (base == PADDR_NONE)
        return refuse(why, -ENOSPC,
                      "BAR %u of %sdevice %s (%lu KiB) was given no address by the firmware, and "
                      "%s",
                      index, of, name, (copies * bar->size + 1023) / 1024,
                      none ? none : "it fits into no window of the bridge above");
    pci_write32(device, at, (uint32_t)base);
    if (bar->flags & PCI_BAR_64)
        pci_write32(device, at + 4, (uint32_t)(base >> 32));
    bar->base = base;
    log_info("%s: BAR %u%s had no address: placed at 0x%lx", name, index,
             own ? "" : " of its virtual functions", base);
    return 0;
}

/* The largest BAR without an address and not tried yet, or PCI_BARS. */
static unsigned next_to_place(const struct pci_bar *bars, unsigned tried)
{
    unsigned next = PCI_BARS;

    for (unsigned i = 0; i < PCI_BARS; i++)
        if (bars[i].size && !bars[i].base && !(tried & BIT(i)) &&
            (next == PCI_BARS || bars[i].size > bars[next].size))
            next = i;
    return next;
}

int pci_place_bars(struct pci_device *device, struct pci_bar bars[PCI_BARS], unsigned copies,
                   const struct pci_machine *machine, struct refusal *why)
{
    unsigned index = next_to_place(bars, 0), tried = 0;

    if (pci_is_bridge(device) || index == PCI_BARS)
        return 0;
    pci_change16(device, PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MEMORY, 0);
    for (; index != PCI_BARS; index = next_to_place(bars, tried)) {
        int error = place(device, bars, copies, index, machine, why);

        if (error)
            return error;
        tried |= (unsigned)BIT(index);
    }
    pci_save(device);
    return 0;
}
