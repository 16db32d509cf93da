/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/iommu/names.h"

#include "kernel/lib/format.h"
#include "kernel/pci/pci.h"

const char *const iommu_leaf_names[PT_LEAF_MAX + 1] = {"", "4K", "2M", "1G"};

const char *const iommu_kind_names[INVALIDATED_KINDS] = {
    [INVALIDATED_CONTEXT] = "context",       [INVALIDATED_GLOBAL] = "iotlb-global",
    [INVALIDATED_DOMAIN] = "iotlb-domain",   [INVALIDATED_PAGES] = "iotlb-pages",
    [INVALIDATED_DEVICE_TLB] = "device-tlb", [INVALIDATED_ENTRIES] = "interrupt-entries",
};

const char *iommu_rid_text(uint16_t segment, uint16_t rid, char buffer[RID_TEXT_SIZE])
{
    format(buffer, RID_TEXT_SIZE, "%04x:%02x:%02x.%x", segment, PCI_BUS(rid), PCI_DEVICE(rid),
           PCI_FUNCTION(rid));
    return buffer;
}

const char *iommu_permission_text(unsigned permissions)
{
    static const char *const words[] = {"--", "r-", "-w", "rw"};

    return words[permissions & 3];
}
