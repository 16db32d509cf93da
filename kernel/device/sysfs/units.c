/* SPDX-License-Identifier: BSD-2-Clause */
/* /sys/class/iommu: a folder for each remapping unit, whose context it is. */
#include "kernel/device/sysfs/sysfs.h"

#include "kernel/file/tree.h"
#include "kernel/iommu/unit.h"

TREE_SHOW(show_address, struct iommu_unit, "%lx", it->described->registers)
TREE_SHOW(show_cap, struct iommu_unit, "%lx", it->cap)
TREE_SHOW(show_ecap, struct iommu_unit, "%lx", it->ecap)
TREE_SHOW(show_version, struct iommu_unit, "%u:%u", it->version >> 4 & 15, it->version & 15)
TREE_SHOW(show_domains, struct iommu_unit, "%u", it->can.domains)

static const struct tree_text unit_files[] = {
    TREE_READ("address", show_address), TREE_READ("cap", show_cap), TREE_READ("ecap", show_ecap),
    TREE_READ("version", show_version), TREE_READ("domains_supported", show_domains)};

int sysfs_add_units(void)
{
    struct iommu_unit *unit;
    int error = 0;

    list_for_each_entry (unit, &iommu_units, link)
        if (!error)
            error = tree_add_texts(format_short("/sys/class/iommu/dmar%u/intel-iommu", unit->index),
                                   unit_files, ARRAY_SIZE(unit_files), unit);
    return error;
}
