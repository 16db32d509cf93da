/* SPDX-License-Identifier: BSD-2-Clause */
/* Root and context tables: which requester id is translated by which page table. */
#include "kernel/iommu/context.h"

#include "kernel/cpu/cache.h"
#include "kernel/iommu/domain.h"
#include "kernel/iommu/requester.h"
#include "kernel/iommu/unit.h"
#include "kernel/lib/error.h"
#include "kernel/mm/direct.h"
#include "kernel/pci/pci.h"

int context_init(struct iommu_unit *unit)
{
    unit->root = unit_memory(unit, PAGE_SIZE, &unit->root_physical);
    return unit->root ? 0 : -ENOMEM;
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
int context_make_room(struct iommu_unit *unit, uint16_t rid)
{
    struct vtd_root_entry *root = &unit->root[PCI_BUS(rid)];
    paddr_t table;

    if (root->low & VTD_PRESENT)
        return 0;
    if (!unit_memory(unit, PAGE_SIZE, &table))
        return -ENOMEM;
    *(volatile uint64_t *)&root->low = vtd_root_low(table);
    unit_publish(unit, root, sizeof(*root));
    return 0;
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
        vtd_context(virt_to_phys(domain->table.root), domain->table.levels, domain->id, ats);

    entry.low |= silence_bit(requester);
    if (requester->cut)
        entry.low &= ~VTD_PRESENT;
    return entry;
}

/* The half without the present bit first: an absent entry stays absent until it is complete. */
void context_install(struct requester *requester, const struct iommu_domain *domain, bool ats)
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
void context_exchange(struct requester *requester, const struct iommu_domain *domain, bool ats)
{
    struct vtd_context_entry *entry = entry_of(requester->unit, requester->rid);
    struct vtd_context_entry value = context_for(requester, domain, ats);

    store_128(entry, value.low, value.high);
    unit_publish(requester->unit, entry, sizeof(*entry));
}

/* Clears the present bit alone; the rest goes once no walk can be half-way through the entry. */
void context_revoke(struct requester *requester)
{
    struct vtd_context_entry *entry = entry_of(requester->unit, requester->rid);

    store_low(requester->unit, entry, entry->low & ~VTD_PRESENT);
}

void context_wipe(struct requester *requester)
{
    struct vtd_context_entry *entry = entry_of(requester->unit, requester->rid);

    store_high(entry, 0);
    store_low(requester->unit, entry, silence_bit(requester));
}

void context_refuse_translated(struct requester *requester)
{
    struct vtd_context_entry *entry = entry_of(requester->unit, requester->rid);

    store_low(requester->unit, entry, entry->low & ~VTD_CONTEXT_ATS);
}

void context_silence(struct requester *requester, bool on)
{
    struct vtd_context_entry *entry = entry_of(requester->unit, requester->rid);

    requester->silenced = on;
    store_low(requester->unit, entry, (entry->low & ~VTD_CONTEXT_FPD) | silence_bit(requester));
}
