/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/pci/select.h"

#include "kernel/lib/error.h"
#include "kernel/lib/format.h"

static int select_by_id(const struct pci_selector *s, struct pci_device **out, struct refusal *why)
{
    char first[PCI_NAME_SIZE], second[PCI_NAME_SIZE];
    struct pci_device *found = NULL, *d;

    list_for_each_entry (d, pci_devices(), link) {
        if (d->vendor != s->vendor || d->device != s->device)
            continue;
        if (found)
            return refuse(why, -EEXIST,
                          "two devices match %04x:%04x: %s and %s; name one by its address",
                          s->vendor, s->device, pci_name(found, first), pci_name(d, second));
        found = d;
    }
    if (!found)
        return refuse(why, -ENODEV, "no such device: %04x:%04x", s->vendor, s->device);
    *out = found;
    return 0;
}

static int no_such_address(const struct pci_selector *s, struct refusal *why)
{
    struct text t;

    text_init(&t, why->sentence, sizeof(why->sentence));
    text_printf(&t, "no such device: %04x:%02x:%02x.%u", s->segment, PCI_BUS(s->rid),
                PCI_DEVICE(s->rid), PCI_FUNCTION(s->rid));
    for (size_t i = 0; i < s->path_length; i++)
        text_printf(&t, "/%02x.%u", PCI_DEVICE(s->path[i]), PCI_FUNCTION(s->path[i]));
    return -ENODEV;
}

int pci_select(const struct pci_selector *s, struct pci_device **out, struct refusal *why)
{
    struct pci_device *d;

    if (s->by_id)
        return select_by_id(s, out, why);
    d = pci_find(s->segment, s->rid);
    for (size_t i = 0; d && i < s->path_length; i++)
        d = pci_is_bridge(d) ? pci_find(s->segment, (pci_rid_t)(d->secondary << 8 | s->path[i]))
                             : NULL;
    if (!d)
        return no_such_address(s, why);
    *out = d;
    return 0;
}
