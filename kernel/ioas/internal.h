/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of this folder share; nobody else includes it. */
#ifndef KERNEL_IOAS_INTERNAL_H
#define KERNEL_IOAS_INTERNAL_H

#include "kernel/ioas/ioas.h"
#include "kernel/ioas/pages.h"
#include "kernel/lib/itree.h"
#include "kernel/lib/list.h"

/* An attached page table. */
struct ioas_domain {
    struct list link;
    struct iommu_domain *domain;
};

/* A range that may not be used, on behalf of somebody. */
struct ioas_reserved {
    struct list link; /* sorted by first */
    struct ioas_range range;
    const void *owner;
};

struct ioas {
    struct itree areas;
    struct ioas_account *account;
    struct list domains;        /* struct ioas_domain; areas are pinned while there is one */
    struct list reserved;       /* struct ioas_reserved */
    struct ioas_range *allowed; /* sorted */
    size_t allowed_count;
    uint64_t hint; /* where the search for a free IOVA starts */
    uint64_t alignment;
    bool small_leaves;
};

struct ioas_area {
    struct itree_node node; /* IOVA range */
    struct ioas *ioas;
    struct ioas_pages *pages;
    struct list link; /* in pages->areas */
    uint64_t offset;  /* byte of the pages that is mapped first */
    unsigned permissions;
};

static inline struct ioas_area *area_of(struct itree_node *node)
{
    return node ? container_of(node, struct ioas_area, node) : NULL;
}

/* The next area that starts at `last` or below. */
static inline struct ioas_area *area_next(const struct ioas_area *area, uint64_t last)
{
    struct itree_node *node = area->node.last >= last ? NULL : itree_next(&area->node);

    return node && node->first <= last ? area_of(node) : NULL;
}

static inline uint64_t area_length(const struct ioas_area *area)
{
    return area->node.last - area->node.first + 1;
}

static inline struct ioas_area *area_first(const struct ioas *ioas)
{
    return area_of(itree_first(&ioas->areas));
}

#define ioas_for_each_area(area, ioas)                                                             \
    for (area = area_first(ioas); area; area = area_next(area, UINT64_MAX))

/* ---- area.c: areas and page tables ---------------------------------------------------------- */

/*
 * An area of `length` bytes over a part of the pages, not in the tree yet: its node starts at 0.
 * Takes over a reference. NULL when out of memory.
 */
struct ioas_area *area_create(struct ioas *ioas, struct ioas_pages *pages, uint64_t offset,
                              uint64_t length, unsigned permissions);
void area_destroy(struct ioas_area *area);
/* Maps an area into one page table, or into all of them. On failure nothing is left mapped. */
int area_map_domain(struct ioas_area *area, struct iommu_domain *domain);
int area_map(struct ioas_area *area);
/*
 * Takes `start` and the areas after it, as far as they start at `last` or below, out of one page
 * table or out of all, with one invalidation each. `start` may be NULL.
 * -EIO: as ioas_unmap(); the pages are marked stuck then.
 */
int areas_unmap_domain(struct ioas_area *start, uint64_t last, struct iommu_domain *domain);
int areas_unmap(struct ioas_area *start, uint64_t last);

/* ---- range.c: where areas may lie ----------------------------------------------------------- */

/* Is [first, last] wholly inside a usable range? */
bool range_usable(const struct ioas *ioas, uint64_t first, uint64_t last);
/*
 * Chooses a free IOVA for `length` bytes, aligned to the lowest set bit of the length, and such
 * that the large blocks of `run`, which lies at byte `at` of the request, can be large leaves.
 */
int range_choose(struct ioas *ioas, uint64_t length, struct phys_run run, uint64_t at,
                 uint64_t *iova);

#endif
