/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Advanced error reporting (PCI Express Base 6.2 and 7.8.4): functions send messages of errors to
 * the root port above, which records who was first and raises its interrupt. Nothing of it is a
 * system error (kernel/pci/quiet.c). Where the port's reporting, or its interrupt, is not the
 * kernel's, no function below says anything.
 */
#include "kernel/cpu/time.h"
#include "kernel/pci/registers.h"
#include "kernel/pci/reset.h"
#include "kernel/pcie/port.h"

bool port_errors_kept;

/* ---- whose errors are they? ---- */

static unsigned root_of(const struct pci_device *d)
{
    return pci_express_type(d) == PCIE_ROOT_PORT ? pci_find_extended_capability(d, PCI_EXT_CAP_AER)
                                                 : 0;
}

const char *port_errors_show(const struct pci_device *port)
{
    if (!root_of(port))
        return "not reported, it has no advanced error reporting";
    if (!port->cap_msi && !port->msix_entries)
        return "not reported, it has no messages to send";
    return port_errors_kept ? "kept by the firmware (HEST)" : "reported";
}

/* ---- what functions record ---- */

/* Ones clear what they are written to. Where nothing answers they go nowhere. */
static void take(const struct pci_device *d)
{
    unsigned aer;

    if (d->in_reset)
        return;
    aer = pci_find_extended_capability(d, PCI_EXT_CAP_AER);
    if (aer) {
        pci_write32(d, aer + PCI_AER_FATAL_STATUS, UINT32_MAX);
        pci_write32(d, aer + PCI_AER_STATUS, UINT32_MAX);
    }
    if (d->cap_pcie)
        pci_write16(d, d->cap_pcie + PCIE_DEVICE_STATUS, PCIE_DEVICE_STATUS_ERRORS);
}

void port_errors_take(const struct pci_device *port)
{
    const struct pci_device *d;

    take(port);
    pci_for_each_below (d, port)
        take(d);
}

void port_errors_speak(struct pci_device *d)
{
    if (d->cap_pcie)
        pci_change16(d, d->cap_pcie + PCIE_DEVICE_CONTROL, 0, PCIE_DEVICE_CONTROL_SPEAKS);
    if (pci_is_bridge(d)) { /* these pass on what comes from below */
        pci_change16(d, PCI_BRIDGE_CONTROL, 0, PCI_BRIDGE_SERR);
        pci_change16(d, PCI_COMMAND, 0, PCI_COMMAND_SERR);
    }
    d->errors_told = true;
    pci_save(d);
}

/* ---- the service ---- */

static bool start(struct port *port)
{
    struct pci_device *d, *p = port->pci;
    unsigned aer = root_of(p);

    if (!aer || port_errors_kept || !port->irqs)
        return false;
    port->limit = (struct log_limit){.window_ns = NS_PER_S, .burst = 10};
    port_errors_take(p);
    pci_write32(p, aer + PCI_AER_ROOT_STATUS, pci_read32(p, aer + PCI_AER_ROOT_STATUS));
    pci_for_each_below (d, p)
        if (d->assigned || pci_is_bridge(d))
            port_errors_speak(d);
    port_errors_speak(p);
    pci_write32(p, aer + PCI_AER_ROOT_COMMAND, PCI_AER_ROOT_COMMAND_ALL);
    return true;
}

/* NULL: it is unknown, or was not the only one. */
static const struct pci_device *sender(const struct pci_device *p, pci_rid_t rid, bool many)
{
    const struct pci_device *d = many ? NULL : pci_find(p->segment, rid);

    return d && (d == p || pci_is_below(d, p)) ? d : NULL;
}

/* A bridge or port speaks for all that is below. */
void port_errors_tell(const struct pci_device *port, const struct pci_device *from)
{
    const struct pci_device *d;

    pci_for_each_below (d, port)
        if (d->assigned && (!from || d == from || pci_is_below(d, from)))
            port_users()->error(d);
}

static void tell_log(struct port *port, enum log_level level, const char *what, pci_rid_t rid,
                     uint64_t count)
{
    if (log_admit(&port->limit))
        log_print(level, "%s: %s, sent first by %s; %lu so far", pci_name(port->pci), what,
                  pci_rid_name(port->pci->segment, rid), count);
}

static bool poll(struct port *port)
{
    const struct pci_device *p = port->pci;
    unsigned aer = root_of(p);
    uint32_t status = pci_read32(p, aer + PCI_AER_ROOT_STATUS);
    uint32_t sources = pci_read32(p, aer + PCI_AER_ROOT_SOURCES);
    pci_rid_t low = (pci_rid_t)sources, high = (pci_rid_t)(sources >> 16);

    status &= PCI_AER_ROOT_STATUS_ALL;
    if (!status)
        return false;
    pci_write32(p, aer + PCI_AER_ROOT_STATUS, status);
    port_errors_take(p);
    if (status & PCI_AER_ROOT_CORRECTED)
        tell_log(port, LOG_WARN, "an error was corrected", low, ++port->corrected);
    if (status & PCI_AER_ROOT_UNCORRECTED) {
        tell_log(port, LOG_ERROR,
                 status & PCI_AER_ROOT_FATAL ? "a fatal error" : "an error that is not fatal", high,
                 ++port->uncorrected);
        port_errors_tell(p, sender(p, high, status & PCI_AER_ROOT_MORE));
    }
    return true;
}

const struct port_service port_errors = {start, poll};
