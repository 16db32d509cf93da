/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/pci/reset.h"

#include "kernel/cpu/thread.h"
#include "kernel/cpu/time.h"
#include "kernel/lib/error.h"
#include "kernel/lib/log.h"
#include "kernel/pci/registers.h"

/* Times of the PCI Express Base specification: 6.6.1, 6.6.2 and 5.9; Local Bus 3.0: 4.3.2. */
#define AFTER_FLR_NS       (100 * NS_PER_MS)
#define AFTER_PM_NS        (10 * NS_PER_MS)
#define BUS_RESET_NS       (2 * NS_PER_MS)
#define AFTER_BUS_RESET_NS (100 * NS_PER_MS)
#define PENDING_BOUND_NS   (1000 * NS_PER_MS)
#define COME_BACK_BOUND_NS (1000 * NS_PER_MS) /* beyond the waits above */
#define POLL_NS            (1 * NS_PER_MS)
#define NAP                "device reset" /* all these times are slept */

static bool has_flr(const struct pci_device *d)
{
    return d->cap_pcie && (pci_read32(d, d->cap_pcie + PCIE_DEVICE_CAP) & PCIE_DEVICE_CAP_FLR);
}

static bool has_af_flr(const struct pci_device *d)
{
    const uint8_t needed = PCI_AF_CAP_FLR | PCI_AF_CAP_PENDING;

    return d->cap_af && (pci_read8(d, d->cap_af + PCI_AF_CAP) & needed) == needed;
}

/* Going through D3hot resets only a function that does not promise to keep its state. */
static bool has_pm_reset(const struct pci_device *d)
{
    return d->cap_pm && !(pci_read16(d, d->cap_pm + PCI_PM_CONTROL) & PCI_PM_NO_SOFT_RESET);
}

/* Is the function all there is below the bridge above it? */
static bool alone_on_bus(const struct pci_device *d)
{
    struct pci_device *other;

    if (!d->bridge || pci_is_bridge(d))
        return false;
    list_for_each_entry (other, pci_devices(), link)
        if (other != d && pci_is_below(other, d->bridge))
            return false;
    return true;
}

enum pci_reset_method pci_reset_method(const struct pci_device *device)
{
    if (has_flr(device))
        return PCI_RESET_FLR;
    if (has_af_flr(device))
        return PCI_RESET_AF_FLR;
    if (has_pm_reset(device))
        return PCI_RESET_PM;
    if (alone_on_bus(device))
        return PCI_RESET_SECONDARY_BUS;
    return PCI_RESET_NONE;
}

static bool transactions_pending(const struct pci_device *d)
{
    if (d->cap_pcie)
        return pci_read16(d, d->cap_pcie + PCIE_DEVICE_STATUS) & PCIE_DEVICE_STATUS_PENDS;
    if (has_af_flr(d))
        return pci_read8(d, d->cap_af + PCI_AF_STATUS) & PCI_AF_STATUS_PENDS;
    return false; /* a conventional function does not tell */
}

static void silence(const struct pci_device *d)
{
    uint64_t deadline = time_ns() + PENDING_BOUND_NS;
    char name[PCI_NAME_SIZE];

    pci_set_bus_master(d, false);
    while (transactions_pending(d)) {
        if (time_expired(deadline)) {
            log_warn("%s: still has transactions pending", pci_name(d, name));
            return; /* one more reason to reset it */
        }
        thread_nap(NAP, POLL_NS);
    }
}

static void reset_by_flr(const struct pci_device *d)
{
    unsigned control = d->cap_pcie + PCIE_DEVICE_CONTROL;

    pci_write16(d, control, pci_read16(d, control) | PCIE_DEVICE_CONTROL_FLR);
    thread_nap(NAP, AFTER_FLR_NS);
}

static void reset_by_af_flr(const struct pci_device *d)
{
    pci_write8(d, d->cap_af + PCI_AF_CONTROL, PCI_AF_FLR);
    thread_nap(NAP, AFTER_FLR_NS);
}

static void reset_by_pm(const struct pci_device *d)
{
    unsigned control = d->cap_pm + PCI_PM_CONTROL;
    uint16_t value = pci_read16(d, control) & (uint16_t)~PCI_PM_STATE;

    pci_write16(d, control, value | PCI_PM_D3HOT);
    thread_nap(NAP, AFTER_PM_NS);
    pci_write16(d, control, value);
    thread_nap(NAP, AFTER_PM_NS);
}

static void reset_by_secondary_bus(const struct pci_device *d)
{
    uint16_t control = pci_read16(d->bridge, PCI_BRIDGE_CONTROL);

    pci_write16(d->bridge, PCI_BRIDGE_CONTROL, control | PCI_BRIDGE_BUS_RESET);
    thread_nap(NAP, BUS_RESET_NS);
    pci_write16(d->bridge, PCI_BRIDGE_CONTROL, control & (uint16_t)~PCI_BRIDGE_BUS_RESET);
    thread_nap(NAP, AFTER_BUS_RESET_NS);
}

/* A function that is not ready yet answers with ones, or with vendor id 1 (retry status). */
static int wait_until_back(const struct pci_device *d)
{
    uint64_t deadline = time_ns() + COME_BACK_BOUND_NS;

    while (pci_read16(d, PCI_VENDOR) != d->vendor) {
        if (time_expired(deadline))
            return -ETIMEDOUT;
        thread_nap(NAP, POLL_NS);
    }
    return 0;
}

int pci_reset(struct pci_device *device)
{
    static void (*const methods[])(const struct pci_device *) = {
        [PCI_RESET_FLR] = reset_by_flr,
        [PCI_RESET_AF_FLR] = reset_by_af_flr,
        [PCI_RESET_PM] = reset_by_pm,
        [PCI_RESET_SECONDARY_BUS] = reset_by_secondary_bus,
    };
    enum pci_reset_method method = pci_reset_method(device);
    int error;

    silence(device);
    if (method == PCI_RESET_NONE)
        return -ENOTTY;
    device->in_reset = true;
    methods[method](device);
    error = wait_until_back(device);
    if (error)
        return error;
    pci_config_restore(device);
    device->in_reset = false;
    return 0;
}
