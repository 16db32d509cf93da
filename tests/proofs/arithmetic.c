/* SPDX-License-Identifier: BSD-2-Clause */
/* The headers whose functions are proved, and programs that call them with any value there is. */
#include "kernel/iommu/format.h"
#include "kernel/iommu/invalidate.h"
#include "kernel/iommu/structures.h"
#include "kernel/lib/types.h"
#include "kernel/table/shape.h"

/* Each reading is another value, about which nothing is known. */
static volatile uint64_t any;

static unsigned any_up_to(unsigned most)
{
    unsigned value = (unsigned)any;

    return value <= most ? value : most;
}

void any_page_table(void)
{
    for (unsigned level = 1; level <= PT_LEVELS_MAX; level++) {
        uint64_t span = pt_span(level);
        unsigned index = pt_index(any, level);
        bool leaf = pt_is_leaf(any, level) && !pt_is_table(any, level);

        /*@ assert index < PT_ENTRIES; */
        /*@ assert span >= PAGE_SIZE; */
        pt_large(level);
        second_level_bits(any_up_to(SECOND_LEVEL_PERMISSIONS), leaf);
    }
    pt_address(any);
    second_level_permissions(any);
}

void any_descriptor(void)
{
    struct vtd_descriptor descriptor;

    vtd_context(any, 3 + any_up_to(2), (uint16_t)any, (bool)any);
    descriptor = vtd_invalidate_context(VTD_DEVICE, (uint16_t)any, (uint16_t)any);
    vtd_descriptor_type(&descriptor);
    vtd_descriptor_granularity(&descriptor);
    vtd_invalidate_iotlb(VTD_PAGES, (uint16_t)any, any, any_up_to(63), (bool)any, any);
    vtd_invalidate_device_tlb((uint16_t)any, any_up_to(31), any, any_up_to(52));
    vtd_invalidate_entries((uint16_t)any, any_up_to(16));
}
