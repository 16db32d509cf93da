/* SPDX-License-Identifier: BSD-2-Clause */
/* Requester ids: what is known of each, and which domain its DMA goes through. */
#ifndef KERNEL_IOMMU_REQUESTER_H
#define KERNEL_IOMMU_REQUESTER_H

#include "kernel/lib/list.h"
#include "kernel/lib/refusal.h"
#include "kernel/lib/types.h"

struct iommu_domain;
struct iommu_unit;
struct pci_device;

/* A requester id that some function may send with, or that a unit had to be told of. */
struct requester {
    struct list link;        /* in iommu_requesters */
    struct list domain_link; /* in the list of its domain */
    struct iommu_unit *unit; /* NULL: none translates for it */
    uint16_t segment;
    uint16_t rid;
    uint16_t physical;               /* of a virtual function: its physical one's id; else rid */
    bool *regions;                   /* reserved memory: by region (reserved.h); NULL: none */
    bool relaxable;                  /* firmware needs them only until a driver is there */
    bool misreserved;                /* the firmware reserved what cannot be */
    struct iommu_domain *domain;     /* what its context entry names; NULL: nothing */
    struct iommu_domain *quarantine; /* holds its reserved memory; NULL: it has none */
    bool ats;                        /* its device TLB is on */
    uint8_t ats_depth;               /* invalidations its device TLB queues */
    bool ats_distrusted;             /* its device TLB failed to answer: never again */
    bool cut;                        /* refused in whatever domain it is */
    bool silenced;                   /* its faults are not recorded any more */
};

/* ---- requester.c ---- */

/*
 * Gives every function the handles of its requester ids, and each id its unit and its reserved
 * memory: device scopes are read here and not again. All units are known by then. -ENOMEM.
 */
int requesters_find(void);
/*
 * Is every function that can reach memory by itself served by a unit, or known not to be: by the
 * operator (`unprotected`), or because its unit is not there? -ENODEV with a sentence.
 */
int requesters_check(struct refusal *why);
/* For an id that a unit has seen, whoever sent it: finds or creates. NULL when out of memory. */
struct requester *requester_get(struct iommu_unit *unit, uint16_t rid);

/* ---- attach.c ---- */

/*
 * Bus mastering on again for devices with reserved memory, which firmware uses at all times: off it
 * was while nothing translated. Those that decode nothing were not in use.
 */
void requesters_resume(void);
/* Gives each requester with reserved memory a quarantine domain and attaches it. -ENOMEM, ... */
int requester_quarantine_all(struct iommu_unit *unit);

#endif
