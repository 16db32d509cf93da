/* SPDX-License-Identifier: BSD-2-Clause */
/* The record of requester ids. */
#include "kernel/iommu/requester.h"

#include "kernel/iommu/reserved.h"
#include "kernel/iommu/scope.h"
#include "kernel/iommu/unit.h"
#include "kernel/lib/error.h"
#include "kernel/mm/heap.h"
#include "kernel/pci/pci.h"

static struct requester *create(struct iommu_unit *unit, uint16_t segment, uint16_t rid,
                                uint16_t physical)
{
    struct requester *requester = kzalloc(sizeof(*requester));

    if (!requester)
        return NULL;
    requester->unit = unit;
    requester->segment = segment;
    requester->rid = rid;
    requester->physical = physical;
    list_push_back(&iommu_requesters, &requester->link);
    return requester;
}

/*
 * Scopes do not name virtual functions: the physical one stands for them (VT-d 8.3.1); nor what
 * does not exist, and sends from the same place as the function whose id it is, too.
 */
static uint16_t named_for(const struct pci_device *device, uint16_t rid)
{
    bool same = rid == device->rid ||
                (PCI_BUS(rid) == PCI_BUS(device->rid) && !pci_find(device->segment, rid));

    return !same ? rid : device->physical ? device->physical->rid : device->rid;
}

static struct requester *handle_of(const struct pci_device *device, uint16_t rid)
{
    uint16_t physical = named_for(device, rid);
    struct requester *requester;

    list_for_each_entry (requester, &iommu_requesters, link) {
        if (requester->segment == device->segment && requester->rid == rid)
            return requester;
    }
    requester = create(scope_unit_for(device->segment, physical), device->segment, rid, physical);
    if (requester)
        requester->regions = reserved_regions_of(device->segment, rid);
    return requester;
}

int requesters_find(void)
{
    struct pci_device *device;

    list_for_each_entry (device, pci_devices(), link) {
        pci_rid_t ids[PCI_IDS_MAX];
        size_t count = pci_requester_ids(device, ids);

        for (size_t i = 0; i < count; i++) {
            device->requesters[i] = handle_of(device, ids[i]);
            if (!device->requesters[i])
                return -ENOMEM;
        }
    }
    return 0;
}

const struct pci_device *requester_unguarded(void)
{
    const struct pci_device *device;

    list_for_each_entry (device, pci_devices(), link) {
        for (size_t i = 0; device->left && i < PCI_IDS_MAX && device->requesters[i]; i++) {
            if (!device->requesters[i]->unit)
                return device;
        }
    }
    return NULL;
}

struct requester *requester_get(struct iommu_unit *unit, uint16_t rid)
{
    struct requester *requester;

    list_for_each_entry (requester, &iommu_requesters, link) {
        if (requester->unit == unit && requester->rid == rid)
            return requester;
    }
    return create(unit, unit->segment, rid, rid);
}

struct iommu_unit *iommu_unit_of(const struct requester *requester)
{
    return requester->unit;
}

const char *iommu_requester_name(const struct requester *requester,
                                 char buffer[REQUESTER_NAME_SIZE])
{
    return pci_write_rid_name(requester->segment, requester->rid, buffer);
}
