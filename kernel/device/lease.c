/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/device/lease.h"

#include "kernel/device/iommufd/iommufd.h"
#include "kernel/iommu/iommu.h"
#include "kernel/lib/error.h"
#include "kernel/lib/log.h"
#include "kernel/pci/bar_object.h"
#include "kernel/pci/registers.h"
#include "kernel/pci/reset.h"
#include "kernel/pci/usb.h"

/* ---- BARs ---- */

int lease_bar(struct lease *lease, unsigned bar, struct memobj **out)
{
    struct memobj **object = &lease->bars[bar];
    int error = 0;

    if (!*object) {
        error = pci_bar_object(lease->pci, bar, !irq_remapped(lease->pci), object);
        /* There is no translation yet, so this does not sleep. Older ones are for who hides. */
        if (!error && lease->hidden)
            memobj_revoke(*object);
    }
    *out = *object;
    return error;
}

static void with_bars(const struct lease *lease, void (*what)(struct memobj *object))
{
    for (unsigned i = 0; i < PCI_BARS; i++)
        if (lease->bars[i])
            what(lease->bars[i]);
}

void lease_hide_bars(struct lease *lease)
{
    lease->hidden = true;
    with_bars(lease, memobj_revoke);
}

void lease_show_bars(struct lease *lease)
{
    if (lease->pci->removed)
        return;
    lease->hidden = false;
    with_bars(lease, memobj_restore);
}

/* The lease may end meanwhile, so that each BAR is held by itself. */
void lease_end_bars(const struct pci_device *pci)
{
    struct lease *lease = pci->lease;

    for (unsigned i = 0; lease && i < PCI_BARS; i++, lease = pci->lease) {
        struct memobj *object;

        lease->hidden = true;
        if (!lease->bars[i])
            continue;
        object = memobj_get(lease->bars[i]);
        memobj_revoke(object);
        memobj_put(object);
    }
    if (lease && lease->irqs && lease->terms.handler)
        lease->terms.handler(lease->terms.context, 0);
}

void lease_drop_bars(struct lease *lease)
{
    with_bars(lease, memobj_put);
    for (unsigned i = 0; i < PCI_BARS; i++)
        lease->bars[i] = NULL;
}

/* ---- the device alone ---- */

/*
 * Parity reporting and SERR stay off, so that a malformed request of the device cannot become a
 * machine check or an NMI of ours.
 */
static void decode_bars(const struct pci_device *d)
{
    uint16_t command = pci_command_bits(d);

    for (unsigned i = 0; i < PCI_BARS; i++)
        if (d->bars[i].size && d->bars[i].base)
            command |= d->bars[i].flags & PCI_BAR_IO ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY;
    pci_write16(d, PCI_COMMAND, command);
}

/*
 * At full power and silent in any case. -EIO if it did not come back; one that has no reset is no
 * error. One that does not keep its state in D3hot forgets it here; the reset restores it.
 */
static int reset_if_possible(struct pci_device *d)
{
    int error;

    pci_set_power(d, 0);
    error = pci_reset(d);
    return !error || error == -ENOTTY ? 0 : -EIO;
}

/* From the top: the list has bridges before what they lead to. */
static void wake_bridges(const struct pci_device *d)
{
    const struct pci_device *b;

    list_for_each_entry (b, pci_devices(), link)
        if (pci_is_below(d, b) && pci_set_power(b, 0))
            pci_config_restore(b);
    pci_enable_path(d);
}

/* From whatever it was left in to a silent device that answers. */
static int wake(struct pci_device *d)
{
    int error;

    wake_bridges(d);
    pci_set_bus_master(d, false);
    pci_usb_take(d);
    error = reset_if_possible(d);
    if (!error)
        decode_bars(d);
    return error;
}

/* ---- start and stop ---- */

static int attach_group(struct lease *lease)
{
    int error = ioas_attach_group(lease->terms.tables, lease->pci->group);

    lease->attached = !error;
    return error;
}

static int enable_irqs(struct lease *lease)
{
    const struct lease_terms *terms = &lease->terms;
    enum irq_kind kind = IRQ_MSIX;

    while (kind != IRQ_INTX && !irq_count(lease->pci, kind))
        kind--;
    return irq_enable(lease->pci, kind, terms->vectors, terms->handler, terms->context,
                      &lease->irqs);
}

/* From a device that answers to one that works, as far as the terms go. */
static int fulfil(struct lease *lease)
{
    const struct lease_terms *terms = &lease->terms;
    int error = terms->awake ? terms->awake(terms->context) : 0;

    if (!error && terms->tables)
        error = attach_group(lease);
    if (!error && terms->vectors)
        error = enable_irqs(lease);
    if (error || !terms->tables)
        return error;
    pci_set_bus_master(lease->pci, true);
    lease_show_bars(lease);
    return 0;
}

/*
 * What a device that is silent again still has. The claim goes last: with it others may come, and
 * here nothing touches the device any more.
 */
static void let_go(struct lease *lease)
{
    if (lease->irqs)
        irq_disable(lease->irqs);
    lease->irqs = NULL;
    if (lease->attached)
        ioas_detach_group(lease->terms.tables, lease->pci->group);
    lease->attached = false;
    if (lease->bound)
        iommufd_unbind(lease->bound);
    lease->bound = NULL;
    lease->pci->lease = NULL;
    pci_unclaim(lease->pci);
}

int lease_start(struct lease *lease, struct file *iommufd)
{
    int error = lease->pci->leaving ? -ENODEV : pci_claim(lease->pci, lease->terms.owner);

    if (error)
        return error;
    lease->pci->lease = lease;
    error = iommufd ? iommufd_bind(iommufd, lease->pci, &lease->bound) : 0;
    if (!error)
        error = wake(lease->pci);
    if (!error && lease->pci->removed) /* meanwhile */
        error = -ENODEV;
    for (size_t i = 0; !error && i < PCI_IDS_MAX && lease->pci->requesters[i]; i++)
        error = iommu_cut(lease->pci->requesters[i], false); /* what was plugged in may begin */
    if (error) {
        let_go(lease);
        return error;
    }
    log_debug("%s: in use by %s", pci_name(lease->pci), lease->terms.owner);
    error = fulfil(lease);
    if (error)
        lease_stop(lease);
    return error;
}

void lease_stop(struct lease *lease)
{
    lease_hide_bars(lease);
    (void)reset_if_possible(lease->pci);
    log_debug("%s: given back", pci_name(lease->pci));
    let_go(lease);
}

void lease_resume(struct lease *lease)
{
    decode_bars(lease->pci);
    pci_enable_path(lease->pci);
    if (lease->irqs)
        irq_restore(lease->irqs);
}

/*
 * In D3hot a device that caches translations could not be told to drop them, and virtual functions
 * go where their physical one goes.
 */
static bool can_sleep(const struct pci_device *d)
{
    return d->cap_pm && !d->ats && !d->virtuals;
}

void lease_sleep(struct lease *lease)
{
    lease_hide_bars(lease);
    if (!can_sleep(lease->pci))
        return;
    pci_silence(lease->pci);
    pci_write16(lease->pci, PCI_COMMAND, PCI_COMMAND_INTX_DISABLE);
    pci_set_power(lease->pci, PCI_PM_D3HOT);
}

bool lease_wake(struct lease *lease)
{
    if (!can_sleep(lease->pci))
        return false;
    pci_set_power(lease->pci, 0);
    (void)pci_recover(lease->pci);
    return true;
}
