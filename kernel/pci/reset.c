/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/pci/reset.h"

#include "kernel/cpu/thread.h"
#include "kernel/cpu/time.h"
#include "kernel/lib/error.h"
#include "kernel/lib/log.h"
#include "kernel/pci/quirks.h"
#include "kernel/pci/registers.h"

/* Times of the PCI Express Base specification: 6.6.1, 6.6.2 and 5.9; Local Bus 3.0: 4.3.2. */
#define AFTER_FLR_NS          (100 * NS_PER_MS)
#define AFTER_PM_NS           (10 * NS_PER_MS)
#define BUS_RESET_NS          (2 * NS_PER_MS)
#define AFTER_LINK_NS         (100 * NS_PER_MS)
#define AFTER_CONVENTIONAL_NS (1000 * NS_PER_MS)
#define LINK_BOUND_NS         (1000 * NS_PER_MS)
#define PENDING_BOUND_NS      (1000 * NS_PER_MS)
#define COME_BACK_BOUND_NS    (60 * NS_PER_S) /* beyond the waits above; retry status has no bound */
#define LOST_BOUND_NS         NS_PER_S /* the same for one that did not come back last time */
#define POLL_NS               (1 * NS_PER_MS)
#define POLL_MAX_NS           NS_PER_S
#define NAP                   "device reset" /* all these times are slept */

void pci_show_retry_status(void)
{
    const struct pci_device *d;

    list_for_each_entry (d, pci_devices(), link) {
        if (pci_express_type(d) == PCIE_ROOT_PORT &&
            pci_read16(d, d->cap_pcie + PCIE_ROOT_CAP) & PCIE_ROOT_CAP_RETRY)
            pci_change16(d, d->cap_pcie + PCIE_ROOT_CONTROL, 0, PCIE_ROOT_CONTROL_RETRY);
    }
}

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
    pci_for_each_below (other, d->bridge)
        if (other != d && other->physical != d)
            return false;
    return true;
}

static bool transactions_pending(const struct pci_device *d)
{
    if (pci_read16(d, PCI_COMMAND) == UINT16_MAX) /* nor one that does not answer */
        return false;
    if (d->cap_pcie)
        return pci_read16(d, d->cap_pcie + PCIE_DEVICE_STATUS) & PCIE_DEVICE_STATUS_PENDS;
    if (has_af_flr(d))
        return pci_read8(d, d->cap_af + PCI_AF_STATUS) & PCI_AF_STATUS_PENDS;
    return false; /* a conventional function does not tell */
}

void pci_silence(const struct pci_device *d)
{
    uint64_t deadline = time_ns() + PENDING_BOUND_NS;

    pci_set_bus_master(d, false);
    while (transactions_pending(d)) {
        if (time_expired(deadline)) {
            log_warn("%s: still has transactions pending", pci_name(d));
            return; /* one more reason to reset it */
        }
        thread_nap(NAP, POLL_NS);
    }
}

static void reset_by_flr(const struct pci_device *d)
{
    pci_change16(d, d->cap_pcie + PCIE_DEVICE_CONTROL, 0, PCIE_DEVICE_CONTROL_FLR);
    thread_nap(NAP, AFTER_FLR_NS);
}

static void reset_by_af_flr(const struct pci_device *d)
{
    pci_write8(d, d->cap_af + PCI_AF_CONTROL, PCI_AF_FLR);
    thread_nap(NAP, AFTER_FLR_NS);
}

bool pci_set_power(const struct pci_device *device, uint16_t state)
{
    unsigned control = device->cap_pm + PCI_PM_CONTROL;
    uint16_t value = device->cap_pm ? pci_read16(device, control) : UINT16_MAX;

    if (value == UINT16_MAX || (value & PCI_PM_STATE) == state)
        return false;
    pci_write16(device, control, (value & (uint16_t)~PCI_PM_STATE) | state);
    thread_nap(NAP, AFTER_PM_NS);
    return true;
}

static void reset_by_pm(const struct pci_device *d)
{
    pci_set_power(d, PCI_PM_D3HOT);
    pci_set_power(d, 0);
}

static const struct {
    const char *name;
    bool (*has)(const struct pci_device *d);
    enum pci_quirk_kind against;
    void (*reset)(const struct pci_device *d);
} methods[] = {
    [PCI_RESET_NONE] = {"none", NULL, 0, NULL},
    [PCI_RESET_FLR] = {"function-level", has_flr, QUIRK_NO_FLR, reset_by_flr},
    [PCI_RESET_AF_FLR] = {"advanced-features", has_af_flr, QUIRK_NO_FLR, reset_by_af_flr},
    [PCI_RESET_PM] = {"power-management", has_pm_reset, QUIRK_NO_PM_RESET, reset_by_pm},
    [PCI_RESET_SECONDARY_BUS] = {"secondary-bus", alone_on_bus, QUIRK_NO_BUS_RESET, NULL},
};

const struct pci_quirk *pci_bus_reset_quirk(const struct pci_device *bridge)
{
    const struct pci_quirk *found = pci_quirk(bridge, QUIRK_NO_BUS_RESET);
    const struct pci_device *d;

    pci_for_each_below (d, bridge)
        found = found ? found : pci_quirk(d, QUIRK_NO_BUS_RESET);
    return found;
}

enum pci_reset_method pci_reset_choose(const struct pci_device *device,
                                       struct pci_reset_spared *out)
{
    const struct pci_quirk *quirk;

    *out = (struct pci_reset_spared){NULL, NULL};
    for (unsigned method = PCI_RESET_FLR; method < ARRAY_SIZE(methods); method++) {
        if (!methods[method].has(device))
            continue;
        quirk = pci_quirk(device, methods[method].against);
        if (method == PCI_RESET_SECONDARY_BUS)
            quirk = pci_bus_reset_quirk(device->bridge);
        if (!quirk)
            return method;
        *out = (struct pci_reset_spared){methods[method].name, quirk->why};
    }
    return PCI_RESET_NONE;
}

enum pci_reset_method pci_reset_method(const struct pci_device *device)
{
    struct pci_reset_spared unused;

    return pci_reset_choose(device, &unused);
}

const char *pci_reset_name(enum pci_reset_method method)
{
    return methods[method].name;
}

/*
 * A function that is not ready yet answers with ones, or with vendor id 1 (retry status). Then its
 * record is restored. Its virtual functions, if any, are there some time after that.
 */
static int come_back(struct pci_device *d, uint64_t since)
{
    uint64_t deadline = since + (d->lost ? LOST_BOUND_NS : COME_BACK_BOUND_NS);
    uint64_t pause = POLL_NS;

    d->in_reset = true;
    while (!pci_answers(d)) {
        if (d->removed)
            return -ENODEV;
        if (time_expired(deadline)) {
            log_error("%s: did not come back from its reset", pci_name(d));
            d->lost = true;
            return -ETIMEDOUT;
        }
        thread_nap(NAP, pause);
        if (2 * pause > POLL_MAX_NS && pause < POLL_MAX_NS)
            log_warn("%s: is slow to come back from its reset", pci_name(d));
        pause = MIN(2 * pause, POLL_MAX_NS);
    }
    pci_config_restore(d);
    d->in_reset = d->lost = false;
    if (d->came_back)
        d->came_back(d);
    if (d->virtuals)
        thread_nap(NAP, PCI_AFTER_ENABLE_NS);
    return 0;
}

int pci_come_back_below(const struct pci_device *above)
{
    uint64_t since = time_ns();
    struct pci_device *d;
    int error = 0;

    pci_for_each_below (d, above)
        if (!d->removed && come_back(d, since))
            error = -ETIMEDOUT;
    return error;
}

bool pci_link_active(const struct pci_device *bridge)
{
    return pci_is_link_head(bridge) &&
           (pci_read16(bridge, bridge->cap_pcie + PCIE_LINK_STATUS) & PCIE_LINK_STATUS_ACTIVE);
}

/*
 * From the end of a reset to the first access it takes 100 ms, which count from when the link is up
 * where that is faster than 5 GT/s. Not all ports tell: what was not up before is not waited for.
 */
int pci_wait_for_link(const struct pci_device *bridge, bool told)
{
    uint64_t deadline = time_ns() + LINK_BOUND_NS;

    while (told && !pci_link_active(bridge)) {
        if (time_expired(deadline)) {
            log_error("%s: its link did not come up", pci_name(bridge));
            return -ETIMEDOUT;
        }
        thread_nap(NAP, POLL_NS);
    }
    thread_nap(NAP, pci_is_link_head(bridge) ? AFTER_LINK_NS : AFTER_CONVENTIONAL_NS);
    return 0;
}

static int reset_bus(const struct pci_device *bridge)
{
    bool told = pci_link_active(bridge);

    pci_change16(bridge, PCI_BRIDGE_CONTROL, 0, PCI_BRIDGE_BUS_RESET);
    thread_nap(NAP, BUS_RESET_NS);
    pci_change16(bridge, PCI_BRIDGE_CONTROL, PCI_BRIDGE_BUS_RESET, 0);
    return pci_wait_for_link(bridge, told);
}

/*
 * From here on the function is asked nothing. So it must not raise its line, as one does that keeps
 * its interrupt through D3hot: nobody would own up to it. pci_config_restore() leaves that so.
 */
static void begin(struct pci_device *d)
{
    d->in_reset = true;
    pci_change16(d, PCI_COMMAND, 0, PCI_COMMAND_INTX_DISABLE);
}

/*
 * While the link is down all that is below is in reset. On the way back the list is right as it is:
 * bus numbers rise on the way down.
 */
static int go_through(const struct pci_device *bridge, bool reset)
{
    struct pci_device *d;
    int error;

    pci_for_each_below (d, bridge) {
        if (reset)
            begin(d);
        d->in_reset = true;
    }
    error = reset ? reset_bus(bridge) : pci_wait_for_link(bridge, true);
    return error ? error : pci_come_back_below(bridge);
}

int pci_recover_below(const struct pci_device *bridge)
{
    return go_through(bridge, false);
}

int pci_recover(struct pci_device *device)
{
    struct pci_device *d;
    int error;

    pci_for_each_below (d, device)
        d->in_reset = true; /* also those that answer lose what they had */
    error = come_back(device, time_ns());
    return error ? error : pci_come_back_below(device);
}

/* Endpoints before bridges: a request that a silent bridge meets is an error. */
int pci_reset_below(const struct pci_device *bridge)
{
    const struct pci_device *d;

    pci_for_each_below (d, bridge)
        if (!pci_is_bridge(d))
            pci_silence(d);
    pci_for_each_below (d, bridge)
        if (pci_is_bridge(d))
            pci_silence(d);
    return go_through(bridge, true);
}

int pci_reset(struct pci_device *device)
{
    enum pci_reset_method method = pci_reset_method(device);
    struct pci_device *d;

    if (device->removed)
        return -ENODEV;
    if (method == PCI_RESET_SECONDARY_BUS)
        return pci_reset_below(device->bridge);
    pci_for_each_below (d, device)
        pci_silence(d);
    pci_silence(device);
    if (method == PCI_RESET_NONE) {
        if (!device->virtuals) /* else those would be reset, and by nobody's will */
            pci_config_restore(device);
        return -ENOTTY;
    }
    pci_for_each_below (d, device)
        begin(d);
    begin(device);
    methods[method].reset(device);
    return pci_recover(device);
}
