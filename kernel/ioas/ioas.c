/* SPDX-License-Identifier: BSD-2-Clause */
/* Life of an IO address space, its options, and the page tables attached to it. */
#include "kernel/ioas/ioas.h"
#include "kernel/ioas/internal.h"
#include "kernel/lib/error.h"
#include "kernel/lib/panic.h"
#include "kernel/mm/heap.h"

/* Writes here are interrupts, whatever a page table says (VT-d 3.14, Intel SDM 3A 11.11.1). */
#define INTERRUPT_FIRST UINT64_C(0xfee00000)
#define INTERRUPT_LAST  UINT64_C(0xfeefffff)

/* Work (breathe_after()) of one area: looked at; pinned and mapped. */
#define LOOK_WORK 20
#define AREA_WORK 500

int ioas_create(struct ioas_account *account, struct mutex *lock, struct ioas **out)
{
    struct ioas *ioas = kzalloc(sizeof(*ioas));

    if (!ioas)
        return -ENOMEM;
    ioas->account = account;
    ioas->lock = lock;
    ioas->recent = (struct ioas_range){1, 0};
    ioas->hint = PAGE_SIZE;
    ioas->alignment = 1;
    itree_init(&ioas->areas);
    list_init(&ioas->domains);
    list_init(&ioas->reserved);
    *out = ioas;
    return 0;
}

void ioas_destroy(struct ioas *ioas)
{
    struct ioas_reserved *reserved, *next;

    ASSERT(list_empty(&ioas->domains));
    (void)ioas_unmap_deaf(ioas, 0, UINT64_MAX);
    list_for_each_entry_safe (reserved, next, &ioas->reserved, link)
        kfree(reserved);
    kfree(ioas->allowed);
    kfree(ioas);
}

/* ---- looking ---- */

bool ioas_find(const struct ioas *ioas, uint64_t iova, uint64_t last, struct ioas_range *area)
{
    const struct itree_node *node = itree_find(&ioas->areas, iova, last);

    if (node)
        *area = (struct ioas_range){node->first, node->last};
    return node != NULL;
}

size_t ioas_area_count(const struct ioas *ioas)
{
    return ioas->areas.count;
}

bool ioas_all_from(const struct ioas *ioas, const struct ioas_source_ops *ops)
{
    struct ioas_area *area;

    ASSERT(mutex_held(ioas->lock));
    ioas_for_each_area(area, ioas)
    {
        if (area->pages->source.ops != ops)
            return false;
        breathe_deaf_after(LOOK_WORK, "looking at areas");
    }
    return true;
}

uint64_t ioas_alignment(const struct ioas *ioas)
{
    return ioas->alignment;
}

bool ioas_small_leaves(const struct ioas *ioas)
{
    return ioas->small_leaves;
}

/* ---- alignment ---- */

/* -EADDRINUSE: an area cannot be mapped with pages. -EINTR. */
static int check_areas_aligned(const struct ioas *ioas)
{
    struct ioas_area *area;
    int error = 0;

    for (area = area_first(ioas); area && !error; area = area_next(area, UINT64_MAX)) {
        uint64_t start = area->pages->offset + area->offset;

        if (!IS_ALIGNED(area->node.first | (area->node.last + 1) | start, PAGE_SIZE))
            return -EADDRINUSE;
        error = breathe_after(LOOK_WORK, "looking at areas");
    }
    return error;
}

static void update_alignment(struct ioas *ioas)
{
    ioas->alignment = ioas->small_leaves || !list_empty(&ioas->domains) ? PAGE_SIZE : 1;
}

int ioas_set_small_leaves(struct ioas *ioas, bool small)
{
    int error;

    ASSERT(mutex_held(ioas->lock));
    if (small && !ioas->small_leaves) {
        if (!list_empty(&ioas->domains) && ioas->areas.count)
            return -EINVAL;
        error = check_areas_aligned(ioas);
        if (error)
            return error;
    }
    ioas->small_leaves = small;
    update_alignment(ioas);
    return 0;
}

/* ---- page tables ---- */

static int reserve_for_domain(struct ioas *ioas, struct iommu_domain *domain)
{
    struct iommu_geometry geometry;
    int error;

    iommu_domain_geometry(domain, &geometry);
    error = ioas_reserve(ioas, domain, INTERRUPT_FIRST, INTERRUPT_LAST);
    if (!error)
        error = ioas_reserve(ioas, domain, BIT(geometry.address_bits), UINT64_MAX);
    if (error)
        ioas_unreserve(ioas, domain);
    return error;
}

/* Takes the pins of all areas in front of `end` (NULL: of all areas) back. */
static void unpin_areas(struct ioas *ioas, const struct ioas_area *end)
{
    struct ioas_area *area;

    for (area = area_first(ioas); area != end; area = area_next(area, UINT64_MAX)) {
        pages_unpin(area->pages);
        breathe_deaf_after(AREA_WORK, "unpinning");
    }
}

static int pin_areas(struct ioas *ioas)
{
    struct ioas_area *area;
    int error = 0;

    for (area = area_first(ioas); area; area = area_next(area, UINT64_MAX)) {
        error = breathe_after(AREA_WORK, "pinning");
        if (!error)
            error = pages_pin(area->pages);
        if (error)
            break;
    }
    if (error)
        unpin_areas(ioas, area);
    return error;
}

static int map_areas(struct ioas *ioas, struct iommu_domain *domain)
{
    struct ioas_area *area;
    int error = 0;

    for (area = area_first(ioas); area && !error; area = area_next(area, UINT64_MAX)) {
        error = area_map_domain(area, domain);
        if (!error)
            error = breathe_after(AREA_WORK, "mapping iova");
        if (error)
            areas_unmap_domain(area_first(ioas), area->node.last, domain);
    }
    return error;
}

/* For reports; an iommu_find_area. */
static bool find_area(const void *owner, uint64_t iova, uint64_t *first, uint64_t *last)
{
    struct ioas_range area;

    if (!ioas_find(owner, iova, UINT64_MAX, &area))
        return false;
    *first = area.first;
    *last = area.last;
    return true;
}

int ioas_attach(struct ioas *ioas, struct iommu_domain *domain)
{
    struct ioas_domain *entry = kmalloc(sizeof(*entry));
    bool first = list_empty(&ioas->domains);
    int error;

    ASSERT(mutex_held(ioas->lock));
    if (!entry)
        return -ENOMEM;
    error = check_areas_aligned(ioas);
    if (error)
        goto free;
    error = reserve_for_domain(ioas, domain);
    if (error)
        goto free;
    error = first ? pin_areas(ioas) : 0;
    if (error)
        goto unreserve;
    error = map_areas(ioas, domain);
    if (error)
        goto unpin;
    entry->domain = domain;
    list_push_back(&ioas->domains, &entry->link);
    iommu_domain_set_areas(domain, find_area, ioas);
    update_alignment(ioas);
    return 0;

unpin:
    if (first)
        unpin_areas(ioas, NULL);
unreserve:
    ioas_unreserve(ioas, domain);
free:
    kfree(entry);
    return error;
}

void ioas_detach(struct ioas *ioas, struct iommu_domain *domain)
{
    struct ioas_domain *entry;

    ASSERT(mutex_held(ioas->lock));
    list_for_each_entry (entry, &ioas->domains, link) {
        if (entry->domain == domain)
            break;
        breathe_deaf_after(LOOK_WORK, "looking at page tables");
    }
    ASSERT(&entry->link != &ioas->domains);
    iommu_domain_set_areas(domain, NULL, NULL);
    areas_unmap_domain(area_first(ioas), UINT64_MAX, domain);
    list_remove(&entry->link);
    kfree(entry);
    if (list_empty(&ioas->domains))
        unpin_areas(ioas, NULL);
    ioas_unreserve(ioas, domain);
    update_alignment(ioas);
}

struct iommu_geometry ioas_geometry(const struct ioas *ioas)
{
    struct iommu_geometry all = {64, ~(PAGE_SIZE - 1), true}, one;
    struct ioas_domain *entry;

    ASSERT(mutex_held(ioas->lock));
    list_for_each_entry (entry, &ioas->domains, link) {
        iommu_domain_geometry(entry->domain, &one);
        all.address_bits = MIN(all.address_bits, one.address_bits);
        all.page_sizes &= one.page_sizes;
        all.snoop_control &= one.snoop_control;
        breathe_deaf_after(LOOK_WORK, "looking at page tables");
    }
    return all;
}
