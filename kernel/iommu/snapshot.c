/* SPDX-License-Identifier: BSD-2-Clause */
/* Domains at the end of the payload. */
#include "kernel/iommu/snapshot.h"

#include "kernel/cpu/time.h"
#include "kernel/iommu/domain.h"
#include "kernel/iommu/requester.h"
#include "kernel/iommu/unit.h"

static struct snapshot kept;

void snapshot_reset(void)
{
    kept.taken = false;
    history_reset();
}

static void keep_mapping(void *context, const struct survey_mapping *mapping)
{
    struct snapshot_domain *domain = context;

    if (kept.mapping_count == SNAPSHOT_MAPPINGS) {
        domain->mappings.left_out++;
        return;
    }
    kept.mappings[kept.mapping_count++] = *mapping;
    domain->mappings.count++;
}

static void keep_area(void *context, const struct survey_area *area)
{
    struct snapshot_domain *domain = context;

    if (kept.area_count == SNAPSHOT_AREAS) {
        domain->areas.left_out++;
        return;
    }
    kept.areas[kept.area_count++] = *area;
    domain->areas.count++;
}

static void keep_domain(const struct iommu_domain *domain)
{
    struct snapshot_domain *out;
    const struct requester *requester;
    struct survey_sink sink = {
        .mapping = keep_mapping, .area = keep_area, .breathes = kept.at_payload_end};

    if (kept.domain_count == SNAPSHOT_DOMAINS) {
        kept.domains_left_out++;
        return;
    }
    out = &kept.domains[kept.domain_count++];
    *out = (struct snapshot_domain){
        .figures = domain_figures(domain),
        .tables = domain->table.tables + 1,
        .mappings.first = kept.mapping_count,
        .areas.first = kept.area_count,
    };
    for (unsigned level = 1; level <= PT_LEAF_MAX; level++)
        out->leaves[level] = domain->table.leaves[level];
    list_for_each_entry (requester, &domain->requesters, domain_link)
        requester_ids_add(&out->attached, requester->rid);
    sink.context = out;
    (void)survey_domain(domain, &sink);
}

static void take(bool at_payload_end)
{
    const struct iommu_unit *unit;
    const struct iommu_domain *domain;

    kept.taken = true;
    kept.at_payload_end = at_payload_end;
    kept.time_ns = time_ns();
    kept.domain_count = kept.mapping_count = kept.area_count = 0;
    kept.domains_left_out = 0;
    list_for_each_entry (unit, &iommu_units, link) {
        list_for_each_entry (domain, &unit->domains, link)
            keep_domain(domain);
    }
}

/* Nobody is left who could end a domain. The report, maybe after a panic, waits for nobody. */
void iommu_snapshot(void)
{
    take(true);
}

const struct snapshot *snapshot_get(void)
{
    if (!kept.taken)
        take(false);
    return &kept;
}
