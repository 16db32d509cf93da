/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/pcie/port.h"

#include "kernel/cpu/thread.h"
#include "kernel/cpu/time.h"
#include "kernel/irq/irq.h"
#include "kernel/lib/error.h"
#include "kernel/mm/heap.h"
#include "kernel/pci/reset.h"

#define POINT        "port"
#define PAUSE_NS     (1 * NS_PER_MS) /* between two events; longer each time: there may be no end */
#define ASK_NS       NS_PER_S
#define MESSAGES_MAX 32 /* numbers of messages have five bits */

/* What was pulled took its link down, too, and is not to be waited for: slots come first. */
static const struct port_service *const services[] = {&port_slots, &port_containment, &port_errors};

static struct list ports = LIST_INIT(ports);
static const struct port_users *given;

const struct port_users *port_users(void)
{
    return given;
}

static void serve(void *context)
{
    struct port *port = context;
    uint64_t pause = PAUSE_NS;

    for (;;) {
        bool any = false;

        for (unsigned i = 0; i < ARRAY_SIZE(services); i++)
            if ((port->services & BIT(i)) && !port->pci->in_reset && !port->pci->removed)
                any |= services[i]->poll(port);
        if (any)
            thread_nap(POINT, pause);
        else
            (void)thread_sleep_hearing(POINT, port->irqs ? TIME_NEVER : time_ns() + ASK_NS,
                                       HEARS_NOTHING);
        pause = any ? MIN(2 * pause, ASK_NS) : PAUSE_NS;
    }
}

/* What happened stays in the port's registers, and until it is taken there, it is quiet. */
static void on_interrupt(void *context, unsigned index)
{
    const struct port *port = context;

    thread_wake(port->thread);
}

/* Which of its messages is for what the port may say differently later: all are for everything. */
static int enable_irqs(struct port *port)
{
    enum irq_kind kind = irq_count(port->pci, IRQ_MSI) ? IRQ_MSI : IRQ_MSIX;
    unsigned count = kind == IRQ_MSI ? 1 : MIN(irq_count(port->pci, kind), MESSAGES_MAX);
    int error = irq_enable(port->pci, kind, count, on_interrupt, port, &port->irqs);

    for (unsigned i = 0; !error && i < count; i++)
        irq_mask(port->irqs, i, false);
    return error;
}

/* After a reset of a bus above it, and at the start. */
static void connect(struct pci_device *pci)
{
    struct port *port;

    pci_enable_path(pci);
    pci_set_bus_master(pci, true);
    list_for_each_entry (port, &ports, link) {
        if (port->pci != pci)
            continue;
        if (port->irqs)
            irq_restore(port->irqs);
        thread_wake(port->thread);
    }
}

static int start(struct pci_device *pci)
{
    struct port *port = kzalloc(sizeof(*port));
    int error;

    if (!port || thread_create(&port->thread, NULL, serve, port)) {
        kfree(port);
        return -ENOMEM;
    }
    port->pci = pci;
    if (pci_set_power(pci, 0)) /* what it forgot by that is set only now */
        pci_config_restore(pci);
    connect(pci);
    error = enable_irqs(port);
    if (error)
        log_warn("%s: no interrupt of its own (%d): asked every second, and not for errors",
                 pci_name(pci), error);
    for (unsigned i = 0; i < ARRAY_SIZE(services); i++)
        port->services |= services[i]->start(port) ? BIT(i) : 0;
    pci_save(pci); /* what they have set */
    pci->came_back = connect;
    list_push_back(&ports, &port->link);
    thread_start(port->thread);
    return 0;
}

static bool serves(const struct pci_device *pci)
{
    const struct pci_device *d;

    pci_for_each_below (d, pci)
        if (d->assigned && !pci->left)
            return pci_is_link_head(pci);
    return false;
}

int ports_start(const struct port_users *users, struct refusal *why)
{
    struct pci_device *d;

    given = users;
    list_for_each_entry (d, pci_devices(), link)
        if (serves(d) && start(d))
            return refuse(why, -ENOMEM, "no memory for the ports above the assigned devices");
    if (!list_empty(&ports))
        log_info("pcie: whose ports are cannot be asked (_OSC is byte code): errors are %s",
                 port_errors_kept ? "the firmware's (HEST), and silent" : "reported to the kernel");
    return 0;
}
