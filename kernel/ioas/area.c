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
    area->node.first = 0;
    area->node.last = length - 1;
    area->ioas = ioas;
    area->pages = pages;
    area->offset = offset;
    area->permissions = permissions;
    list_push_back(&pages->areas, &area->link);
    return area;
}

void area_destroy(struct ioas_area *area)
{
    list_remove(&area->link);
    pages_put(area->pages);
    kfree(area);
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

int area_map(struct ioas_area *area)
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

int areas_unmap_domain(struct ioas_area *start, uint64_t last, struct iommu_domain *domain)
{
    struct iommu_gather gather;
    struct ioas_area *area;
    uint64_t end = 0;

    if (!start)
        return 0;
    iommu_gather_init(&gather, domain);
    for (area = start; area; area = area_next(area, last))
        iommu_unmap(domain, area->node.first, area_length(area), &gather);
    if (!iommu_sync(&gather))
        return 0;
    /* Nobody may reuse memory that a unit may still translate to. */
    for (area = start; area; area = area_next(area, last)) {
        area->pages->stuck = true;
        end = area->node.last;
    }
    log_error("ioas: the IOMMU did not confirm that iova 0x%llx-0x%llx is unmapped: the memory "
              "stays pinned for ever",
              (unsigned long long)start->node.first, (unsigned long long)end);
    return -EIO;
}

int areas_unmap(struct ioas_area *start, uint64_t last)
{
    struct ioas_domain *at;
    int error = 0;

    list_for_each_entry (at, &start->ioas->domains, link)
        if (areas_unmap_domain(start, last, at->domain))
            error = -EIO;
    return error;
}

int area_revoked(struct list *link)
{
    struct ioas_area *area = container_of(link, struct ioas_area, link);

    return areas_unmap(area, area->node.last);
}
