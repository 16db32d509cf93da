/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the domains map at one moment, kept for the report, which is written after they are gone;
 * and the figures of domains that are gone already. All of it has a fixed place: a snapshot never
 * allocates and never fails. What finds no room is counted instead.
 */
#ifndef KERNEL_IOMMU_SNAPSHOT_H
#define KERNEL_IOMMU_SNAPSHOT_H

#include "kernel/iommu/survey.h"
#include "kernel/iommu/unit.h"

#define SNAPSHOT_DOMAINS  64u
#define SNAPSHOT_PAST     32u
#define SNAPSHOT_MAPPINGS 2048u
#define SNAPSHOT_AREAS    512u

/* The figures of a domain, without its mappings. */
struct snapshot_figures {
    const struct iommu_unit *unit;
    uint16_t id;
    bool quarantine;
    uint64_t destroyed_ns; /* 0: it exists */
    uint64_t maps;
    uint64_t unmaps;
    uint64_t leaves_made[PT_LEAF_MAX + 1];
    struct domain_history history;
};

struct snapshot_rows {
    size_t first; /* index of the first row */
    size_t count;
    uint64_t left_out; /* rows that found no room */
};

struct snapshot_domain {
    struct snapshot_figures figures;
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

/*
 * Held by who looks at domains and lets others in meanwhile: none of them ends before
 * snapshot_release(). -EINTR.
 */
int snapshot_hold(void);
void snapshot_release(void);

/* Forgets everything. */
void snapshot_reset(void);
/* The snapshot, taken now if there is none. */
const struct snapshot *snapshot_get(void);
/* The figures of a domain as it is now. */
struct snapshot_figures snapshot_figures(const struct iommu_domain *domain);
/* Keeps the figures of a domain that is about to go, once nobody holds the domains. */
void snapshot_domain_ends(const struct iommu_domain *domain);
/* Calls back for the domains that are gone, oldest first. Returns how many there were before. */
uint64_t snapshot_past(void (*domain)(void *context, const struct snapshot_figures *figures),
                       void *context);

#endif
