/* SPDX-License-Identifier: BSD-2-Clause */
/* Domains at the end of the payload, and those that were gone before. */
#include "kernel/iommu/snapshot.h"

#include "kernel/cpu/mutex.h"
#include "kernel/cpu/time.h"

#define HOLD_POINT "io page tables"

static struct mutex holds = {.waiters = LIST_INIT(holds.waiters)};
static struct snapshot kept;
static struct snapshot_figures past[SNAPSHOT_PAST];
static uint64_t past_total;

int snapshot_hold(void)
{
    return mutex_lock(&holds, HOLD_POINT);
}

void snapshot_release(void)
{
    mutex_unlock(&holds);
}

void snapshot_reset(void)
{
    kept.taken = false;
    past_total = 0;
}

struct snapshot_figures snapshot_figures(const struct iommu_domain *domain)
{
    struct snapshot_figures figures = {
        .unit = domain->unit,
        .id = domain->id,
        .quarantine = domain->quarantine,
        .maps = domain->maps,
        .unmaps = domain->unmaps,
        .history = domain->history,
    };

    for (unsigned level = 1; level <= PT_LEAF_MAX; level++)
        figures.leaves_made[level] = domain->table.leaves[level] + domain->table.removed[level];
    domain_note_peak(&figures.history, &domain->table);
    return figures;
}

/* ---- domains that are gone ---- */

void snapshot_domain_ends(const struct iommu_domain *domain)
{
    struct snapshot_figures *figures;

    (void)mutex_lock_deaf(&holds, HOLD_POINT);
    mutex_unlock(&holds);
    figures = &past[past_total++ % SNAPSHOT_PAST];
    *figures = snapshot_figures(domain);
    figures->destroyed_ns = time_ns();
}

uint64_t snapshot_past(void (*domain)(void *context, const struct snapshot_figures *figures),
                       void *context)
{
    uint64_t first = past_total - MIN(past_total, SNAPSHOT_PAST);

    for (uint64_t i = first; i < past_total; i++)
        domain(context, &past[i % SNAPSHOT_PAST]);
    return first;
}

/* ---- domains that exist ---- */

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
        .figures = snapshot_figures(domain),
        .tables = domain->table.tables + 1,
        .mappings.first = kept.mapping_count,
        .areas.first = kept.area_count,
    };
    for (unsigned level = 1; level <= PT_LEAF_MAX; level++)
        out->leaves[level] = domain->table.leaves[level];
    list_for_each_entry (requester, &domain->unit->requesters, link) {
        if (requester->domain == domain)
            requester_ids_add(&out->attached, requester->rid);
    }
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
    list_for_each_entry (unit, iommu_units(), link) {
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
