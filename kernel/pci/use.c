/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/pci/use.h"

#include "kernel/cpu/thread.h"
#include "kernel/cpu/time.h"
#include "kernel/lib/error.h"
#include "kernel/lib/log.h"
#include "kernel/pci/registers.h"
#include "kernel/pci/reset.h"

#define POWER_UP_NS (10 * NS_PER_MS) /* D3hot to D0: PCI Express Base 5.9 */

static void power_up(const struct pci_device *d)
{
    unsigned control = d->cap_pm + PCI_PM_CONTROL;
    uint16_t value;

    if (!d->cap_pm)
        return;
    value = pci_read16(d, control);
    if (!(value & PCI_PM_STATE))
        return;
    pci_write16(d, control, value & (uint16_t)~PCI_PM_STATE);
    thread_nap("device power-up", POWER_UP_NS);
}

/*
 * SERR and parity reporting stay off, so that a malformed request of the device cannot become a
 * machine check or an NMI of ours. INTx stays off: its level-triggered line is not remapped alone.
 */
static void decode_bars(const struct pci_device *d)
{
    uint16_t command = PCI_COMMAND_INTX_DISABLE;

    for (unsigned i = 0; i < PCI_BARS; i++)
        if (d->bars[i].size && d->bars[i].base)
            command |= d->bars[i].flags & PCI_BAR_IO ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY;
    pci_write16(d, PCI_COMMAND, command);
}

static int reset_if_possible(struct pci_device *d)
{
    int error = pci_reset(d);

    return error == -ENOTTY ? 0 : error;
}

int pci_use_begin(struct pci_device *device, const char *owner)
{
    char name[PCI_NAME_SIZE];
    int error = pci_claim(device, owner);

    if (error)
        return error;
    pci_set_bus_master(device, false);
    power_up(device);
    if (reset_if_possible(device)) {
        log_error("%s: did not come back from its reset", pci_name(device, name));
        pci_unclaim(device);
        return -EIO;
    }
    decode_bars(device);
    pci_enable_path(device);
    log_debug("%s: in use by %s", pci_name(device, name), owner);
    return 0;
}

void pci_use_end(struct pci_device *device)
{
    char name[PCI_NAME_SIZE];

    if (pci_quiesce(device))
        log_warn("%s: still has transactions pending", pci_name(device, name));
    if (reset_if_possible(device))
        log_error("%s: did not come back from its reset", pci_name(device, name));
    log_debug("%s: given back", pci_name(device, name));
}

int pci_use_reset(struct pci_device *device)
{
    int error = pci_reset(device);

    if (!error)
        decode_bars(device);
    return error;
}
