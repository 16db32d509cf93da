/* SPDX-License-Identifier: BSD-2-Clause */
/* What a DMAR table lists, as much as there is. */
#include "kernel/machine/acpi/dmar.h"
#include "kernel/mm/grow.h"

#define ADD(element, list, number)                                                                 \
    int dmar_add_##element(struct dmar_info *info, const struct dmar_##element *item)              \
    {                                                                                              \
        return kappend(&info->list, &info->number, item, sizeof(*item));                           \
    }
ADD(unit, units, unit_count)
ADD(region, regions, region_count)
ADD(port, ports, port_count)
ADD(scope, scopes, scope_count)
