/* SPDX-License-Identifier: BSD-2-Clause */
/* What the IOMMU did, as a member of the report (docs/report.md). */
#include "kernel/iommu/names.h"
#include "kernel/iommu/snapshot.h"
#include "kernel/iommu/unit.h"
#include "kernel/lib/json.h"

/* A member of a histogram by powers of two; what never happened is absent. */
static void json_power(struct json *j, unsigned bits, uint64_t count)
{
    char key[8];

    format(key, sizeof(key), "2^%u", bits);
    if (count)
        json_uint(j, key, count);
}

static void json_leaves(struct json *j, const char *key, const uint64_t leaves[PT_LEAF_MAX + 1])
{
    json_object(j, key);
    for (unsigned level = 1; level <= PT_LEAF_MAX; level++)
        json_uint(j, iommu_leaf_names[level], leaves[level]);
    json_end_object(j);
}

static void json_requesters(struct json *j, const char *key, uint16_t segment,
                            const struct requester_ids *requesters)
{
    char text[RID_TEXT_SIZE];

    json_array(j, key);
    for (unsigned i = 0; i < requesters->count; i++)
        json_string(j, NULL, iommu_rid_text(segment, requesters->ids[i], text));
    json_end_array(j);
}

/* ---- domains ---- */

static void json_mapping(struct json *j, const struct survey_mapping *mapping)
{
    json_object(j, NULL);
    json_hex(j, "first", mapping->first);
    json_hex(j, "last", mapping->last);
    json_string(j, "leaf", iommu_leaf_names[mapping->level]);
    json_string(j, "permissions", iommu_permission_text(mapping->permissions));
    json_end_object(j);
}

static void json_area(struct json *j, const struct survey_area *area)
{
    json_object(j, NULL);
    json_hex(j, "first", area->first);
    json_hex(j, "last", area->last);
    json_string(j, "permissions", iommu_permission_text(area->permissions));
    json_leaves(j, "leaves", area->leaves);
    json_object(j, "runs");
    for (unsigned i = 0; i < SURVEY_RUN_SIZES; i++)
        json_power(j, PAGE_SHIFT + i, area->runs[i]);
    json_end_object(j);
    json_end_object(j);
}

static void json_figures(struct json *j, const struct snapshot_figures *figures)
{
    const struct domain_history *history = &figures->history;

    json_uint(j, "id", figures->id);
    json_bool(j, "quarantine", figures->quarantine);
    json_requesters(j, "requesters_ever", figures->unit->segment, &history->attached);
    json_uint(j, "created_ns", history->created_ns);
    json_uint(j, "maps", figures->maps);
    json_uint(j, "unmaps", figures->unmaps);
    json_leaves(j, "leaves_made", figures->leaves_made);
    json_object(j, "peak");
    json_uint(j, "bytes", history->peak_bytes);
    json_leaves(j, "leaves", history->peak_leaves);
    json_end_object(j);
}

static void json_domain(struct json *j, const struct snapshot *snapshot,
                        const struct snapshot_domain *domain)
{
    const struct snapshot_rows *mappings = &domain->mappings, *areas = &domain->areas;

    json_object(j, NULL);
    json_figures(j, &domain->figures);
    json_requesters(j, "requesters", domain->figures.unit->segment, &domain->attached);
    json_uint(j, "tables", domain->tables);
    json_leaves(j, "leaves", domain->leaves);
    json_array(j, "mappings");
    for (size_t i = 0; i < mappings->count; i++)
        json_mapping(j, &snapshot->mappings[mappings->first + i]);
    json_end_array(j);
    json_array(j, "areas");
    for (size_t i = 0; i < areas->count; i++)
        json_area(j, &snapshot->areas[areas->first + i]);
    json_end_array(j);
    json_object(j, "truncated");
    json_uint(j, "mappings", mappings->left_out);
    json_uint(j, "areas", areas->left_out);
    json_uint(j, "requesters", domain->attached.left_out);
    json_uint(j, "requesters_ever", domain->figures.history.attached.left_out);
    json_end_object(j);
    json_end_object(j);
}

static void json_domains(struct json *j, const struct iommu_unit *unit)
{
    const struct snapshot *snapshot = snapshot_get();

    json_array(j, "domains");
    for (size_t i = 0; i < snapshot->domain_count; i++) {
        if (snapshot->domains[i].figures.unit == unit)
            json_domain(j, snapshot, &snapshot->domains[i]);
    }
    json_end_array(j);
}

static void json_past_domain(void *context, const struct snapshot_figures *figures)
{
    struct json *j = context;

    json_object(j, NULL);
    json_uint(j, "unit", figures->unit->index);
    json_figures(j, figures);
    json_uint(j, "destroyed_ns", figures->destroyed_ns);
    json_end_object(j);
}

static void json_snapshot(struct json *j)
{
    const struct snapshot *snapshot = snapshot_get();
    uint64_t forgotten;

    json_object(j, "snapshot");
    json_string(j, "taken", snapshot->at_payload_end ? "payload-end" : "report");
    json_uint(j, "time_ns", snapshot->time_ns);
    json_uint(j, "domains_truncated", snapshot->domains_left_out);
    json_end_object(j);
    json_array(j, "past_domains");
    forgotten = snapshot_past(json_past_domain, j);
    json_end_array(j);
    json_uint(j, "past_domains_truncated", forgotten);
}

/* ---- invalidations ---- */

static void json_latency(struct json *j, const char *kind, const struct latency *latency)
{
    json_object(j, kind);
    json_uint(j, "samples", latency->count);
    json_uint(j, "min", latency->min_ns);
    json_uint(j, "mean", latency->total_ns / latency->count);
    json_uint(j, "max", latency->max_ns);
    json_object(j, "histogram");
    for (unsigned bits = 0; bits < LATENCY_BUCKETS; bits++)
        json_power(j, bits, latency->buckets[bits]);
    json_end_object(j);
    json_end_object(j);
}

static void json_invalidations(struct json *j, const struct invalidation *invalidation)
{
    json_object(j, "invalidations");
    for (unsigned kind = 0; kind < INVALIDATED_KINDS; kind++)
        json_uint(j, iommu_kind_names[kind], invalidation->counts[kind]);
    json_uint(j, "waits", invalidation->waits);
    json_uint(j, "wait_ns_total", invalidation->wait_ns_total);
    json_uint(j, "wait_ns_max", invalidation->wait_ns_max);
    json_uint(j, "queue_errors", invalidation->queue_errors);
    json_uint(j, "time_outs", invalidation->time_outs);
    json_uint(j, "completion_errors", invalidation->completions);
    json_object(j, "latency_ns");
    for (unsigned kind = 0; kind < INVALIDATED_KINDS; kind++) {
        if (invalidation->latency[kind].count)
            json_latency(j, iommu_kind_names[kind], &invalidation->latency[kind]);
    }
    json_end_object(j);
    json_end_object(j);
}

/* ---- units ---- */

static void json_abilities(struct json *j, const struct unit_abilities *can)
{
    json_object(j, "capabilities");
    json_uint(j, "levels", can->levels);
    json_uint(j, "address_bits", can->address_bits);
    json_string(j, "largest_leaf", iommu_leaf_names[can->largest]);
    json_uint(j, "domains", can->domains);
    json_uint(j, "fault_records", can->fault_count);
    json_uint(j, "max_address_mask", can->max_mask);
    json_bool(j, "page_selective", can->page_selective);
    json_bool(j, "coherent", can->coherent);
    json_bool(j, "snoop_control", can->snoop_control);
    json_bool(j, "caching_mode", can->caching_mode);
    json_bool(j, "write_buffer_flush", can->write_buffer);
    json_bool(j, "queued_invalidation", can->queue);
    json_bool(j, "interrupt_remapping", can->remapping);
    json_bool(j, "extended_interrupts", can->x2apic);
    json_bool(j, "device_tlb", can->device_tlb);
    json_end_object(j);
}

/* Every leaf that was ever stored: what is there, what was removed, what domains had that are gone.
 */
static void json_leaves_made(struct json *j, const struct iommu_unit *unit)
{
    const struct iommu_domain *domain;
    uint64_t made[PT_LEAF_MAX + 1] = {0};

    for (unsigned level = 1; level <= PT_LEAF_MAX; level++) {
        made[level] = unit->leaves_made[level];
        list_for_each_entry (domain, &unit->domains, link)
            made[level] += domain->table.leaves[level] + domain->table.removed[level];
    }
    json_leaves(j, "leaves_made", made);
}

static void json_unit(struct json *j, const struct iommu_unit *unit)
{
    char version[8];

    format(version, sizeof(version), "%u.%u", (unit->version >> 4) & 15, unit->version & 15);
    json_object(j, NULL);
    json_uint(j, "index", unit->index);
    json_hex(j, "registers", unit->described->registers);
    json_uint(j, "segment", unit->segment);
    json_string(j, "version", version);
    json_hex(j, "cap", unit->cap);
    json_hex(j, "ecap", unit->ecap);
    json_abilities(j, &unit->can);
    json_bool(j, "translating", unit->translating);
    json_bool(j, "remapping_interrupts", unit->remapping);
    json_bool(j, "faults_ignored", unit->faults.deaf);
    json_bool(j, "fenced", unit->fenced);
    if (unit->fenced)
        json_string(j, "fence_reason", unit->fence_reason);
    json_uint(j, "interrupt_entries_used", unit->remap.in_use);
    json_uint(j, "table_pages_used", unit->tables.used);
    json_uint(j, "table_pages_stranded", unit->tables_stranded);
    json_leaves_made(j, unit);
    json_invalidations(j, &unit->invalidation);
    json_domains(j, unit);
    json_end_object(j);
}

/* ---- faults ---- */

static void json_fault(struct json *j, const struct fault *fault)
{
    char text[FAULT_TEXT_MAX];

    json_object(j, NULL);
    fault_describe(fault, text, sizeof(text));
    json_string(j, "text", text);
    json_string(j, "requester", iommu_rid_text(fault->segment, fault->rid, text));
    json_uint(j, "reason", fault->reason);
    json_bool(j, "interrupt", fault->interrupt);
    json_bool(j, "write", !fault->interrupt && fault->type == FAULT_WRITE);
    json_hex(j, "address", fault->address);
    json_uint(j, "time_ns", fault->time_ns);
    json_end_object(j);
}

static void json_fault_counts(struct json *j)
{
    const struct iommu_unit *unit;
    uint64_t others = 0, overflows = 0;

    json_array(j, "devices");
    list_for_each_entry (unit, iommu_units(), link) {
        for (size_t i = 0; i < unit->faults.device_count; i++) {
            const struct fault_device *device = &unit->faults.devices[i];
            char text[RID_TEXT_SIZE];

            json_object(j, NULL);
            json_string(j, "requester", iommu_rid_text(unit->segment, device->rid, text));
            json_uint(j, "count", device->count);
            json_bool(j, "threshold_reached", device->stopped);
            json_end_object(j);
        }
        others += unit->faults.other;
        overflows += unit->faults.overflows;
    }
    json_end_array(j);
    json_uint(j, "devices_truncated", others);
    json_uint(j, "overflows", overflows);
}

void iommu_report(struct json *j)
{
    static struct fault faults[FAULTS_KEPT];
    const struct iommu_unit *unit;
    uint64_t count = iommu_fault_count();
    size_t kept = fault_recent(faults, FAULTS_KEPT);

    json_object(j, "iommu");
    json_array(j, "units");
    list_for_each_entry (unit, iommu_units(), link)
        json_unit(j, unit);
    json_end_array(j);
    json_snapshot(j);
    json_object(j, "faults");
    json_uint(j, "count", count);
    json_fault_counts(j);
    json_array(j, "recent");
    for (size_t i = 0; i < kept; i++)
        json_fault(j, &faults[i]);
    json_end_array(j);
    json_end_object(j);
    json_end_object(j);
}
