/* SPDX-License-Identifier: BSD-2-Clause */
/* What domains were, beside what they are: for the report, also of those that are gone. */
#ifndef KERNEL_IOMMU_HISTORY_H
#define KERNEL_IOMMU_HISTORY_H

#include "kernel/table/page_table.h"
#include "kernel/lib/types.h"

struct iommu_domain;
struct iommu_unit;

/* Domains that are gone and still told of. */
#define HISTORY_PAST 32u

#define DOMAIN_IDS_KEPT 8u

/* Different requester ids, as many as fit; others are only counted, each time they come. */
struct requester_ids {
    uint16_t ids[DOMAIN_IDS_KEPT];
    unsigned count;
    uint64_t left_out;
};

static inline void requester_ids_add(struct requester_ids *list, uint16_t rid)
{
    for (unsigned i = 0; i < list->count; i++) {
        if (list->ids[i] == rid)
            return;
    }
    if (list->count < DOMAIN_IDS_KEPT)
        list->ids[list->count++] = rid;
    else
        list->left_out++;
}

/* Kept in the domain. */
struct domain_history {
    uint64_t created_ns;
    struct requester_ids attached; /* at any time */
    uint64_t peak_bytes;           /* the most that was mapped at once, */
    uint64_t peak_leaves[PT_LEAF_MAX + 1];
};

/*
 * Is this more than was ever mapped? Asked before the tables change shape and when somebody wants
 * to know, not for every page: what single pages in one table add and lose again in between goes
 * unseen, which is less than 2 MiB.
 */
static inline void domain_note_peak(struct domain_history *history, const struct page_table *table)
{
    const uint64_t *leaves = table->leaves;
    uint64_t bytes = leaves[1] * pt_span(1) + leaves[2] * pt_span(2) + leaves[3] * pt_span(3);

    if (bytes <= history->peak_bytes)
        return;
    history->peak_bytes = bytes;
    for (unsigned level = 1; level <= PT_LEAF_MAX; level++)
        history->peak_leaves[level] = leaves[level];
}

/* The figures of a domain, without its mappings. */
struct domain_figures {
    const struct iommu_unit *unit;
    uint16_t id;
    bool quarantine;
    uint64_t destroyed_ns; /* 0: it exists */
    uint64_t maps;
    uint64_t unmaps;
    uint64_t leaves_made[PT_LEAF_MAX + 1];
    struct domain_history history;
};

/* The figures of a domain as it is now. */
struct domain_figures domain_figures(const struct iommu_domain *domain);

/*
 * Held by who looks at domains and lets others in meanwhile: none of them ends before
 * history_release(). -EINTR.
 */
int history_hold(void);
void history_release(void);

/* Forgets the domains that are gone. */
void history_reset(void);
/* Keeps the figures of a domain that is about to go, once nobody holds the domains. */
void history_domain_ends(const struct iommu_domain *domain);
/* Calls back for the domains that are gone, oldest first. Returns how many there were before. */
uint64_t history_past(void (*domain)(void *context, const struct domain_figures *figures),
                      void *context);

#endif
