/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PCI Express root and downstream ports above assigned devices, and what they tell of them. Each
 * has its own interrupt, which all services share, and a thread that asks these in turn: a service
 * finds in the port's registers what happened, however often the interrupt came.
 */
#ifndef KERNEL_PCIE_PORT_H
#define KERNEL_PCIE_PORT_H

#include "kernel/cpu/timer.h"
#include "kernel/lib/log.h"
#include "kernel/lib/refusal.h"
#include "kernel/pci/pci.h"

/* The slot below a port; times as time_ns(). */
struct port_slot {
    bool on;             /* it has power, and what the kernel knows of */
    bool refused;        /* what is in it */
    uint64_t changed;    /* it looked as if something was pulled, and is not settled; 0 */
    uint64_t asked_from; /* by the button: from when on its device is asked for; or TIME_NEVER */
    uint64_t remind_at;  /* the next request */
    struct timer timer;
};

struct port {
    struct list link;
    struct pci_device *pci;
    struct thread *thread;
    struct irq_set *irqs; /* NULL: it has none, and is asked every second */
    unsigned services;    /* BIT() of those that started, in the order of port.c */
    /* Advanced error reporting: errors that were corrected, and that were not; and their lines. */
    uint64_t corrected, uncorrected;
    struct log_limit limit;
    bool stuck; /* containment: it does not let go of the link */
    struct port_slot slot;
};

/* Whoever uses devices and is told. Called in the thread of a port. */
struct port_users {
    /* An error of the device was not corrected. Does not sleep. */
    void (*error)(const struct pci_device *device);
    /*
     * The link of a port was down, and what is below was reset by that: waits for the link, and
     * makes devices in use what they were, as after any reset. -EBUSY: it is in use by others, and
     * was not touched; other errors: it did not come back.
     */
    int (*recover)(const struct pci_device *port);
    /* The device is to be given back. False: its user cannot be told. Does not sleep. */
    bool (*request)(const struct pci_device *device);
    /* A device was removed, and is marked so. May sleep. */
    void (*removed)(const struct pci_device *device);
    /*
     * Another device, learned anew, is where a removed one was that nobody uses any more: gives its
     * BARs addresses, and checks it as at the start. An error, told: it is not to be used.
     */
    int (*plugged)(struct pci_device *device);
    /* Whoever uses a device did not give it back in time, and is to be ended. Does not sleep. */
    void (*refused)(void);
};

struct port_service {
    /* Does the port have it, for the kernel to use? Then its events are switched on. */
    bool (*start)(struct port *port);
    /*
     * In the port's thread: takes what there is from the registers and acts on it; may sleep. False
     * if there was nothing. It is called again until it says so.
     */
    bool (*poll)(struct port *port);
};

extern const struct port_service port_slots;       /* slot.c */
extern const struct port_service port_containment; /* dpc.c */
extern const struct port_service port_errors;      /* aer.c */

/*
 * Starts the ports above assigned devices, once and for good. Where a port has no interrupt that is
 * told. -ENOMEM with a sentence.
 */
int ports_start(const struct port_users *users, struct refusal *why);
const struct port_users *port_users(void);

/* Did containment take its link down, and has not let go of it? (dpc.c) */
bool port_is_contained(const struct port *port);
/* Clears what functions recorded of errors: the port and those below that answer. */
void port_errors_take(const struct pci_device *port);
/*
 * Lets a function send messages of errors, but of requests that are not supported, and a bridge
 * pass them on; kept over resets.
 */
void port_errors_speak(struct pci_device *device);
/* Tells users of an error of `from`, or of all that is below it; NULL: of all below the port. */
void port_errors_tell(const struct pci_device *port, const struct pci_device *from);
/* Does the firmware keep errors for itself? Set before ports start, or are shown. */
extern bool port_errors_kept;
/* Who hears of errors at a root port, in some words. */
const char *port_errors_show(const struct pci_device *port);

#endif
