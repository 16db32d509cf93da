/* SPDX-License-Identifier: BSD-2-Clause */
/* Unmap, which cannot fail half-way, and cut, which prepares what it needs first. */
#include "kernel/ioas/internal.h"
#include "kernel/lib/error.h"
#include "kernel/lib/panic.h"

#define LOOK_WORK 20 /* work (breathe_after()) of one area */

static int unmap(struct ioas *ioas, uint64_t iova, uint64_t last, uint64_t *unmapped,
                 enum thread_hears hears)
{
    struct ioas_area *first = area_of(itree_find(&ioas->areas, iova, last));
    uint64_t bytes = 0;

    ASSERT(mutex_held(ioas->lock));
    *unmapped = 0;
    if (!first)
        return -ENOENT;
    if (first->node.first < iova)
        return -EINVAL;
    for (struct ioas_area *area = first; area; area = area_next(area, last)) {
        if (area->node.last > last)
            return -EINVAL;
        bytes += area_length(area);
        if (breathe_hearing_after(LOOK_WORK, "looking at areas", hears))
            return -EINTR;
    }
    *unmapped = bytes;
    return areas_remove(first, last, hears);
}

int ioas_unmap(struct ioas *ioas, uint64_t iova, uint64_t last, uint64_t *unmapped)
{
    return unmap(ioas, iova, last, unmapped, HEARS_END);
}

int ioas_unmap_all(struct ioas *ioas, uint64_t *unmapped)
{
    int error = unmap(ioas, 0, UINT64_MAX, unmapped, HEARS_END);

    return error == -ENOENT ? 0 : error;
}

int ioas_unmap_deaf(struct ioas *ioas, uint64_t iova, uint64_t last)
{
    uint64_t unmapped;

    return unmap(ioas, iova, last, &unmapped, HEARS_NOTHING);
}

/* ---- cut ---- */

/*
 * Prepares the upper part of the area that holds both `iova` - 1 and `iova`; NULL if there is none.
 */
static int prepare_cut(struct ioas *ioas, uint64_t iova, struct ioas_area **part)
{
    struct ioas_area *area = area_of(itree_find(&ioas->areas, iova, iova));

    *part = NULL;
    if (!area || area->node.first == iova)
        return 0;
    if (!ioas->small_leaves || (iova & (ioas->alignment - 1)))
        return -EINVAL;
    *part = area_create(ioas, area->pages, area->offset + (iova - area->node.first),
                        area->node.last - iova + 1, area->permissions);
    return *part ? 0 : -ENOMEM;
}

static void finish_cut(struct ioas *ioas, uint64_t iova, struct ioas_area *part)
{
    struct ioas_area *area = area_of(itree_find(&ioas->areas, iova, iova));

    part->node.first = iova;
    part->node.last = area->node.last;
    area->node.last = iova - 1;
    itree_insert(&ioas->areas, &part->node);
    /* The memory is pinned already if it has to be, and mapped where it is. */
    if (populated(ioas))
        part->pages->users++;
}

int ioas_cut(struct ioas *ioas, uint64_t iova, uint64_t last)
{
    struct ioas_area *low, *high = NULL;
    int error;

    ASSERT(mutex_held(ioas->lock));
    error = prepare_cut(ioas, iova, &low);
    if (error)
        return error;
    if (last != UINT64_MAX)
        error = prepare_cut(ioas, last + 1, &high);
    if (error) {
        if (low)
            area_destroy(low);
        return error;
    }
    if (high)
        finish_cut(ioas, last + 1, high);
    if (low)
        finish_cut(ioas, iova, low);
    return 0;
}
