/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Downstream port containment (PCI Express Base 6.2.10 and 7.9.14): at a fatal error the port takes
 * its link down by itself, which keeps bad data from spreading and resets all that is below. Of
 * other errors it does not: a program can cause them, and they harm nobody else.
 */
#include "kernel/cpu/thread.h"
#include "kernel/cpu/time.h"
#include "kernel/lib/error.h"
#include "kernel/pci/registers.h"
#include "kernel/pci/reset.h"
#include "kernel/pcie/port.h"

#define POINT    "containment"
#define BOUND_NS (1000 * NS_PER_MS)
#define POLL_NS  (1 * NS_PER_MS)

static unsigned find(const struct port *port)
{
    return pci_find_extended_capability(port->pci, PCI_EXT_CAP_DPC);
}

bool port_is_contained(const struct port *port)
{
    unsigned dpc = find(port);
    uint16_t status = dpc ? pci_read16(port->pci, dpc + PCI_DPC_STATUS) : 0;

    return status != UINT16_MAX && (status & PCI_DPC_TRIGGERED);
}

static void clear(const struct pci_device *p, unsigned dpc)
{
    if (pci_read16(p, dpc + PCI_DPC_CAP) & PCI_DPC_CAP_ROOT)
        pci_write32(p, dpc + PCI_DPC_PIO_STATUS, pci_read32(p, dpc + PCI_DPC_PIO_STATUS));
    pci_write16(p, dpc + PCI_DPC_STATUS, PCI_DPC_TRIGGERED | PCI_DPC_INTERRUPT);
}

static bool start(struct port *port)
{
    unsigned dpc = find(port);
    const struct pci_device *p = port->pci;

    if (!dpc || port_errors_kept)
        return false;
    clear(p, dpc);
    pci_change16(p, dpc + PCI_DPC_CONTROL, PCI_DPC_CONTROL_TRIGGERS,
                 PCI_DPC_CONTROL_FATAL | PCI_DPC_CONTROL_INTERRUPT);
    return true;
}

/* Until the link is down, and a root port has ended what it had begun. False: it does not end. */
static bool settled(const struct pci_device *p, unsigned dpc)
{
    uint64_t deadline = time_ns() + BOUND_NS;
    bool busy;

    do {
        busy = pci_read16(p, dpc + PCI_DPC_STATUS) & PCI_DPC_BUSY;
        if (!busy && !pci_link_active(p))
            return true;
        thread_nap(POINT, POLL_NS);
    } while (!time_expired(deadline));
    return !busy;
}

static void recover(struct port *port, unsigned dpc)
{
    const struct pci_device *p = port->pci;
    struct pci_device *d;
    int error = -EIO;

    pci_for_each_below (d, p)
        d->in_reset = true; /* nobody asks them, or their device TLBs, until they are back */
    port->stuck = !settled(p, dpc);
    if (!port->stuck) {
        port_errors_take(p);
        clear(p, dpc);
        error = port_users()->recover(p);
    }
    if (error)
        log_error("%s: what is below was not recovered: %s", pci_name(p),
                  port->stuck       ? "the port stays busy, and its link down"
                  : error == -EBUSY ? "in use, and not by VFIO: to be opened again"
                                    : "it did not come back");
    else
        log_info("%s: what is below is back, as after a reset", pci_name(p));
}

static bool poll(struct port *port)
{
    static const char *const reasons[] = {"the port's own error", "an error", "a fatal error",
                                          "a request without an answer"};
    const struct pci_device *p = port->pci;
    unsigned dpc = find(port);
    uint16_t status = pci_read16(p, dpc + PCI_DPC_STATUS);

    if (port->stuck || !port_is_contained(port))
        return false;
    log_error("%s: took its link down: %s (%s)", pci_name(p), reasons[status >> 1 & 3],
              pci_rid_name(p->segment, pci_read16(p, dpc + PCI_DPC_SOURCE)));
    port_errors_tell(p, NULL);
    recover(port, dpc);
    return true;
}

const struct port_service port_containment = {start, poll};
