/* SPDX-License-Identifier: BSD-2-Clause */
/* Starting a card with the first open of any of its nodes, stopping it with the last close. */
#include "drivers/afu/internal.h"
#include "kernel/lib/error.h"
#include "kernel/pci/use.h"

/* The function's own reset has put every port into the state after power-on: held. */
static int release_ports(struct afu_device *device)
{
    int error = 0;

    for (unsigned i = 0; !error && i < device->port_count; i++)
        if (device->ports[i].ops->held(&device->ports[i]))
            error = device->ports[i].ops->reset(&device->ports[i]);
    return error;
}

/*
 * Does it with the memory of all BARs. Other devices may have translations to it, too: they end
 * with the use, before the card is reset.
 */
static void with_bars(const struct afu_device *device, void (*what)(struct memobj *object))
{
    for (unsigned i = 0; i < PCI_BARS; i++)
        if (device->bars[i])
            what(device->bars[i]);
}

static int start(struct afu_device *device)
{
    struct pci_device *pci = device->pci;
    enum irq_kind kind = irq_count(pci, IRQ_MSIX) ? IRQ_MSIX : IRQ_MSI;
    int error = pci_use_begin(pci, AFU_OWNER);

    if (error)
        return error;
    error = release_ports(device);
    if (error)
        goto end_use;
    error = ioas_attach_group(&device->tables, pci->group);
    if (error)
        goto end_use;
    if (device->vectors) {
        error = irq_enable(pci, kind, device->vectors, afu_interrupt, device, &device->irqs);
        if (error)
            goto detach;
        for (unsigned i = 0; i < device->port_count; i++)
            afu_bounce_listen(&device->ports[i]);
    }
    pci_set_bus_master(pci, true);
    with_bars(device, memobj_restore);
    return 0;

detach:
    ioas_detach_group(&device->tables, pci->group);
end_use:
    pci_use_end(pci);
    pci_unclaim(pci);
    return error;
}

/* The ports are in reset or idle by now, their regions gone. */
static void stop(struct afu_device *device)
{
    with_bars(device, memobj_revoke);
    pci_use_end(device->pci);
    ioas_detach_group(&device->tables, device->pci->group);
    if (device->irqs)
        irq_disable(device->irqs);
    device->irqs = NULL;
    pci_unclaim(device->pci);
}

int afu_device_use(struct afu_device *device)
{
    if (device->users == 0) {
        int error = start(device);

        if (error)
            return error;
    }
    device->users++;
    return 0;
}

void afu_device_unuse(struct afu_device *device)
{
    if (--device->users == 0)
        stop(device);
}
