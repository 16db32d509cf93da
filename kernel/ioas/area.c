/* SPDX-License-Identifier: BSD-2-Clause */
/* Areas, and their way into page tables and out: piece.c takes translations out, pins go after. */
#include "kernel/cpu/thread.h"
#include "kernel/ioas/internal.h"
#include "kernel/lib/error.h"
#include "kernel/mm/heap.h"

struct ioas_area *area_create(struct ioas *ioas, struct ioas_pages *pages, uint64_t offset,
                              uint64_t length, unsigned permissions)
{
    struct ioas_area *area = kmalloc(sizeof(*area));

    if (!area)
        return NULL;
    area_init(area, ioas, pages, 0, offset, length, permissions);
    pages->references++;
    return area;
}

void area_destroy(struct ioas_area *area)
{
    struct ioas_pages *pages = area->pages;

    list_remove(&area->link);
    if (area != &pages->own)
        kfree(area);
    pages_put(pages);
}

/* ---- in page tables ---- */

int area_map_domain(struct ioas_area *area, struct iommu_domain *domain)
{
    unsigned flags = area->ioas->small_leaves ? IOMMU_SMALL_LEAVES : 0;
    int error = pages_map(area->pages, domain, area->node.first, area->offset, area_length(area),
                          area->permissions, flags);

    /* A part may be mapped, and a device may have used it already. */
    if (error)
        areas_unmap_domain(area, area->node.last, domain);
    return error;
}

/* ---- in and out ---- */

static int map_everywhere(struct ioas_area *area)
{
    struct list *domains = &area->ioas->domains;
    struct ioas_domain *at, *undo;
    int error = 0;

    list_for_each_entry (at, domains, link) {
        if (at->link.prev != domains)
            error = breathe_after(AREA_WORK, "mapping iova");
        if (!error)
            error = area_map_domain(area, at->domain);
        if (error)
            goto unmap;
    }
    return 0;

unmap:
    list_for_each_entry (undo, domains, link) {
        if (undo == at)
            break;
        areas_unmap_domain(area, area->node.last, undo->domain);
    }
    return error;
}

/* Inline, because the call would be a tenth of what it does for a page. */
ALWAYS_INLINE int area_install(struct ioas_area *area)
{
    struct ioas *ioas = area->ioas;
    int error;

    if (!itree_insert(&ioas->areas, &area->node))
        return -EEXIST;
    if (!populated(ioas))
        return 0;
    error = pages_pin(area->pages);
    if (error)
        goto remove;
    error = map_everywhere(area);
    if (!error)
        return 0;
    pages_unpin(area->pages);
remove:
    itree_remove(&ioas->areas, &area->node);
    return error;
}

/* From all page tables; the pieces of more than one are breathed between. */
static int unmap_everywhere(struct ioas *ioas, struct ioas_area *first, struct ioas_area *end)
{
    struct ioas_domain *at;
    int error = 0;

    list_for_each_entry (at, &ioas->domains, link) {
        error |= piece_unmap(first, end, at->domain);
        if (at->link.next != &ioas->domains)
            breathe_deaf_after(AREA_WORK, "unmapping iova");
    }
    return error;
}

/* Gives up the areas of a piece, which no page table translates any more. */
static void destroy_piece(struct ioas *ioas, struct ioas_area *first, struct ioas_area *end)
{
    struct ioas_area *area, *next;

    for (area = first; area; area = next) {
        next = area == end ? NULL : area_next(area, UINT64_MAX);
        itree_remove(&ioas->areas, &area->node);
        if (populated(ioas))
            pages_unpin(area->pages);
        area_destroy(area);
    }
}

int areas_remove(struct ioas_area *first, uint64_t last, enum thread_hears hears)
{
    struct ioas *ioas = first->ioas;
    uint64_t start = first->node.first, stop;
    struct ioas_area *end, *next;
    int error = 0, ended = 0;

    do {
        end = piece_end(first, last, &next);
        stop = end->node.last;
        error |= unmap_everywhere(ioas, first, end);
        destroy_piece(ioas, first, end);
        first = next;
        if (first)
            ended = breathe_hearing_after(PIECE_AREAS * AREA_WORK, "unmapping iova", hears);
    } while (first && !ended);
    if (error)
        piece_tell_stranded(start, stop);
    return error ? error : ended;
}
