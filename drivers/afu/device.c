/* SPDX-License-Identifier: BSD-2-Clause */
/* Starting a card with the first open of any of its nodes, stopping it with the last close. */
#include "drivers/afu/afu_internal.h"
#include "kernel/lib/error.h"
#include "kernel/lib/log.h"
#include "kernel/pci/registers.h"
#include "kernel/pci/reset.h"

static int start(struct afu_device *device)
{
    struct pci_device *pci = device->pci;
    enum irq_kind kind = irq_count(pci, IRQ_MSIX) ? IRQ_MSIX : IRQ_MSI;
    int error = pci_claim(pci, AFU_OWNER);

    if (error)
        return error;
    error = ioas_attach_group(&device->tables, pci->group);
    if (error)
        goto unclaim;
    if (device->vectors) {
        error = irq_enable(pci, kind, device->vectors, afu_interrupt, device, &device->irqs);
        if (error)
            goto detach;
    }
    pci_enable_path(pci);
    pci_set_bus_master(pci, true);
    return 0;

detach:
    ioas_detach_group(&device->tables, pci->group);
unclaim:
    pci_unclaim(pci);
    return error;
}

/* The ports are in reset or idle by now, their regions gone. */
static void stop(struct afu_device *device)
{
    char name[PCI_NAME_SIZE];

    if (pci_quiesce(device->pci))
        log_warn("%s: requests still pending after bus mastering was switched off",
                 pci_name(device->pci, name));
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
