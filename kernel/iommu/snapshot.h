/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the domains map at one moment, kept for the report, which is written after they are gone.
 * All of it has a fixed place: a snapshot never allocates and never fails. What finds no room is
 * counted instead.
 */
#ifndef KERNEL_IOMMU_SNAPSHOT_H
#define KERNEL_IOMMU_SNAPSHOT_H

#include "kernel/iommu/history.h"
#include "kernel/iommu/survey.h"

#define SNAPSHOT_DOMAINS  64u
#define SNAPSHOT_MAPPINGS 2048u
#define SNAPSHOT_AREAS    512u

struct snapshot_rows {
    size_t first; /* index of the first row */
    size_t count;
    uint64_t left_out; /* rows that found no room */
};

struct snapshot_domain {
    struct domain_figures figures;
    struct requester_ids attached;
    uint64_t leaves[PT_LEAF_MAX + 1];
    uint64_t tables; /* with the root */
    struct snapshot_rows mappings;
    struct snapshot_rows areas;
};

struct snapshot {
    bool taken;
    bool at_payload_end; /* by iommu_snapshot(), not for want of one when the report was written */
    uint64_t time_ns;
    struct snapshot_domain domains[SNAPSHOT_DOMAINS];
    size_t domain_count;
    uint64_t domains_left_out;
    struct survey_mapping mappings[SNAPSHOT_MAPPINGS];
    size_t mapping_count;
    struct survey_area areas[SNAPSHOT_AREAS];
    size_t area_count;
};

/* Forgets it, and the domains that are gone (history.h). */
void snapshot_reset(void);
/* The snapshot, taken now if there is none. */
const struct snapshot *snapshot_get(void);

#endif
