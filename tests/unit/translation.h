/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the tables of a device lead from an IOVA; the kernel never asks. */
#ifndef TESTS_UNIT_TRANSLATION_H
#define TESTS_UNIT_TRANSLATION_H

#include "kernel/iommu/format.h"
#include "kernel/table/page_table.h"

struct iommu_translation {
    paddr_t physical;
    uint64_t leaf_size; /* bytes */
    unsigned permissions;
};

static inline bool translate(const struct page_table *table, uint64_t iova,
                             struct iommu_translation *out)
{
    const struct table_place place = page_table_seek(table, iova);

    if (iova >= BIT(table->address_bits) || !*place.slot)
        return false;
    *out = (struct iommu_translation){table_place_physical(&place), pt_span(place.level),
                                      second_level_permissions(*place.slot)};
    return true;
}

#endif
