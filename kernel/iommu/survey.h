/* SPDX-License-Identifier: BSD-2-Clause */
/* What a domain maps, read from its page table into rows. Costs time by the leaf; changes nothing.
 */
#ifndef KERNEL_IOMMU_SURVEY_H
#define KERNEL_IOMMU_SURVEY_H

#include "kernel/table/shape.h"
#include "kernel/lib/types.h"

struct iommu_domain;

/* Physical addresses have 52 bits: a run has 2^12 to 2^52 bytes. */
#define SURVEY_RUN_SIZES (52 - PAGE_SHIFT + 1)

/* IOVAs without a hole whose leaves have one size and one permission. Both ends inclusive. */
struct survey_mapping {
    uint64_t first;
    uint64_t last;
    uint8_t level; /* of the leaves */
    uint8_t permissions;
};

/*
 * What the owner of the domain calls one area (iommu_domain_set_areas()); where it names none:
 * IOVAs without a hole and with one permission.
 */
struct survey_area {
    uint64_t first;
    uint64_t last;
    unsigned permissions;
    uint64_t leaves[PT_LEAF_MAX + 1]; /* by level */
    /* Physically consecutive pieces: n counts those of 2^(12+n) up to below 2^(13+n) bytes. */
    uint32_t runs[SURVEY_RUN_SIZES];
};

struct survey_sink {
    void (*mapping)(void *context, const struct survey_mapping *mapping); /* may be NULL */
    void (*area)(void *context, const struct survey_area *area);
    void *context;
    bool breathes; /* lets others in: the domain must stay meanwhile (history_hold()) */
};

/*
 * Calls back for every mapping and every area, each kind in order, when its end is known. What
 * changes during a breath is seen as it was, or as it is. -EINTR, only if it breathes.
 */
int survey_domain(const struct iommu_domain *domain, const struct survey_sink *sink);

#endif
