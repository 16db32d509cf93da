/* SPDX-License-Identifier: BSD-2-Clause */
/* Takes areas out of page tables, a piece at a time: their translations, then the invalidation. */
#include "kernel/cpu/thread.h"
#include "kernel/ioas/internal.h"
#include "kernel/lib/error.h"
#include "kernel/lib/log.h"

/*
 * Work of one piece: so much IOVA space, which may be that of 512 page tables to be cleared, and so
 * many areas. A leaf never crosses the end of a piece.
 */
#define PIECE_LENGTH SIZE_1G
#define PIECE_WORK   350000
#define LOOK_WORK    20

static bool is_short(const struct ioas_area *area)
{
    return (area->node.first ^ area->node.last) < PIECE_LENGTH;
}

struct ioas_area *piece_end(struct ioas_area *first, uint64_t last, struct ioas_area **next)
{
    struct ioas_area *end = first;
    uint64_t length = area_length(first);
    unsigned count = 1;

    *next = area_next(first, last);
    while (*next && count++ < PIECE_AREAS && (length += area_length(*next)) <= PIECE_LENGTH) {
        end = *next;
        *next = area_next(end, last);
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
    const uint64_t last = end->node.last;
    struct iommu_gather gather;

    iommu_gather_init(&gather, domain);
    for (; first; first = area_next(first, last))
        iommu_unmap(domain, first->node.first, area_length(first), &gather);
    return iommu_sync(&gather);
}

/* Nobody may reuse memory that a unit may still translate to. */
static RARE int strand_pages(struct ioas_area *first, struct ioas_area *end)
{
    const uint64_t last = end->node.last;

    for (; first; first = area_next(first, last))
        first->pages->stuck = true;
    return -EIO;
}

int piece_unmap(struct ioas_area *first, struct ioas_area *end, struct iommu_domain *domain)
{
    int error;

    if (first != end)
        error = unmap_areas(first, end, domain);
    else if (is_short(first))
        error = iommu_unmap_now(domain, first->node.first, area_length(first));
    else
        error = unmap_long(first, domain);
    return error ? strand_pages(first, end) : 0;
}

void piece_tell_stranded(uint64_t first, uint64_t last)
{
    log_error("ioas: the IOMMU did not confirm that iova 0x%lx-0x%lx is unmapped: the memory "
              "stays pinned for ever",
              first, last);
}

int areas_unmap_domain(struct ioas_area *first, uint64_t last, struct iommu_domain *domain)
{
    uint64_t start = first ? first->node.first : 0, stop = start;
    struct ioas_area *end, *next;
    int error = 0;

    for (; first; first = next) {
        end = piece_end(first, last, &next);
        error |= piece_unmap(first, end, domain);
        stop = end->node.last;
        breathe_deaf_after(PIECE_AREAS * AREA_WORK, "unmapping iova");
    }
    if (error)
        piece_tell_stranded(start, stop);
    return error;
}

void area_revoked(struct ioas_area *area)
{
    struct ioas_domain *at;

    list_for_each_entry (at, &area->ioas->domains, link)
        areas_unmap_domain(area, area->node.last, at->domain);
}
