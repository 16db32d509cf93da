/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/pci/leave.h"

#include "kernel/lib/error.h"
#include "kernel/lib/log.h"
#include "kernel/pci/group.h"

/* Two regions are the same or disjoint: joined ones would give each device the other's memory. */
static int add_region(struct dmar_info *dmar, const struct dmar_region *region, struct refusal *why)
{
    for (size_t i = 0; i < dmar->region_count; i++) {
        const struct dmar_region *r = &dmar->regions[i];

        if (ranges_overlap(r->base, r->length, region->base, region->length) &&
            (r->base != region->base || r->length != region->length))
            return refuse(
                why, -EINVAL,
                "memory at 0x%lx that a device may reach overlaps that of another at 0x%lx",
                region->base, r->base);
    }
    return dmar_add_region(dmar, region) ? refuse(why, -ENOMEM, "no memory for a region") : 0;
}

/* A scope that names the device by its requester id, for regions that follow. */
static int add_scope(struct dmar_info *dmar, const struct pci_device *device, struct refusal *why)
{
    const struct dmar_scope scope = {
        .type = DMAR_SCOPE_ENDPOINT,
        .bus = PCI_BUS(device->rid),
        .hops = 1,
        .path = {{PCI_DEVICE(device->rid), PCI_FUNCTION(device->rid)}},
    };

    return dmar_add_scope(dmar, &scope) ? refuse(why, -ENOMEM, "no memory for a device scope") : 0;
}

static int let_reach(const struct pci_device *device, const struct phys_run *reach,
                     const struct pci_machine *machine, struct dmar_info *dmar, struct refusal *why)
{
    const struct dmar_region region = {
        .segment = device->segment,
        .base = reach->base,
        .length = reach->length,
        .named = true,
        .scopes = {(uint32_t)(dmar->scope_count - 1), 1},
    };
    int error = pci_check_reach(device, reach, machine, why);

    return error ? error : add_region(dmar, &region, why);
}

int pci_leave(const struct pci_selector *selector, const struct phys_run *reach, size_t count,
              const struct pci_machine *machine, struct dmar_info *dmar, struct refusal *why)
{
    struct pci_device *device;
    int error = pci_select(selector, &device, why);

    if (error)
        return error;
    const char *name = pci_name(device);
    if (pci_is_bridge(device))
        return refuse(why, -EINVAL, "device %s is a bridge: leave what is below it", name);
    if (device->left)
        return refuse(why, -EINVAL, "device %s is left twice", name);
    error = add_scope(dmar, device, why);
    for (size_t i = 0; !error && i < count; i++)
        error = let_reach(device, &reach[i], machine, dmar, why);
    for (struct pci_device *d = device; !error && d; d = d->bridge)
        d->left = true;
    if (!error)
        log_info("%s (%04x:%04x) goes on as it was left; its interrupts are refused", name,
                 device->vendor, device->device);
    return error;
}

int pci_leave_check(struct refusal *why)
{
    struct pci_device *d;

    list_for_each_entry (d, pci_devices(), link)
        if (d->left && !pci_is_bridge(d) && pci_group_has_assigned(d->group))
            return refuse(
                why, -EPERM,
                "device %s is to be left as it is, but its group %u has an assigned device",
                pci_name(d), d->group->id);
    return 0;
}
