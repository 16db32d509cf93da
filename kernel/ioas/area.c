/* SPDX-License-Identifier: BSD-2-Clause */
/* Areas in page tables. Translations go first, then the invalidation, and pins only after it. */
#include "kernel/cpu/thread.h"
#include "kernel/ioas/internal.h"
#include "kernel/lib/error.h"
#include "kernel/lib/log.h"
#include "kernel/mm/heap.h"

struct ioas_area *area_create(struct ioas *ioas, struct ioas_pages *pages, uint64_t offset,
                              uint64_t length, unsigned permissions)
{
    struct ioas_area *area = kmalloc(sizeof(*area));

    if (!area)
        return NULL;
    area_init(area, ioas, pages, offset, length, permissions);
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

/* ---- In page tables ------------------------------------------------------------------------- */

/*
 * Work of one piece: so much IOVA space, which may be that of 512 page tables to be cleared, and so
 * many areas. A leaf never crosses the end of a piece.
 */
#define PIECE_LENGTH SIZE_1G
#define PIECE_AREAS  128u
#define PIECE_WORK   350000
#define AREA_WORK    500
#define LOOK_WORK    20

static bool is_short(const struct ioas_area *area)
{
    return (area->node.first ^ area->node.last) < PIECE_LENGTH;
}

/*
 * Where the piece ends that begins with `first`: some areas that are short together, or one. Ends
 * at `last` or below.
 */
static struct ioas_area *piece_end(struct ioas_area *first, uint64_t last)
{
    uint64_t length = area_length(first);
    struct ioas_area *end = first, *next;

    for (unsigned count = 1; count < PIECE_AREAS; count++) {
        next = area_next(end, last);
        if (!next)
            break;
        length += area_length(next);
        if (length > PIECE_LENGTH)
            break;
        end = next;
    }
    return end;
}

/* One area of any length, a piece of its range at a time. */
static APART int unmap_long(struct ioas_area *area, struct iommu_domain *domain)
{
    uint64_t first = area->node.first, last;
    int error = 0;

    do {
        last = MIN(area->node.last, first | (PIECE_LENGTH - 1));
        error |= iommu_unmap_now(domain, first, last - first + 1);
        breathe_deaf_after(PIECE_WORK, "unmapping iova");
        first = last + 1;
    } while (last != area->node.last);
    return error;
}

/* Several areas share one invalidation. */
static APART int unmap_areas(struct ioas_area *first, struct ioas_area *end,
                             struct iommu_domain *domain)
{
    struct iommu_gather gather;

    iommu_gather_init(&gather, domain);
    for (; first != end; first = area_next(first, UINT64_MAX))
        iommu_unmap(domain, first->node.first, area_length(first), &gather);
    iommu_unmap(domain, end->node.first, area_length(end), &gather);
    return iommu_sync(&gather);
}

/* Nobody may reuse memory that a unit may still translate to. */
static __attribute__((noinline, cold)) int strand(struct ioas_area *first, struct ioas_area *end)
{
    for (; first != end; first = area_next(first, UINT64_MAX))
        first->pages->stuck = true;
    end->pages->stuck = true;
    return -EIO;
}

static int unmap_piece(struct ioas_area *first, struct ioas_area *end, struct iommu_domain *domain)
{
    int error;

    if (first != end)
        error = unmap_areas(first, end, domain);
    else if (is_short(first))
        error = iommu_unmap_now(domain, first->node.first, area_length(first));
    else
        error = unmap_long(first, domain);
    return error ? strand(first, end) : 0;
}

static __attribute__((noinline, cold)) void tell_stranded(uint64_t first, uint64_t last)
{
    log_error("ioas: the IOMMU did not confirm that iova 0x%llx-0x%llx is unmapped: the memory "
              "stays pinned for ever",
              (unsigned long long)first, (unsigned long long)last);
}

int areas_unmap_domain(struct ioas_area *first, uint64_t last, struct iommu_domain *domain)
{
    uint64_t start = first ? first->node.first : 0, stop = start;
    int error = 0;

    while (first) {
        struct ioas_area *end = piece_end(first, last);

        error |= unmap_piece(first, end, domain);
        stop = end->node.last;
        breathe_deaf_after(PIECE_AREAS * AREA_WORK, "unmapping iova");
        first = area_next(end, last);
    }
    if (error)
        tell_stranded(start, stop);
    return error;
}

void area_revoked(struct ioas_area *area)
{
    struct ioas_domain *at;

    list_for_each_entry (at, &area->ioas->domains, link)
        areas_unmap_domain(area, area->node.last, at->domain);
}

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

/* ---- In and out ----------------------------------------------------------------------------- */

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

int area_install(struct ioas_area *area)
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
        error |= unmap_piece(first, end, at->domain);
        if (at->link.next != &ioas->domains)
            breathe_deaf_after(AREA_WORK, "unmapping iova");
    }
    return error;
}

/* Gives up the areas of a piece, which no page table translates any more. */
static void destroy_piece(struct ioas *ioas, struct ioas_area *first, struct ioas_area *end)
{
    bool pinned = populated(ioas);
    struct ioas_area *area, *next;

    for (area = first; area; area = next) {
        next = area == end ? NULL : area_next(area, UINT64_MAX);
        itree_remove(&ioas->areas, &area->node);
        if (pinned)
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
        end = piece_end(first, last);
        next = area_next(end, last);
        stop = end->node.last;
        error |= unmap_everywhere(ioas, first, end);
        destroy_piece(ioas, first, end);
        first = next;
        if (first)
            ended = breathe_hearing_after(PIECE_AREAS * AREA_WORK, "unmapping iova", hears);
    } while (first && !ended);
    if (error)
        tell_stranded(start, stop);
    return error ? error : ended;
}
