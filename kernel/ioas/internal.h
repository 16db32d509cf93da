/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of this folder share; nobody else includes it. */
#ifndef KERNEL_IOAS_INTERNAL_H
#define KERNEL_IOAS_INTERNAL_H

#include "kernel/cpu/mutex.h"
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
    struct mutex *lock; /* the owner's */
    struct itree areas;
    struct ioas_account *account;
    struct list domains;        /* struct ioas_domain; areas are pinned while there is one */
    struct list reserved;       /* struct ioas_reserved */
    struct ioas_range *allowed; /* sorted */
    size_t allowed_count;
    struct ioas_range recent; /* a usable range: where the last area was put */
    uint64_t hint;            /* where the search for a free IOVA starts */
    uint64_t alignment;
    bool small_leaves;
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

static inline bool populated(const struct ioas *ioas)
{
    return !list_empty(&ioas->domains);
}

/* ---- piece.c: out of page tables, a piece at a time ---- */

/* Work of breathe_after(): areas of a piece, and what one of them costs beside its memory. */
#define PIECE_AREAS 128u
#define AREA_WORK   500

/*
 * Where the piece ends that begins with `first`: some areas that are short together, or one. Ends
 * at `last` or below; *next is the area behind it, NULL if that starts above `last`.
 */
struct ioas_area *piece_end(struct ioas_area *first, uint64_t last, struct ioas_area **next);
/* Takes the areas of one piece out of one page table. -EIO as areas_unmap_domain(), not told. */
int piece_unmap(struct ioas_area *first, struct ioas_area *end, struct iommu_domain *domain);
/* Says that an invalidation of this range of IOVAs was not confirmed. */
void piece_tell_stranded(uint64_t first, uint64_t last);
/*
 * Takes `first` and the areas after it, as far as they start at `last` or below, out of one page
 * table. `first` may be NULL. -EIO: as ioas_unmap(); the pages are marked stuck then.
 */
int areas_unmap_domain(struct ioas_area *first, uint64_t last, struct iommu_domain *domain);
/* Takes an area, whose device memory is being revoked, out of all page tables. */
void area_revoked(struct ioas_area *area);

/* ---- area.c: areas and page tables ---- */

/*
 * Fills in an area of `length` bytes at `iova` over a part of the pages, not in the tree yet. It is
 * one reference to the pages.
 */
static inline void area_init(struct ioas_area *area, struct ioas *ioas, struct ioas_pages *pages,
                             uint64_t iova, uint64_t offset, uint64_t length, unsigned permissions)
{
    area->node.first = iova;
    area->node.last = iova + (length - 1);
    area->ioas = ioas;
    area->pages = pages;
    area->offset = offset;
    area->permissions = permissions;
    list_push_back(&pages->areas, &area->link);
}
/* Another area over pages that have one, at IOVA 0 for now. NULL when out of memory. */
struct ioas_area *area_create(struct ioas *ioas, struct ioas_pages *pages, uint64_t offset,
                              uint64_t length, unsigned permissions);
/* Gives up an area that is not in the tree, and its reference. */
void area_destroy(struct ioas_area *area);

/* Maps an area into one page table. On failure nothing is left mapped. */
int area_map_domain(struct ioas_area *area, struct iommu_domain *domain);
/*
 * Puts an area where its range says: into the tree and, if there are page tables, pinned into all
 * of them. -EEXIST, or errors of the memory as ioas_map(); nothing is changed then.
 */
int area_install(struct ioas_area *area);
/*
 * Takes out again `first` and the areas after it, as far as they start at `last` or below, piece by
 * piece with one invalidation of each page table for a piece, and destroys them.
 * -EIO: as ioas_unmap(). -EINTR: not all of them, as far as `hears` allows that.
 */
int areas_remove(struct ioas_area *first, uint64_t last, enum thread_hears hears);

/* ---- range.c: where areas may lie ---- */

bool range_usable_slowly(struct ioas *ioas, uint64_t first, uint64_t last);
/* Is [first, last] wholly inside a usable range? */
static inline bool range_usable(struct ioas *ioas, uint64_t first, uint64_t last)
{
    if (ioas->recent.first <= first && last <= ioas->recent.last)
        return true;
    return range_usable_slowly(ioas, first, last);
}
/*
 * Chooses a free IOVA for `length` bytes, aligned to the lowest set bit of the length, and such
 * that the large blocks of `run`, which lies at byte `at` of the request, can be large leaves.
 * -ENOSPC, -EINTR. Costs O(n log n) in areas and allowed ranges.
 */
int range_choose(struct ioas *ioas, uint64_t length, struct phys_run run, uint64_t at,
                 uint64_t *iova);

#endif
