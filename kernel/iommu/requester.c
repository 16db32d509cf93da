/* SPDX-License-Identifier: BSD-2-Clause */
/* The record of requester ids. */
#include "kernel/iommu/requester.h"

#include "kernel/iommu/context.h"
#include "kernel/iommu/unit.h"
#include "kernel/mm/heap.h"

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
    if (context_make_room(unit, rid))
        return NULL;
    requester = kzalloc(sizeof(*requester));
    if (!requester)
        return NULL;
    requester->unit = unit;
    requester->rid = rid;
    list_push_back(&unit->requesters, &requester->link);
    return requester;
}
