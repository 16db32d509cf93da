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
#include "kernel/pci/pci.h"

/* By the index of the region in the DMAR table; length 0: not used. */
static struct phys_run regions[DMAR_REGIONS_MAX];

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
    const char *fault = NULL;
    uint64_t end;

    if (region->length == 0 || !IS_ALIGNED(region->base | region->length, PAGE_SIZE))
        fault = "is not made of pages";
    else if (!range_end(region->base, region->length, &end) ||
             end > BIT(MIN(dmar->address_width, 52)))
        fault = "is beyond the address width";
    else if (region->length > DMAR_REGION_LENGTH_MAX && !region->named)
        fault = "is too long";
    else if (is_ordinary_memory(region))
        fault = "is ordinary memory";
    if (fault)
        log_error("reserved memory region 0x%lx +0x%lx %s: ignored", region->base, region->length,
                  fault);
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

            if (!ranges_overlap(a->base, a->length, b->base, b->length))
                continue;
            if (a->base == b->base && a->length == b->length)
                continue;
            *a = *b = (struct phys_run){base, end - base};
            joined = true;
        }
    }
    return joined;
}

void reserved_init(const struct dmar_info *dmar)
{
    for (size_t i = 0; i < DMAR_REGIONS_MAX; i++) {
        const struct dmar_region *region = &dmar->regions[i];

        regions[i] = (struct phys_run){0, 0};
        if (i < dmar->region_count && usable(dmar, region))
            regions[i] = (struct phys_run){region->base, region->length};
    }
    while (join_overlaps(dmar))
        log_warn("reserved memory regions overlap: joined");
}

/* A region belongs to a requester id if it names it, or a device that may use it as an alias. */
static bool applies(size_t index, uint16_t segment, uint16_t rid)
{
    const struct dmar_info *dmar = iommu_dmar;
    const struct dmar_region *region = &dmar->regions[index];
    const struct pci_device *device;

    if (regions[index].length == 0 || region->segment != segment)
        return false;
    if (scope_list_contains(dmar, region->scopes, segment, rid))
        return true;
    list_for_each_entry (device, pci_devices(), link) {
        if (pci_may_send_as(device, segment, rid) &&
            scope_list_contains(dmar, region->scopes, segment, device->rid))
            return true;
    }
    return false;
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

uint64_t reserved_regions_of(uint16_t segment, uint16_t rid)
{
    uint64_t found = 0;

    _Static_assert(DMAR_REGIONS_MAX <= 64, "a set of regions is a word");
    for (size_t i = 0; i < iommu_dmar->region_count; i++) {
        if (applies(i, segment, rid))
            found |= BIT(first_equal(i));
    }
    return found;
}

uint64_t iommu_reserved_regions(struct requester *const *requesters, size_t count)
{
    uint64_t set = 0;

    while (count)
        set |= requesters[--count]->regions;
    return set;
}

bool iommu_reserved_next(uint64_t *set, struct phys_run *out)
{
    if (!*set)
        return false;
    *out = regions[__builtin_ctzll(*set)];
    *set &= *set - 1;
    return true;
}

/* Several requesters of one domain may share a region: the first maps it, the last unmaps it. */
static int map_one(struct iommu_domain *domain, unsigned index)
{
    const struct phys_run *region = &regions[index];
    int error = 0;

    if (!domain->reserved[index])
        error = iommu_map(domain, region->base, region, 1, IOMMU_READ | IOMMU_WRITE, 0);
    domain->reserved[index] += !error;
    return error == -EEXIST || error == -EINVAL ? -EADDRINUSE : error;
}

static int unmap_one(struct iommu_domain *domain, unsigned index)
{
    if (!domain->reserved[index] || --domain->reserved[index])
        return 0;
    return iommu_unmap_now(domain, regions[index].base, regions[index].length);
}

static int unmap_set(struct iommu_domain *domain, uint64_t set)
{
    int error = 0;

    for (; set; set &= set - 1)
        if (unmap_one(domain, (unsigned)__builtin_ctzll(set)))
            error = -EIO;
    return error;
}

int reserved_map(struct iommu_domain *domain, const struct requester *requester)
{
    for (uint64_t left = requester->regions; left; left &= left - 1) {
        int error = map_one(domain, (unsigned)__builtin_ctzll(left));

        if (error)
            return unmap_set(domain, requester->regions & ~left) ? -EIO : error;
    }
    return 0;
}

int reserved_unmap(struct iommu_domain *domain, const struct requester *requester)
{
    return unmap_set(domain, requester->regions);
}
