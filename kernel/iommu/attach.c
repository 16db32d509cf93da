/* SPDX-License-Identifier: BSD-2-Clause */
/* Attach, replace, detach: changes of the domain that the DMA of a requester id goes through. */
#include "kernel/iommu/ats.h"
#include "kernel/iommu/context.h"
#include "kernel/iommu/domain.h"
#include "kernel/iommu/requester.h"
#include "kernel/iommu/reserved.h"
#include "kernel/iommu/unit.h"
#include "kernel/lib/error.h"
#include "kernel/mm/heap.h"
#include "kernel/pci/pci.h"
#include "kernel/pci/registers.h"

/* ---- switching ---- */

/* What the unit and the device cached of a requester while it was in domain `from`. */
static int forget(struct requester *requester, struct iommu_domain *from)
{
    struct iommu_unit *unit = requester->unit;

    invalidate_context_device(unit, from->id, requester->rid);
    invalidate_domain(unit, from->id);
    if (ats_holds(requester)) {
        invalidate_fence(unit);
        invalidate_device_tlb(requester, 0, domain_last(from));
    }
    return invalidation_wait(unit);
}

/* With caching mode the absence of the entry may have been cached, under domain id 0 (6.1). */
static int entry_appears(struct requester *requester, struct iommu_domain *to)
{
    struct iommu_unit *unit = requester->unit;

    if (!unit->can.caching_mode)
        return unit_flush_writes(unit);
    invalidate_context_device(unit, 0, requester->rid);
    invalidate_domain(unit, to->id);
    return invalidation_wait(unit);
}

static void account(struct requester *requester, struct iommu_domain *to, bool ats)
{
    struct iommu_domain *from = requester->domain;

    if (from) {
        list_remove(&requester->domain_link);
        from->attached--;
        from->with_ats -= requester->ats;
    }
    if (to) {
        list_push_back(&to->requesters, &requester->domain_link);
        to->attached++;
        to->with_ats += ats;
        requester_ids_add(&to->history.attached, requester->rid);
    }
    requester->domain = to;
    requester->ats = ats;
}

/* The unit is fenced: the requester, stopped by then, ends up in no domain. */
static void abandon(struct requester *requester)
{
    context_revoke(requester);
    if (requester->ats)
        ats_enable(requester, false);
    account(requester, NULL, false);
}

/*
 * Makes DMA of the requester go through `domain` (NULL: be refused) instead of what it went through
 * before, and invalidates. -EIO: the unit is fenced, and the requester in no domain.
 */
static int switch_domain(struct requester *requester, struct iommu_domain *domain)
{
    struct iommu_domain *from = requester->domain;
    bool ats = domain && !requester->cut && ats_allowed(requester, &requester->ats_depth);
    int error;

    if (from && domain)
        context_exchange(requester, domain, ats);
    else if (domain)
        context_install(requester, domain, ats);
    else if (from)
        context_revoke(requester);
    error = from ? forget(requester, from) : 0;
    if (!error && domain)
        error = entry_appears(requester, domain);
    if (error) {
        abandon(requester);
        return error;
    }
    if (!domain)
        context_wipe(requester);
    ats = ats && !requester->ats_distrusted; /* the wait may have found that out */
    if (ats != requester->ats)
        ats_enable(requester, ats);
    account(requester, domain, ats);
    return 0;
}

/* ---- the interface ---- */

/* May the requester be attached to the domain? */
static int prepare(const struct iommu_domain *domain, const struct requester *requester)
{
    if (requester->unit != domain->unit)
        return -ENODEV;
    if (domain->unit->fenced)
        return -EIO;
    return context_make_room(requester->unit, requester->rid);
}

static bool is_free(const struct requester *requester)
{
    return !requester->domain || requester->domain == requester->quarantine;
}

/* Reserved memory is in the new domain before the switch and leaves the old one after it. */
static int move_to_domain(struct requester *requester, struct iommu_domain *to)
{
    struct iommu_domain *from = requester->domain;
    int error = reserved_map(to, requester);

    if (error)
        return error;
    error = switch_domain(requester, to);
    if (error || !from || from == requester->quarantine)
        return error;
    error = reserved_unmap(from, requester);
    if (error)
        abandon(requester);
    return error;
}

int iommu_attach(struct iommu_domain *domain, struct requester *requester)
{
    int error = prepare(domain, requester);

    if (error)
        return error;
    return is_free(requester) ? move_to_domain(requester, domain) : -EBUSY;
}

int iommu_replace(struct iommu_domain *domain, struct requester *requester)
{
    int error = prepare(domain, requester);

    if (error)
        return error;
    return requester->domain == domain ? 0 : move_to_domain(requester, domain);
}

int iommu_detach(struct iommu_domain *domain, struct requester *requester)
{
    int error;

    if (requester->domain != domain)
        return domain->unit->fenced ? -EIO : -ENODEV;
    error = switch_domain(requester, requester->quarantine);
    return error ? error : reserved_unmap(domain, requester);
}

int iommu_cut(struct requester *requester, bool cut)
{
    if (requester->cut == cut)
        return 0;
    requester->cut = cut;
    return requester->domain ? switch_domain(requester, requester->domain) : 0;
}

/* ---- quarantine ---- */

static int quarantine(struct requester *requester)
{
    struct iommu_domain *domain;
    int error = domain_create(requester->unit, true, &domain);

    if (error)
        return error;
    error = prepare(domain, requester);
    if (!error)
        error = reserved_map(domain, requester);
    if (!error)
        error = switch_domain(requester, domain);
    if (error) {
        iommu_domain_destroy(domain);
        return error;
    }
    requester->quarantine = domain;
    return 0;
}

int requester_quarantine_all(struct iommu_unit *unit)
{
    struct requester *requester;
    int error = 0;

    list_for_each_entry (requester, &iommu_requesters, link) {
        if (!error && requester->unit == unit && requester->regions)
            error = quarantine(requester);
    }
    return error;
}

void requesters_resume(void)
{
    struct pci_device *device;

    list_for_each_entry (device, pci_devices(), link) {
        uint16_t command = pci_read16(device, PCI_COMMAND);

        if (!device->requesters[0]->regions || device->left || device->removed ||
            !(command & (PCI_COMMAND_IO | PCI_COMMAND_MEMORY)))
            continue;
        pci_enable_path(device);
        pci_set_bus_master(device, true);
    }
}

int iommu_end_reservation(struct requester *requester)
{
    struct iommu_domain *quarantine = requester->quarantine;
    int error = 0;

    if (!requester->relaxable || !requester->regions)
        return 0;
    if (requester->domain)
        error = switch_domain(requester, NULL);
    if (error)
        return error;
    kfree(requester->regions);
    requester->regions = NULL;
    requester->quarantine = NULL;
    if (quarantine)
        iommu_domain_destroy(quarantine);
    return 0;
}
