/* SPDX-License-Identifier: BSD-2-Clause */
/* Device scopes, and through them the unit that serves a requester id. */
#include "kernel/iommu/scope.h"

#include "kernel/iommu/remap.h"
#include "kernel/iommu/unit.h"
#include "kernel/lib/error.h"
#include "kernel/pci/pci.h"

bool scope_resolve(const struct dmar_scope *scope, uint16_t segment, uint16_t *rid)
{
    uint8_t bus = scope->bus;

    for (unsigned hop = 0;; hop++) {
        const struct pci_device *bridge;

        *rid = PCI_RID(bus, scope->path[hop].device, scope->path[hop].function);
        if (hop + 1 >= scope->hops)
            return true;
        bridge = pci_find(segment, *rid);
        if (!bridge || bridge->header_type != 1)
            return false;
        bus = bridge->secondary;
    }
}

static bool scope_contains(const struct dmar_scope *scope, uint16_t segment, uint16_t rid)
{
    const struct pci_device *bridge;
    uint16_t named;

    if (scope->type != DMAR_SCOPE_ENDPOINT && scope->type != DMAR_SCOPE_BRIDGE)
        return false;
    if (!scope_resolve(scope, segment, &named))
        return false;
    if (named == rid)
        return true;
    if (scope->type != DMAR_SCOPE_BRIDGE)
        return false;
    bridge = pci_find(segment, named);
    return bridge && bridge->header_type == 1 && PCI_BUS(rid) >= bridge->secondary &&
           PCI_BUS(rid) <= bridge->subordinate;
}

bool scope_list_contains(const struct dmar_info *dmar, struct dmar_scope_list list,
                         uint16_t segment, uint16_t rid)
{
    for (size_t i = 0; i < list.count; i++) {
        if (scope_contains(&dmar->scopes[list.first + i], segment, rid))
            return true;
    }
    return false;
}

/* NULL: the table lists it, but it is not there. */
static struct iommu_unit *started(const struct dmar_unit *described)
{
    struct iommu_unit *unit;

    list_for_each_entry (unit, &iommu_units, link) {
        if (unit->described == described)
            return unit;
    }
    return NULL;
}

/* What the table says; of two units for all the rest the one that is there. */
static const struct dmar_unit *described_for(uint16_t segment, uint16_t rid)
{
    const struct dmar_info *dmar = iommu_dmar;
    const struct dmar_unit *unit, *rest = NULL;

    for (unit = dmar->units; unit < dmar->units + dmar->unit_count; unit++) {
        if (unit->segment != segment)
            continue;
        if (scope_list_contains(dmar, unit->scopes, segment, rid))
            return unit;
        if (unit->include_all && !(rest && started(rest)))
            rest = unit;
    }
    return rest;
}

struct iommu_unit *scope_unit_for(uint16_t segment, uint16_t rid)
{
    return started(described_for(segment, rid));
}

bool scope_unit_absent(uint16_t segment, uint16_t rid)
{
    return described_for(segment, rid) && !scope_unit_for(segment, rid);
}

struct iommu_unit *iommu_unit_for_special(enum dmar_scope_type type, uint8_t enumeration_id,
                                          uint16_t *source)
{
    const struct dmar_info *dmar = iommu_dmar;
    struct iommu_unit *unit;

    list_for_each_entry (unit, &iommu_units, link) {
        const struct dmar_scope *scope = &dmar->scopes[unit->described->scopes.first];

        for (size_t i = 0; i < unit->described->scopes.count; i++, scope++) {
            if (scope->type != type || scope->enumeration_id != enumeration_id)
                continue;
            if (scope_resolve(scope, unit->segment, source))
                return unit;
        }
    }
    return NULL;
}
