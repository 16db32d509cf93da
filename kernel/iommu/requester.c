/* SPDX-License-Identifier: BSD-2-Clause */
/* The record of requester ids. */
#include "kernel/iommu/requester.h"

#include "kernel/iommu/reserved.h"
#include "kernel/iommu/scope.h"
#include "kernel/iommu/unit.h"
#include "kernel/lib/error.h"
#include "kernel/lib/log.h"
#include "kernel/mm/heap.h"
#include "kernel/pci/pci.h"
#include "kernel/pci/registers.h"

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
    return requester && !reserved_find(requester) ? requester : NULL;
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
            /* What a bridge passes on carries other ids than its own, or is that of what is below
             * it. */
            device->unserved |= !device->requesters[i]->unit && !pci_is_bridge(device);
        }
    }
    return 0;
}

/* ---- functions that no unit serves ---- */

/*
 * Functions of a chipset that are nothing but registers, of which a machine with many sockets has
 * hundreds, named by no scope. MSI-X tells an engine for DMA, which has the class of such a one,
 * and among other parts of the system messages of either kind do.
 */
#define OTHER_PARTS 0x0880
static bool is_registers_only(const struct pci_device *device)
{
    /* Base class and subclass: memory; host, ISA and other bridges; event collectors and other
     * parts of the system; SMBus; performance counters. */
    static const uint16_t classes[] = {0x0500, 0x0580,      0x0600, 0x0601, 0x0680,
                                       0x0807, OTHER_PARTS, 0x0c05, 0x1101};

    for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
        if (device->class_code >> 8 == classes[i])
            return !device->cap_msix && !(device->cap_msi && classes[i] == OTHER_PARTS);
    }
    return false;
}

static int check_unserved(const struct pci_device *device, struct refusal *why)
{
    const char *name = pci_name(device);
    bool masters = pci_read16(device, PCI_COMMAND) & PCI_COMMAND_MASTER;

    if (device->left)
        return refuse(why, -ENODEV,
                      "no IOMMU translates for device %s, which is to be left as it is", name);
    if (is_registers_only(device)) {
        if (masters)
            log_warn("no IOMMU translates for device %s, whose bus mastering cannot be switched "
                     "off; its class is of one that has registers alone",
                     name);
        return 0;
    }
    if (!device->unprotected &&
        !scope_unit_absent(device->segment, device->requesters[0]->physical))
        return refuse(
            why, -ENODEV,
            "no IOMMU translates for device %s (%04x:%04x): `unprotected = %s` starts all "
            "the same, with its bus mastering off",
            name, device->vendor, device->device, name);
    if (masters)
        return refuse(why, -ENODEV,
                      "no IOMMU translates for device %s, and its bus mastering cannot be switched "
                      "off",
                      name);
    log_warn("UNPROTECTED: no IOMMU translates for device %s: its bus mastering is off, which is "
             "all that keeps it from memory",
             name);
    return 0;
}

int requesters_check(struct refusal *why)
{
    const struct pci_device *device;
    struct refusal another;
    int error = 0;

    list_for_each_entry (device, pci_devices(), link) {
        if (device->unprotected && !device->unserved)
            log_warn("device %s is named as `unprotected`, which it is not", pci_name(device));
        if (!device->unserved || device->removed || device->physical ||
            !check_unserved(device, error ? &another : why))
            continue;
        if (error)
            log_error("%s", another.sentence);
        error = -ENODEV;
    }
    return error;
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

bool iommu_knows(const struct pci_device *device)
{
    pci_rid_t ids[PCI_IDS_MAX];
    size_t count = pci_requester_ids(device, ids);

    while (count--) {
        const struct requester *handle = device->requesters[count];

        if (!handle || handle->rid != ids[count])
            return false;
    }
    return true;
}

const char *iommu_withholds(const struct requester *requester)
{
    if (!requester->unit)
        return "no IOMMU translates for its device";
    if (requester->misreserved)
        return "the firmware reserved memory that cannot be for its device";
    return requester->regions ? "the firmware reserved memory for its device" : NULL;
}

struct iommu_unit *iommu_unit_of(const struct requester *requester)
{
    return requester->unit;
}

bool iommu_controls_snooping(struct requester *const *requesters, size_t count)
{
    while (count) {
        const struct iommu_unit *unit = requesters[--count]->unit;

        if (!unit || !unit->can.snoop_control)
            return false;
    }
    return true;
}

const char *iommu_requester_name(const struct requester *requester,
                                 char buffer[REQUESTER_NAME_SIZE])
{
    return pci_write_rid_name(requester->segment, requester->rid, buffer);
}
