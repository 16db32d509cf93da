/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The use of an assigned device by one family of device files at a time: the one place that knows
 * in which order a device is claimed, attached, given vectors, and let go again. At both ends it is
 * silent (bus mastering off) and, where it can be, freshly reset.
 *
 * Whoever calls keeps others from the same lease meanwhile. All waits sleep, bounded and deaf to
 * signals and the end.
 */
#ifndef KERNEL_DEVICE_LEASE_H
#define KERNEL_DEVICE_LEASE_H

#include "kernel/ioas/group.h"
#include "kernel/irq/irq.h"
#include "kernel/mm/memobj.h"
#include "kernel/pci/pci.h"

struct file;
struct iommufd_device;

/* What a family gives a device from the start on. Of what is 0 the payload asks for by and by. */
struct lease_terms {
    const char *owner; /* the family, a constant such as "uio" */
    /* Called when the device answers, fresh from its reset and still silent. */
    int (*awake)(void *context);
    /* Its group goes through these, and then it may master the bus and its BARs be mapped. */
    struct ioas_tables *tables;
    unsigned vectors; /* of MSI-X if it has that, else of MSI, else of INTx */
    irq_handler handler;
    void *context; /* of both functions */
};

/* Zeroed, with its device and terms, is one that did not start yet. */
struct lease {
    struct pci_device *pci;
    struct lease_terms terms;
    struct memobj *bars[PCI_BARS]; /* as lease_bar() made them */
    bool hidden;                   /* no translation to them */
    struct iommufd_device *bound;
    bool attached;        /* through the terms' page tables */
    struct irq_set *irqs; /* the vectors in use, or NULL; VFIO enables them during the use */
};

/*
 * Claims the device, binds it to `iommufd` unless that is NULL, silences and resets it, brings it
 * to full power, lets it decode its BARs, opens the path through the bridges above, and gives it
 * what the terms say, bus mastering and BARs last. -EBUSY: another family has it open; -ENODEV: it
 * was removed, or is to be; -EIO: it did not come back from its reset; errors of iommufd_bind(),
 * ioas_attach_group(), irq_enable() and of `awake`. On failure it is as after lease_stop().
 */
int lease_start(struct lease *lease, struct file *iommufd);
/*
 * Takes all of it back: translations to BARs, of CPU and devices; bus mastering; waits for pending
 * transactions; resets; then vectors, translation and the claim. From the return on its memory may
 * be unmapped, unless somebody else attached it, who detaches it now. Cannot fail: a device that
 * does not come back is logged and stays silent.
 */
void lease_stop(struct lease *lease);
/*
 * For who has reset a device in use, with its BARs hidden: it decodes them again, and its vectors
 * are as they were. BARs stay hidden and bus mastering off.
 */
void lease_resume(struct lease *lease);
/*
 * Hides the BARs and, where there is power management and no device TLB is on, takes the device to
 * D3hot, silent; sleeps for the time that this takes.
 */
void lease_sleep(struct lease *lease);
/*
 * The way back, as from pci_reset(), whether or not the device kept its state. False: there is
 * none, because it did not go to D3hot.
 */
bool lease_wake(struct lease *lease);

/*
 * The memory of a BAR, held by the lease. Does not sleep, and so asks for no lock. -EINVAL and
 * -ENOMEM as pci_bar_object().
 */
int lease_bar(struct lease *lease, unsigned bar, struct memobj **out);
/* No translation to a BAR is left on return; what is mapped later fails until they are shown. */
void lease_hide_bars(struct lease *lease);
/* Those of a device that was removed stay hidden. */
void lease_show_bars(struct lease *lease);
/*
 * The device was removed (its mark is set): hides its BARs from whoever has it, who keeps it until
 * he lets go, and calls the terms' handler, so that who sleeps for an interrupt looks again. May
 * sleep; needs nobody kept out.
 */
void lease_end_bars(const struct pci_device *pci);
/* Lets go of all that lease_bar() made. The lease must be stopped, or not started yet. */
void lease_drop_bars(struct lease *lease);

#endif
