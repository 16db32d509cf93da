/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Device TLBs: PCIe address translation services (PCIe base specification, chapter 10). Off unless
 * the operator asks: a device with a TLB is trusted to send the translated addresses it was given.
 */
#include "kernel/iommu/ats.h"

#include "kernel/iommu/context.h"
#include "kernel/iommu/domain.h"
#include "kernel/iommu/requester.h"
#include "kernel/iommu/scope.h"
#include "kernel/iommu/unit.h"
#include "kernel/pci/pci.h"
#include "kernel/pci/registers.h"

/* Does the DMAR table allow a device TLB here? ATSR names root ports, SATC names devices. */
static bool platform_allows(const struct requester *requester, const struct pci_device *device)
{
    const struct dmar_info *dmar = iommu_dmar;
    const struct pci_device *port = device;

    while (port->bridge)
        port = port->bridge;
    for (size_t i = 0; i < dmar->port_count; i++) {
        const struct dmar_port *allowed = &dmar->ports[i];
        uint16_t rid = allowed->integrated ? requester->physical : port->rid;

        if (allowed->segment != device->segment)
            continue;
        if (!allowed->integrated && allowed->all_ports && port != device)
            return true;
        if (scope_list_contains(dmar, allowed->scopes, device->segment, rid))
            return true;
    }
    return false;
}

bool ats_allowed(const struct requester *requester, uint8_t *depth)
{
    const struct pci_device *device;

    if (!iommu_options()->ats || !requester->unit->can.device_tlb || requester->ats_distrusted)
        return false;
    device = pci_find(requester->segment, requester->rid);
    if (!device || !device->cap_ats || device->left || !platform_allows(requester, device))
        return false;
    *depth = device->ats_depth;
    return true;
}

/* A function in reset does not answer, and its TLB is empty when ATS comes back on. */
bool ats_holds(const struct requester *requester)
{
    const struct pci_device *device;

    if (!requester->ats)
        return false;
    device = pci_find(requester->segment, requester->rid);
    return !device || !device->in_reset;
}

void ats_enable(const struct requester *requester, bool on)
{
    struct pci_device *device = pci_find(requester->segment, requester->rid);

    if (!device || !device->cap_ats)
        return;
    if (!on)
        pci_write16(device, device->cap_ats + PCI_ATS_CONTROL, 0);
    device->ats = on;
    for (const struct pci_device *port = device->bridge; port; port = port->bridge)
        pci_update_translated(port);
    if (on)
        pci_write16(device, device->cap_ats + PCI_ATS_CONTROL, PCI_ATS_ENABLE);
}

void ats_distrust(struct iommu_unit *unit)
{
    struct requester *requester;

    list_for_each_entry (requester, &iommu_requesters, link) {
        if (requester->unit != unit || !requester->ats)
            continue;
        pci_stop_senders(unit->segment, requester->rid);
        ats_enable(requester, false);
        context_refuse_translated(requester);
        requester->ats = false;
        requester->ats_distrusted = true;
        requester->domain->with_ats--;
    }
}
