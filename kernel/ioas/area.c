/* SPDX-License-Identifier: BSD-2-Clause */
/* Areas in page tables. Translations go first, then the invalidation, and pins only after it. */
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

/* Nobody may reuse memory that a unit may still translate to. */
static __attribute__((noinline, cold)) int strand(struct ioas_area *first, uint64_t last)
{
    struct ioas_area *area;
    uint64_t end = 0;

    for (area = first; area; area = area_next(area, last)) {
        area->pages->stuck = true;
        end = area->node.last;
    }
    log_error("ioas: the IOMMU did not confirm that iova 0x%llx-0x%llx is unmapped: the memory "
              "stays pinned for ever",
              (unsigned long long)first->node.first, (unsigned long long)end);
    return -EIO;
}

/* Several areas share one invalidation. */
static APART int unmap_areas(struct ioas_area *first, uint64_t last, struct iommu_domain *domain)
{
    struct ioas_area *area;
    struct iommu_gather gather;

    iommu_gather_init(&gather, domain);
    for (area = first; area; area = area_next(area, last))
        iommu_unmap(domain, area->node.first, area_length(area), &gather);
    return iommu_sync(&gather);
}

static inline int unmap_domain(struct ioas_area *first, uint64_t last, struct iommu_domain *domain)
{
    int error;

    if (first->node.last >= last)
        error = iommu_unmap_now(domain, first->node.first, area_length(first));
    else
        error = unmap_areas(first, last, domain);
    return error ? strand(first, last) : 0;
}

int areas_unmap_domain(struct ioas_area *first, uint64_t last, struct iommu_domain *domain)
{
    return first ? unmap_domain(first, last, domain) : 0;
}

void area_revoked(struct ioas_area *area)
{
    struct ioas_domain *at;

    list_for_each_entry (at, &area->ioas->domains, link)
        unmap_domain(area, area->node.last, at->domain);
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
    struct ioas_domain *at, *undo;
    int error;

    list_for_each_entry (at, &area->ioas->domains, link) {
        error = area_map_domain(area, at->domain);
        if (error)
            goto unmap;
    }
    return 0;

unmap:
    list_for_each_entry (undo, &area->ioas->domains, link) {
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

int areas_remove(struct ioas_area *first, uint64_t last)
{
    struct ioas *ioas = first->ioas;
    bool pinned = populated(ioas);
    struct ioas_area *next;
    struct ioas_domain *at;
    int error = 0;

    list_for_each_entry (at, &ioas->domains, link)
        error |= unmap_domain(first, last, at->domain);
    do {
        next = area_next(first, last);
        itree_remove(&ioas->areas, &first->node);
        if (pinned)
            pages_unpin(first->pages);
        area_destroy(first);
        first = next;
    } while (first);
    return error;
}
