/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reserved memory (RMRR, VT-d specification 8.4): memory that the firmware lets some devices reach
 * at all times. A requester keeps it whatever domain it is in, and has a quarantine domain with
 * nothing else in it for the time it is in none.
 */
#include "kernel/iommu/reserved.h"

#include "kernel/iommu/domain.h"
#include "kernel/iommu/requester.h"
#include "kernel/iommu/scope.h"
#include "kernel/iommu/unit.h"
#include "kernel/lib/error.h"
#include "kernel/lib/log.h"
#include "kernel/mm/frames/frames.h"
#include "kernel/mm/heap.h"
#include "kernel/pci/pci.h"

/* By the index of the region in the DMAR table; length 0: not used. */
static struct phys_run *regions;

/* Is any of it memory that the kernel hands out? No device gets that on the firmware's word. */
static bool is_ordinary_memory(const struct dmar_region *region)
{
    for (uint64_t offset = 0; offset < region->length; offset += PAGE_SIZE) {
        if (frames_owned(region->base + offset, PAGE_SIZE))
            return true;
    }
    return false;
}

static bool usable(const struct dmar_info *dmar, const struct dmar_region *region)
{
    const char *fault = region->fault;
    uint64_t end;

    if (fault)
        ; /* the table says it wrongly */
    else if (region->length == 0 || !IS_ALIGNED(region->base | region->length, PAGE_SIZE))
        fault = "is not made of pages";
    else if (!range_end(region->base, region->length, &end) ||
             end > BIT(MIN(dmar->address_width, 52)))
        fault = "is beyond the address width";
    else if (region->length > DMAR_REGION_LENGTH_MAX && !region->named)
        fault = "is too long";
    else if (is_ordinary_memory(region))
        fault = "is ordinary memory";
    if (fault)
        log_warn("reserved memory region 0x%lx +0x%lx %s: ignored, and its devices cannot be "
                 "assigned",
                 region->base, region->length, fault);
    return !fault;
}

/* Makes overlapping regions equal to their union, so that any two are the same or disjoint. */
static bool join_overlaps(const struct dmar_info *dmar)
{
    bool joined = false;

    for (size_t i = 0; i < dmar->region_count; i++) {
        for (size_t j = 0; j < dmar->region_count; j++) {
            struct phys_run *a = &regions[i], *b = &regions[j];
            paddr_t base = MIN(a->base, b->base);
            paddr_t end = MAX(a->base + a->length, b->base + b->length);

            if (!ranges_overlap(a->base, a->length, b->base, b->length) ||
                (a->base == b->base && a->length == b->length))
                continue;
            *a = *b = (struct phys_run){base, end - base};
            joined = true;
        }
    }
    return joined;
}

int reserved_init(const struct dmar_info *dmar)
{
    kfree(regions);
    regions = kcalloc(dmar->region_count, sizeof(*regions));
    if (dmar->region_count && !regions)
        return -ENOMEM;
    for (size_t i = 0; i < dmar->region_count; i++) {
        const struct dmar_region *region = &dmar->regions[i];

        if (usable(dmar, region))
            regions[i] = (struct phys_run){region->base, region->length};
    }
    while (join_overlaps(dmar))
        log_warn("reserved memory regions overlap: joined");
    return 0;
}

/*
 * Does a driver of its own end what firmware does with the device? Keyboards of the old kind are
 * read from USB controllers, and a display shows the first picture.
 */
static bool is_relaxable(const struct pci_device *device)
{
    return device->class_code >> 8 == 0x0c03 || device->class_code >> 16 == 0x03;
}

/*
 * A region belongs to a requester id if it names it, or a device that may use it as an alias. Adds
 * to *lasting whether firmware needs it for good.
 */
static bool applies(const struct dmar_region *region, const struct requester *requester,
                    bool *lasting)
{
    const struct dmar_info *dmar = iommu_dmar;
    const uint16_t segment = requester->segment, rid = requester->rid;
    bool found = scope_list_contains(dmar, region->scopes, segment, rid);
    const struct pci_device *device;

    *lasting |= found && !pci_find(segment, rid);
    list_for_each_entry (device, pci_devices(), link) {
        if (!pci_may_send_as(device, segment, rid) ||
            !scope_list_contains(dmar, region->scopes, segment, device->rid))
            continue;
        found = true;
        *lasting |= region->named || !is_relaxable(device);
    }
    return found;
}

/* Of equal regions the first stands for all. */
static size_t first_equal(size_t index)
{
    size_t first = 0;

    while (regions[first].base != regions[index].base ||
           regions[first].length != regions[index].length)
        first++;
    return first;
}

int reserved_find(struct requester *requester)
{
    const struct dmar_info *dmar = iommu_dmar;
    bool lasting = false;

    for (size_t i = 0; i < dmar->region_count; i++) {
        const struct dmar_region *region = &dmar->regions[i];

        if (region->segment != requester->segment || !applies(region, requester, &lasting))
            continue;
        if (!regions[i].length) {
            requester->misreserved = true;
            continue;
        }
        if (!requester->regions)
            requester->regions = kcalloc(dmar->region_count, sizeof(bool));
        if (!requester->regions)
            return -ENOMEM;
        requester->regions[first_equal(i)] = true;
    }
    requester->relaxable = !lasting;
    return 0;
}

static bool has(const struct requester *requester, size_t index)
{
    return requester->regions && requester->regions[index];
}

bool iommu_reserved_next(struct requester *const *requesters, size_t count, size_t *at,
                         struct phys_run *out)
{
    for (; *at < iommu_dmar->region_count; ++*at) {
        for (size_t i = 0; i < count; i++) {
            if (has(requesters[i], *at)) {
                *out = regions[(*at)++];
                return true;
            }
        }
    }
    return false;
}

/* Does one of those attached have it? The first one maps it, the last one unmaps it. */
static bool in_use(const struct iommu_domain *domain, size_t index)
{
    const struct requester *requester;

    list_for_each_entry (requester, &domain->requesters, domain_link) {
        if (has(requester, index))
            return true;
    }
    return false;
}

/* Of the first `count` regions. */
static int unmap_first(struct iommu_domain *domain, const struct requester *requester, size_t count)
{
    int error = 0;

    for (size_t i = 0; i < count; i++) {
        if (has(requester, i) && !in_use(domain, i) &&
            iommu_unmap_now(domain, regions[i].base, regions[i].length))
            error = -EIO;
    }
    return error;
}

int reserved_map(struct iommu_domain *domain, const struct requester *requester)
{
    for (size_t i = 0; i < iommu_dmar->region_count; i++) {
        int error = 0;

        if (has(requester, i) && !in_use(domain, i))
            error = iommu_map(domain, regions[i].base, &regions[i], 1, IOMMU_READ | IOMMU_WRITE, 0);
        if (error && unmap_first(domain, requester, i))
            return -EIO;
        if (error)
            return error == -EEXIST || error == -EINVAL ? -EADDRINUSE : error;
    }
    return 0;
}

int reserved_unmap(struct iommu_domain *domain, const struct requester *requester)
{
    return unmap_first(domain, requester, iommu_dmar->region_count);
}
