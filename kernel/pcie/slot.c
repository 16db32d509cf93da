/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Slots in which devices come and go (PCI Express Base 6.7). A device that is asked for, by the
 * attention button, is taken back from its user first; one that is pulled is gone. Behind both the
 * slot is dark: without power and link nothing in it sends anything, and the IOMMU refuses its id.
 * It lights up when nobody uses the device any more and one function is in it, where the one was
 * that the configuration had named. Its id is refused until somebody opens it.
 */
#include "kernel/cpu/thread.h"
#include "kernel/cpu/time.h"
#include "kernel/iommu/iommu.h"
#include "kernel/pci/quiet.h"
#include "kernel/pci/registers.h"
#include "kernel/pci/reset.h"
#include "kernel/pcie/port.h"

#define POINT      "slot"
#define POLL_NS    NS_PER_MS
#define COMMAND_NS NS_PER_S       /* until a command is completed; not all ports tell */
#define DARK_NS    NS_PER_S       /* from power off to power on: 6.7.1.8 */
#define SETTLE_NS  (2 * NS_PER_S) /* for so long a reset may look like a removal */
#define REGRET_NS  (5 * NS_PER_S) /* in which the button takes back what it asked */
#define REMIND_NS  (10 * NS_PER_S)
#define LET_GO_NS  (30 * NS_PER_S) /* from the first request until the payload is ended */
#define LOOK_NS    (100 * NS_PER_MS)
#define CHANGES    (PCIE_SLOT_EXCHANGED | PCIE_SLOT_LINK_CHANGED)
#define DARK       (PCIE_SLOT_LIGHT_OFF | PCIE_SLOT_POWER_OFF)

static void tell(const struct port *port, const char *what)
{
    log_warn("%s: %s", pci_name(port->pci), what);
}

/* ---- registers ---- */

static uint16_t status_of(const struct pci_device *p)
{
    return pci_read16(p, p->cap_pcie + PCIE_SLOT_STATUS);
}

static bool tells_of_link(const struct pci_device *p)
{
    return pci_read32(p, p->cap_pcie + PCIE_LINK_CAP) & PCIE_LINK_CAP_TELLS;
}

/* What happened since it was last asked. A port that does not answer has nothing to tell. */
static unsigned take_events(const struct pci_device *p)
{
    uint16_t status = status_of(p);
    uint16_t events = status == UINT16_MAX ? 0 : status & (PCIE_SLOT_PRESSED | CHANGES);

    if (events)
        pci_write16(p, p->cap_pcie + PCIE_SLOT_STATUS, events);
    return events;
}

/* Writes the bits for light and power. A reset of a bus above leaves them so, and the link. */
static void command(struct pci_device *p, uint16_t bits)
{
    unsigned control = p->cap_pcie + PCIE_SLOT_CONTROL;
    uint64_t deadline = time_ns() + COMMAND_NS;

    pci_write16(p, p->cap_pcie + PCIE_SLOT_STATUS, PCIE_SLOT_COMPLETED);
    pci_change16(p, control, DARK, bits);
    while (!(status_of(p) & PCIE_SLOT_COMPLETED) && !time_expired(deadline))
        thread_nap(POINT, POLL_NS);
    if (!p->in_reset && pci_answers(p))
        pci_save(p);
}

static void enable_link(const struct pci_device *p, bool on)
{
    pci_change16(p, p->cap_pcie + PCIE_LINK_CONTROL, PCIE_LINK_CONTROL_DISABLE,
                 on ? 0 : PCIE_LINK_CONTROL_DISABLE);
}

static void darken(struct pci_device *p)
{
    enable_link(p, false);
    command(p, DARK);
}

/* What happened until then was the way here. -ETIMEDOUT, told: the link did not come up. */
static int light(struct pci_device *p)
{
    int error;

    thread_nap(POINT, DARK_NS);
    enable_link(p, true);
    command(p, PCIE_SLOT_LIGHT_ON);
    error = pci_wait_for_link(p, tells_of_link(p));
    (void)take_events(p);
    return error;
}

/* ---- whose is it? ---- */

static bool is_used(const struct pci_device *d)
{
    return d->claimed_by;
}

static bool is_resetting(const struct pci_device *d)
{
    return d->in_reset && !d->lost;
}

static bool any_below(const struct pci_device *p, bool (*is)(const struct pci_device *d))
{
    const struct pci_device *d;

    pci_for_each_below (d, p)
        if (is(d))
            return true;
    return false;
}

/* ---- out ---- */

/* To everybody it is gone, and what comes under its ids reaches nothing. */
static void shut_out(struct pci_device *d)
{
    d->removed = d->in_reset = true;
    d->leaving = false;
    for (size_t i = 0; i < PCI_IDS_MAX && d->requesters[i]; i++)
        (void)iommu_cut(d->requesters[i], true);
}

static void take_out(struct port *port, const char *why)
{
    struct pci_device *d;

    tell(port, why);
    port->slot = (struct port_slot){.asked_from = TIME_NEVER, .timer = port->slot.timer};
    pci_for_each_below (d, port->pci)
        shut_out(d);
    darken(port->pci);
    pci_for_each_below (d, port->pci)
        if (d->assigned)
            port_users()->removed(d);
}

/* What comes from its power-on has no addresses, or does not answer yet. */
static bool is_another(const struct pci_device *d)
{
    return !pci_is_bridge(d) && (!pci_answers(d) || pci_bars_lost(d));
}

/*
 * A reset takes the link away, too, and with it some ports' presence, and so does containment; a
 * link may also train again by itself.
 */
static bool is_pulled(struct port *port, unsigned events)
{
    bool present = status_of(port->pci) & PCIE_SLOT_PRESENT;
    bool excused = port_is_contained(port) || any_below(port->pci, is_resetting);
    struct port_slot *slot = &port->slot;

    if (events & CHANGES)
        slot->changed = time_ns();
    if (!slot->changed)
        return false;
    if (!excused &&
        (!present || ((events & PCIE_SLOT_EXCHANGED) && any_below(port->pci, is_another))))
        return true;
    if (!time_expired(slot->changed + SETTLE_NS))
        return false;
    slot->changed = 0;
    return !present || (tells_of_link(port->pci) && !pci_link_active(port->pci));
}

static void press(struct port *port)
{
    bool again = port->slot.asked_from != TIME_NEVER;
    struct pci_device *d;

    tell(port, again ? "its button again: what is in its slot stays"
                     : "its button: what is in its slot is to be taken out");
    port->slot.asked_from = again ? TIME_NEVER : time_ns() + REGRET_NS;
    port->slot.remind_at = port->slot.asked_from;
    pci_for_each_below (d, port->pci)
        d->leaving = false;
    command(port->pci, again ? PCIE_SLOT_LIGHT_ON : PCIE_SLOT_LIGHT_BLINKS);
}

static void remind(struct port *port)
{
    struct pci_device *d;

    port->slot.remind_at = time_ns() + REMIND_NS;
    pci_for_each_below (d, port->pci) {
        d->leaving = true;
        if (is_used(d))
            log_info("%s: is to be given back: its user %s", pci_name(d),
                     port_users()->request(d) ? "is asked" : "gave no eventfd to be asked by");
    }
}

/* True: it was taken out. */
static bool take_back(struct port *port)
{
    struct port_slot *slot = &port->slot;

    if (!time_expired(slot->asked_from))
        return false;
    if (!any_below(port->pci, is_used)) {
        take_out(port, "nobody uses what is in its slot: it may be taken out");
        slot->refused = true; /* until the button says otherwise, or another one comes */
        return true;
    }
    if (time_expired(slot->asked_from + LET_GO_NS))
        port_users()->refused();
    else if (time_expired(slot->remind_at))
        remind(port);
    return false;
}

/* ---- in ---- */

/* Nobody but the kernel tells it how much the port's packets hold. False, told: it is too much. */
static bool takes_payloads(const struct pci_device *d, const struct pci_device *p)
{
    uint16_t control = pci_read16(p, p->cap_pcie + PCIE_DEVICE_CONTROL);
    uint16_t size = control & PCIE_DEVICE_CONTROL_PAYLOAD;

    if (!d->cap_pcie)
        return true;
    pci_change16(d, d->cap_pcie + PCIE_DEVICE_CONTROL, PCIE_DEVICE_CONTROL_PAYLOAD, size);
    if ((pci_read32(d, d->cap_pcie + PCIE_DEVICE_CAP) & PCIE_DEVICE_CAP_PAYLOAD) << 5 >= size)
        return true;
    log_info("%s: cannot take packets as large as its port's", pci_name(d));
    return false;
}

/* If the slot had one function, and the configuration named it. */
static bool take_in(struct pci_device *p)
{
    struct pci_device *each, *d = NULL;

    pci_for_each_below (each, p) {
        if (d || !each->assigned)
            return false;
        d = each;
    }
    if (!d || light(p) || !pci_learn_new(d))
        return false;
    if (!takes_payloads(d, p) || port_users()->plugged(d)) {
        shut_out(d);
        pci_size_bars_of(d); /* none: nobody has checked what it said of them */
        return false;
    }
    pci_quiet(d);
    pci_save(d);
    if (d->errors_told)
        port_errors_speak(d);
    return true;
}

/* True: that took a while. */
static bool look_in(struct port *port, unsigned events)
{
    struct port_slot *slot = &port->slot;
    bool present = status_of(port->pci) & PCIE_SLOT_PRESENT;

    slot->refused = slot->refused && present && !(events & PCIE_SLOT_PRESSED);
    if (slot->refused || any_below(port->pci, is_used))
        return false;
    if (!present) {
        enable_link(port->pci, true); /* not all ports know without it that something is there */
        return false;
    }
    slot->on = take_in(port->pci);
    slot->refused = !slot->on;
    if (slot->on)
        return true;
    tell(port, "what was plugged into its slot stays dark");
    darken(port->pci);
    return true;
}

/* ---- the service ---- */

static void look_again(struct timer *timer)
{
    thread_wake(container_of(timer, struct port, slot.timer)->thread);
}

static bool start(struct port *port)
{
    const struct pci_device *p = port->pci;
    unsigned control = p->cap_pcie + PCIE_SLOT_CONTROL;
    struct pci_device *d;

    if (!pci_has_slot(p))
        return false;
    port->slot.asked_from = TIME_NEVER;
    timer_init(&port->slot.timer, look_again);
    pci_for_each_below (d, p) {
        if (d->removed)
            shut_out(d);
        else
            port->slot.on = true;
    }
    (void)take_events(p); /* of before */
    pci_change16(p, control, 0, PCIE_SLOT_EVENTS);
    return true;
}

static bool poll(struct port *port)
{
    struct port_slot *slot = &port->slot;
    unsigned events = take_events(port->pci);
    bool did = events;

    if (!pci_answers(port->pci))
        return false;
    if (!slot->on) {
        did |= look_in(port, events);
    } else if (is_pulled(port, events)) {
        take_out(port, "what was in its slot is gone");
        did = true;
    } else {
        if (events & PCIE_SLOT_PRESSED)
            press(port);
        did |= take_back(port);
    }
    if (slot->changed || slot->asked_from != TIME_NEVER ||
        (!slot->on && any_below(port->pci, is_used)))
        timer_set(&slot->timer, time_ns() + LOOK_NS);
    return did;
}

const struct port_service port_slots = {start, poll};
