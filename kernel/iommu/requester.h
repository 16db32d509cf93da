/* SPDX-License-Identifier: BSD-2-Clause */
/* Requester ids: what is known of each, and which domain its DMA goes through. */
#ifndef KERNEL_IOMMU_REQUESTER_H
#define KERNEL_IOMMU_REQUESTER_H

#include "kernel/lib/list.h"
#include "kernel/lib/types.h"

struct iommu_domain;
struct iommu_unit;

/* A requester id that the unit has a context entry for, or reserved memory. */
struct requester {
    struct list link;
    struct iommu_unit *unit;
    uint16_t rid;
    struct iommu_domain *domain;     /* what its context entry names; NULL: nothing */
    struct iommu_domain *quarantine; /* holds its reserved memory; NULL: it has none */
    bool ats;                        /* its device TLB is on */
    uint8_t ats_depth;               /* invalidations its device TLB queues */
    bool ats_distrusted;             /* its device TLB failed to answer: never again */
    bool silenced;                   /* its faults are not recorded any more */
};

/* ---- requester.c ---- */

/* NULL: there is no record of it. */
struct requester *requester_find(struct iommu_unit *unit, uint16_t rid);
/* Finds or creates, with the context table that its entry will be in. NULL when out of memory. */
struct requester *requester_get(struct iommu_unit *unit, uint16_t rid);

/* ---- attach.c ---- */

/* Gives each requester with reserved memory a quarantine domain and attaches it. -ENOMEM, ... */
int requester_quarantine_all(struct iommu_unit *unit);

#endif
