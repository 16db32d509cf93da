/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What firmware set up to end the machine at an error is taken back: a request of a device that is
 * blocked or malformed must not become an SMI, an NMI or a machine check. An error leaves a
 * function if SERR# is enabled or a bit of Device Control, whichever (PCI Express Base 6.2.6); so
 * both are off, and a function says nothing but where kernel/pcie/aer.c lets it.
 */
#include "kernel/pci/quiet.h"

#include "kernel/pci/registers.h"

/* Errors that a device makes at will by asking for what it may not have. */
#define AT_WILL (PCI_AER_UNSUPPORTED | PCI_AER_ACCESS_CONTROL)

static void mask_errors(const struct pci_device *d)
{
    unsigned aer = pci_find_extended_capability(d, PCI_EXT_CAP_AER);

    if (aer)
        pci_write32(d, aer + PCI_AER_FATAL_MASK, pci_read32(d, aer + PCI_AER_FATAL_MASK) | AT_WILL);
}

/* Also of what a device sends by itself, whatever it was told: a root port then makes none of it
 * a system error, and a bridge does not pass it on. */
static void mute_port(const struct pci_device *d)
{
    int type = pci_express_type(d);

    if (type == PCIE_ROOT_PORT || type == PCIE_EVENT_COLLECTOR)
        pci_change16(d, d->cap_pcie + PCIE_ROOT_CONTROL, PCIE_ROOT_CONTROL_ERRORS, 0);
    if (pci_is_bridge(d))
        pci_change16(d, PCI_BRIDGE_CONTROL, PCI_BRIDGE_SERR, 0);
}

void pci_quiet(const struct pci_device *device)
{
    mask_errors(device);
    pci_change16(device, PCI_COMMAND, PCI_COMMAND_SERR, 0);
    if (device->cap_pcie)
        pci_change16(device, device->cap_pcie + PCIE_DEVICE_CONTROL, PCIE_DEVICE_CONTROL_ERRORS, 0);
    mute_port(device);
}

void pci_quiet_all(void)
{
    const struct pci_device *d;

    list_for_each_entry (d, pci_devices(), link)
        if (!d->left)
            pci_quiet(d);
}
