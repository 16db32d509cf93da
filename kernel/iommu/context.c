/* SPDX-License-Identifier: BSD-2-Clause */
/* Root and context tables: which requester id is translated by which page table. */
#include "kernel/cpu/cache.h"
#include "kernel/iommu/unit.h"
#include "kernel/lib/error.h"
#include "kernel/lib/log.h"
#include "kernel/mm/direct.h"
#include "kernel/mm/frames/frames.h"
#include "kernel/mm/heap.h"
#include "kernel/pci/pci.h"

int context_init(struct iommu_unit *unit)
{
    unit->root_physical = frames_alloc(0, FRAMES_ZERO);
    if (unit->root_physical == PADDR_NONE)
        return -ENOMEM;
    unit->root = phys_to_virt(unit->root_physical);
    unit_publish(unit, unit->root, PAGE_SIZE);
    return 0;
}

/* The entry of a requester id; NULL if its bus has no context table. */
static struct vtd_context_entry *entry_of(const struct iommu_unit *unit, uint16_t rid)
{
    uint64_t root = unit->root[PCI_BUS(rid)].low;

    if (!(root & VTD_PRESENT))
        return NULL;
    return (struct vtd_context_entry *)phys_to_virt(root & VTD_ADDRESS_MASK) + (rid & 0xff);
}

/* Context tables stay for good: 256 at most, and what is absent in them refuses DMA as well. */
static int ensure_table(struct iommu_unit *unit, uint16_t rid)
{
    struct vtd_root_entry *root = &unit->root[PCI_BUS(rid)];
    paddr_t table;

    if (root->low & VTD_PRESENT)
        return 0;
    table = frames_alloc(0, FRAMES_ZERO);
    if (table == PADDR_NONE)
        return -ENOMEM;
    unit_publish(unit, phys_to_virt(table), PAGE_SIZE);
    *(volatile uint64_t *)&root->low = vtd_root_low(table);
    unit_publish(unit, root, sizeof(*root));
    return 0;
}

struct requester *requester_find(struct iommu_unit *unit, uint16_t rid)
{
    struct requester *requester;

    list_for_each_entry (requester, &unit->requesters, link) {
        if (requester->rid == rid)
            return requester;
    }
    return NULL;
}

struct requester *requester_get(struct iommu_unit *unit, uint16_t rid)
{
    struct requester *requester = requester_find(unit, rid);

    if (requester)
        return requester;
    if (ensure_table(unit, rid))
        return NULL;
    requester = kzalloc(sizeof(*requester));
    if (!requester)
        return NULL;
    requester->unit = unit;
    requester->rid = rid;
    list_push_back(&unit->requesters, &requester->link);
    return requester;
}

void requester_stop(const struct iommu_unit *unit, uint16_t rid)
{
    struct pci_device *device;

    list_for_each_entry (device, pci_devices(), link) {
        pci_rid_t ids[3];
        size_t count;

        if (device->segment != unit->segment)
            continue;
        count = pci_requester_ids(device, ids);
        for (size_t i = 0; i < count; i++) {
            if (ids[i] == rid)
                pci_stop(device);
        }
    }
}

/* ---- stores ---- */

static uint64_t silence_bit(const struct requester *requester)
{
    return requester->silenced ? VTD_CONTEXT_FPD : 0;
}

static void store_low(struct iommu_unit *unit, struct vtd_context_entry *entry, uint64_t low)
{
    *(volatile uint64_t *)&entry->low = low;
    unit_publish(unit, entry, sizeof(*entry));
}

static void store_high(struct vtd_context_entry *entry, uint64_t high)
{
    *(volatile uint64_t *)&entry->high = high;
}

static struct vtd_context_entry context_for(const struct requester *requester,
                                            const struct iommu_domain *domain, bool ats)
{
    struct vtd_context_entry entry =
        vtd_context(table_physical(domain->table.root), domain->table.levels, domain->id, ats);

    entry.low |= silence_bit(requester);
    return entry;
}

/* The half without the present bit first: an absent entry stays absent until it is complete. */
static void install(struct requester *requester, const struct iommu_domain *domain, bool ats)
{
    struct vtd_context_entry *entry = entry_of(requester->unit, requester->rid);
    struct vtd_context_entry value = context_for(requester, domain, ats);

    store_high(entry, value.high);
    store_low(requester->unit, entry, value.low);
}

/*
 * One 16-byte store: with two, the unit could use one domain's table and tag what it caches with
 * the other's id.
 */
static void exchange(struct requester *requester, const struct iommu_domain *domain, bool ats)
{
    struct vtd_context_entry *entry = entry_of(requester->unit, requester->rid);
    struct vtd_context_entry value = context_for(requester, domain, ats);

    store_128(entry, value.low, value.high);
    unit_publish(requester->unit, entry, sizeof(*entry));
}

/* Clears the present bit alone; the rest goes once no walk can be half-way through the entry. */
static void revoke(struct requester *requester)
{
    struct vtd_context_entry *entry = entry_of(requester->unit, requester->rid);

    store_low(requester->unit, entry, entry->low & ~VTD_PRESENT);
}

static void wipe(struct requester *requester)
{
    struct vtd_context_entry *entry = entry_of(requester->unit, requester->rid);

    store_high(entry, 0);
    store_low(requester->unit, entry, silence_bit(requester));
}

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
static int appear(struct requester *requester, struct iommu_domain *to)
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
        from->attached--;
        from->with_ats -= requester->ats;
    }
    if (to) {
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
    revoke(requester);
    if (requester->ats)
        ats_enable(requester->unit, requester->rid, false);
    account(requester, NULL, false);
}

int context_switch(struct requester *requester, struct iommu_domain *domain)
{
    struct iommu_unit *unit = requester->unit;
    struct iommu_domain *from = requester->domain;
    bool ats = domain && ats_allowed(unit, requester->rid, &requester->ats_depth);
    int error;

    if (from && domain)
        exchange(requester, domain, ats);
    else if (domain)
        install(requester, domain, ats);
    else if (from)
        revoke(requester);
    error = from ? forget(requester, from) : 0;
    if (!error && domain)
        error = appear(requester, domain);
    if (error) {
        abandon(requester);
        return error;
    }
    if (!domain)
        wipe(requester);
    if (ats != requester->ats)
        ats_enable(unit, requester->rid, ats);
    account(requester, domain, ats);
    return 0;
}

int context_silence(struct requester *requester)
{
    struct vtd_context_entry *entry = entry_of(requester->unit, requester->rid);
    uint16_t id = requester->domain ? requester->domain->id : 0;

    requester->silenced = true;
    store_low(requester->unit, entry, entry->low | VTD_CONTEXT_FPD);
    invalidate_context_device(requester->unit, id, requester->rid);
    return invalidation_wait(requester->unit);
}

void context_distrust_ats(struct iommu_unit *unit)
{
    struct requester *requester;

    list_for_each_entry (requester, &unit->requesters, link) {
        struct vtd_context_entry *entry = entry_of(unit, requester->rid);

        if (!requester->ats)
            continue;
        requester_stop(unit, requester->rid);
        ats_enable(unit, requester->rid, false);
        store_low(unit, entry, entry->low & ~VTD_CONTEXT_ATS);
        requester->ats = false;
        requester->ats_distrusted = true;
        requester->domain->with_ats--;
    }
}

/* ---- the interface ---- */

/* The record of a requester that may be attached to the domain. */
static int find_for(struct iommu_domain *domain, uint16_t segment, uint16_t rid,
                    struct requester **out)
{
    if (iommu_unit_for(segment, rid) != domain->unit)
        return -ENODEV;
    if (domain->unit->fenced)
        return -EIO;
    *out = requester_get(domain->unit, rid);
    return *out ? 0 : -ENOMEM;
}

static bool is_free(const struct requester *requester)
{
    return !requester->domain || requester->domain == requester->quarantine;
}

/* Reserved memory is in the new domain before the switch and leaves the old one after it. */
static int move(struct requester *requester, struct iommu_domain *to)
{
    struct iommu_domain *from = requester->domain;
    int error = reserved_map(to, requester->rid);

    if (error)
        return error;
    error = context_switch(requester, to);
    if (error || !from || from == requester->quarantine)
        return error;
    error = reserved_unmap(from, requester->rid);
    if (error)
        abandon(requester);
    return error;
}

int iommu_attach(struct iommu_domain *domain, uint16_t segment, uint16_t rid)
{
    struct requester *requester;
    int error = find_for(domain, segment, rid, &requester);

    if (error)
        return error;
    return is_free(requester) ? move(requester, domain) : -EBUSY;
}

int iommu_replace(struct iommu_domain *domain, uint16_t segment, uint16_t rid)
{
    struct requester *requester;
    int error = find_for(domain, segment, rid, &requester);

    if (error)
        return error;
    return requester->domain == domain ? 0 : move(requester, domain);
}

int iommu_detach(struct iommu_domain *domain, uint16_t segment, uint16_t rid)
{
    struct requester *requester = requester_find(domain->unit, rid);
    int error;

    if (domain->unit->segment != segment || !requester || requester->domain != domain)
        return -ENODEV;
    error = context_switch(requester, requester->quarantine);
    return error ? error : reserved_unmap(domain, rid);
}
