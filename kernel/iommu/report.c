/* SPDX-License-Identifier: BSD-2-Clause */
/* What the IOMMU did, as a member of the report (docs/report.md). */
#include "kernel/iommu/describe.h"

/* ---- domains, as the snapshot has them ---- */

static void report_figures(const struct teller *to, const struct domain_figures *figures)
{
    const struct domain_history *history = &figures->history;

    tell_uint(to, "id", NULL, figures->id);
    tell_bool(to, "quarantine", NULL, figures->quarantine);
    tell_requesters(to, "requesters_ever", figures->unit->segment, &history->attached);
    tell_uint(to, "created_ns", NULL, history->created_ns);
    tell_figures(to, figures);
}

static void report_mappings(const struct teller *to, const struct snapshot_rows *rows)
{
    const struct survey_mapping *mappings = &snapshot_get()->mappings[rows->first];

    tell_array(to, "mappings");
    for (size_t i = 0; i < rows->count; i++)
        tell_mapping(to, &mappings[i]);
    tell_end_array(to);
}

static void report_areas(const struct teller *to, const struct snapshot_rows *rows)
{
    const struct survey_area *areas = &snapshot_get()->areas[rows->first];

    tell_array(to, "areas");
    for (size_t i = 0; i < rows->count; i++)
        tell_area(to, &areas[i]);
    tell_end_array(to);
}

static void report_domain(const struct teller *to, const struct snapshot_domain *domain)
{
    const struct domain_figures *figures = &domain->figures;

    tell_object(to, NULL);
    report_figures(to, figures);
    tell_requesters(to, "requesters", figures->unit->segment, &domain->attached);
    tell_uint(to, "tables", NULL, domain->tables);
    tell_leaves(to, "leaves", NULL, NULL, domain->leaves);
    report_mappings(to, &domain->mappings);
    report_areas(to, &domain->areas);
    tell_object(to, "truncated");
    tell_uint(to, "mappings", NULL, domain->mappings.left_out);
    tell_uint(to, "areas", NULL, domain->areas.left_out);
    tell_uint(to, "requesters", NULL, domain->attached.left_out);
    tell_uint(to, "requesters_ever", NULL, figures->history.attached.left_out);
    tell_end_object(to);
    tell_end_object(to);
}

static void report_domains(const struct teller *to, const struct iommu_unit *unit)
{
    const struct snapshot *snapshot = snapshot_get();

    tell_array(to, "domains");
    for (size_t i = 0; i < snapshot->domain_count; i++) {
        if (snapshot->domains[i].figures.unit == unit)
            report_domain(to, &snapshot->domains[i]);
    }
    tell_end_array(to);
}

static void report_past_domain(void *context, const struct domain_figures *figures)
{
    const struct teller *to = context;

    tell_object(to, NULL);
    tell_uint(to, "unit", NULL, figures->unit->index);
    report_figures(to, figures);
    tell_uint(to, "destroyed_ns", NULL, figures->destroyed_ns);
    tell_end_object(to);
}

static void report_snapshot(struct teller *to)
{
    const struct snapshot *snapshot = snapshot_get();
    uint64_t forgotten;

    tell_object(to, "snapshot");
    tell_string(to, "taken", NULL, snapshot->at_payload_end ? "payload-end" : "report");
    tell_uint(to, "time_ns", NULL, snapshot->time_ns);
    tell_uint(to, "domains_truncated", NULL, snapshot->domains_left_out);
    tell_end_object(to);
    tell_array(to, "past_domains");
    forgotten = history_past(report_past_domain, to);
    tell_end_array(to);
    tell_uint(to, "past_domains_truncated", NULL, forgotten);
}

/* ---- all of it ---- */

static void report_unit(const struct teller *to, const struct iommu_unit *unit)
{
    tell_object(to, NULL);
    tell_unit(to, unit);
    tell_object(to, "invalidations");
    tell_invalidations(to, &unit->invalidation);
    tell_end_object(to);
    report_domains(to, unit);
    tell_end_object(to);
}

void iommu_report(struct json *json)
{
    struct teller to = {.json = json};
    const struct iommu_unit *unit;

    tell_object(&to, "iommu");
    tell_array(&to, "units");
    list_for_each_entry (unit, &iommu_units, link)
        report_unit(&to, unit);
    tell_end_array(&to);
    report_snapshot(&to);
    tell_object(&to, "faults");
    tell_faults(&to);
    tell_end_object(&to);
    tell_end_object(&to);
}
