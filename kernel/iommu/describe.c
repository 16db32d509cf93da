/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/iommu/describe.h"

#include "kernel/iommu/domain.h"
#include "kernel/pci/pci.h"

/* By level. */
static const char *const leaf_names[PT_LEAF_MAX + 1] = {"", "4K", "2M", "1G"};

static const char *const kind_names[INVALIDATED_KINDS] = {
    [INVALIDATED_CONTEXT] = "context",       [INVALIDATED_GLOBAL] = "iotlb-global",
    [INVALIDATED_DOMAIN] = "iotlb-domain",   [INVALIDATED_PAGES] = "iotlb-pages",
    [INVALIDATED_DEVICE_TLB] = "device-tlb", [INVALIDATED_ENTRIES] = "interrupt-entries",
};

static const char *permission_text(unsigned permissions)
{
    static const char *const words[] = {"--", "r-", "-w", "rw"};

    return words[permissions & 3];
}

void tell_requesters(const struct teller *to, const char *key, uint16_t segment,
                     const struct requester_ids *requesters)
{
    tell_array(to, key);
    for (unsigned i = 0; i < requesters->count; i++)
        tell_string(to, NULL, " ", pci_rid_name(segment, requesters->ids[i]));
    tell_end_array(to);
}

void tell_leaves(const struct teller *to, const char *key, const char *words, const char *between,
                 const uint64_t leaves[PT_LEAF_MAX + 1])
{
    tell_object(to, key);
    for (unsigned level = 1; level <= PT_LEAF_MAX; level++) {
        tell_uint(to, leaf_names[level], level == 1 || !words ? words : between, leaves[level]);
        if (words)
            tell_words(to, " %s", leaf_names[level]);
    }
    tell_end_object(to);
}

/* A column of a histogram by powers of two; what never happened is not told. */
static void tell_power(const struct teller *to, unsigned bits, uint64_t count)
{
    char key[8];

    if (!count)
        return;
    format(key, sizeof(key), "2^%u", bits);
    tell_uint(to, key, " ", count);
    tell_words(to, " of %s", key);
}

/* ---- units ---- */

static void tell_abilities(const struct teller *to, const struct unit_abilities *can)
{
    tell_object(to, "capabilities");
    tell_uint(to, "levels", "\n  levels ", can->levels);
    tell_uint(to, "address_bits", ", address bits ", can->address_bits);
    tell_string(to, "largest_leaf", ", largest leaf ", leaf_names[can->largest]);
    tell_uint(to, "domains", ", domains ", can->domains);
    tell_uint(to, "fault_records", NULL, can->fault_count);
    tell_uint(to, "max_address_mask", NULL, can->max_mask);
    tell_bool(to, "page_selective", NULL, can->page_selective);
    tell_bool(to, "coherent", NULL, can->coherent);
    tell_bool(to, "snoop_control", NULL, can->snoop_control);
    tell_bool(to, "caching_mode", NULL, can->caching_mode);
    tell_bool(to, "write_buffer_flush", NULL, can->write_buffer);
    tell_bool(to, "queued_invalidation", NULL, can->queue);
    tell_bool(to, "interrupt_remapping", NULL, can->remapping);
    tell_bool(to, "extended_interrupts", NULL, can->x2apic);
    tell_bool(to, "device_tlb", NULL, can->device_tlb);
    tell_end_object(to);
}

/* What its registers say. */
static void tell_registers(const struct teller *to, const struct iommu_unit *unit)
{
    char version[8];

    format(version, sizeof(version), "%u.%u", (unit->version >> 4) & 15, unit->version & 15);
    tell_uint(to, "index", "iommu", unit->index);
    tell_hex(to, "registers", " at ", unit->described->registers);
    tell_uint(to, "segment", NULL, unit->segment);
    tell_words(to, " segment %04x", unit->segment);
    tell_string(to, "version", NULL, version);
    tell_hex(to, "cap", " cap ", unit->cap);
    tell_hex(to, "ecap", " ecap ", unit->ecap);
}

/*
 * Every leaf that was ever stored: what is there, what was removed, what domains had that are gone.
 * Not for a text: the payload makes the domains that are gone through here, and reads texts.
 */
static void tell_leaves_made(const struct teller *to, const struct iommu_unit *unit)
{
    const struct iommu_domain *domain;
    uint64_t made[PT_LEAF_MAX + 1] = {0};

    for (unsigned level = 1; level <= PT_LEAF_MAX; level++) {
        made[level] = unit->leaves_made[level];
        list_for_each_entry (domain, &unit->domains, link)
            made[level] += domain->table.leaves[level] + domain->table.removed[level];
    }
    tell_leaves(to, "leaves_made", NULL, NULL, made);
}

void tell_unit(const struct teller *to, const struct iommu_unit *unit)
{
    tell_registers(to, unit);
    tell_abilities(to, &unit->can);
    tell_bool(to, "translating", "\n  translating ", unit->translating);
    tell_bool(to, "remapping_interrupts", ", remapping interrupts ", unit->remapping);
    tell_bool(to, "faults_ignored", NULL, unit->faults.deaf);
    tell_bool(to, "fenced", ", fenced ", unit->fenced);
    if (unit->fenced)
        tell_string(to, "fence_reason", ": ", unit->fence_reason);
    tell_uint(to, "interrupt_entries_used", NULL, unit->remap.in_use);
    tell_uint(to, "table_pages_used", "\n  table pages ", unit->tables.used);
    tell_words(to, " in %lu frames", unit->tables.used + unit->tables.idle);
    tell_uint(to, "table_pages_stranded", ", stranded ", unit->tables_stranded);
    tell_words(to, ", interrupt entries %u of %u\n", unit->remap.in_use, unit->remap.count);
    tell_words(to, "  faults overflowed %lu, beyond %u requesters %lu, ignored %u\n",
               unit->faults.overflows, FAULT_DEVICES, unit->faults.other, unit->faults.deaf);
    if (to->json)
        tell_leaves_made(to, unit);
}

/* ---- invalidations ---- */

static void tell_latency(const struct teller *to, const char *kind, const struct latency *latency)
{
    tell_object(to, kind);
    tell_words(to, "  %s ns: ", kind);
    tell_uint(to, "samples", NULL, latency->count);
    tell_uint(to, "min", "least ", latency->min_ns);
    tell_uint(to, "mean", ", mean ", latency->total_ns / latency->count);
    tell_uint(to, "max", ", most ", latency->max_ns);
    tell_words(to, ", of %lu timed:", latency->count);
    tell_object(to, "histogram");
    for (unsigned bits = 0; bits < LATENCY_BUCKETS; bits++)
        tell_power(to, bits, latency->buckets[bits]);
    tell_end_object(to);
    tell_words(to, "\n");
    tell_end_object(to);
}

void tell_invalidations(const struct teller *to, const struct invalidation *invalidation)
{
    for (unsigned kind = 0; kind < INVALIDATED_KINDS; kind++) {
        tell_words(to, " %s", kind_names[kind]);
        tell_uint(to, kind_names[kind], " ", invalidation->counts[kind]);
    }
    tell_uint(to, "waits", "\n  waits ", invalidation->waits);
    tell_uint(to, "wait_ns_total", ", ns in all ", invalidation->wait_ns_total);
    tell_uint(to, "wait_ns_max", ", longest ", invalidation->wait_ns_max);
    tell_uint(to, "queue_errors", "; errors: queue ", invalidation->queue_errors);
    tell_uint(to, "time_outs", ", time-out ", invalidation->time_outs);
    tell_uint(to, "completion_errors", ", completion ", invalidation->completions);
    tell_words(to, "\n");
    tell_object(to, "latency_ns");
    for (unsigned kind = 0; kind < INVALIDATED_KINDS; kind++) {
        if (invalidation->latency[kind].count)
            tell_latency(to, kind_names[kind], &invalidation->latency[kind]);
    }
    tell_end_object(to);
}

/* ---- domains ---- */

void tell_figures(const struct teller *to, const struct domain_figures *figures)
{
    const struct domain_history *history = &figures->history;

    tell_uint(to, "maps", "  maps ", figures->maps);
    tell_uint(to, "unmaps", ", unmaps ", figures->unmaps);
    tell_leaves(to, "leaves_made", ", leaves made ", ", ", figures->leaves_made);
    tell_object(to, "peak");
    tell_uint(to, "bytes", "\n  peak ", history->peak_bytes);
    tell_leaves(to, "leaves", " bytes: leaves ", ", ", history->peak_leaves);
    tell_end_object(to);
}

void tell_mapping(const struct teller *to, const struct survey_mapping *mapping)
{
    tell_object(to, NULL);
    tell_hex(to, "first", NULL, mapping->first);
    tell_hex(to, "last", NULL, mapping->last);
    tell_string(to, "leaf", NULL, leaf_names[mapping->level]);
    tell_string(to, "permissions", NULL, permission_text(mapping->permissions));
    tell_end_object(to);
}

void tell_area(const struct teller *to, const struct survey_area *area)
{
    tell_object(to, NULL);
    tell_hex(to, "first", "  ", area->first);
    tell_hex(to, "last", "-", area->last);
    tell_string(to, "permissions", " ", permission_text(area->permissions));
    tell_leaves(to, "leaves", " leaves ", " ", area->leaves);
    tell_words(to, ", runs");
    tell_object(to, "runs");
    for (unsigned i = 0; i < SURVEY_RUN_SIZES; i++)
        tell_power(to, PAGE_SHIFT + i, area->runs[i]);
    tell_end_object(to);
    tell_words(to, "\n");
    tell_end_object(to);
}

/* ---- faults ---- */

static void tell_fault(const struct teller *to, const struct fault *fault)
{
    char text[FAULT_TEXT_MAX];

    fault_describe(fault, text, sizeof(text));
    tell_object(to, NULL);
    tell_string(to, "text", "", text);
    tell_words(to, "\n");
    tell_string(to, "requester", NULL, pci_rid_name(fault->segment, fault->rid));
    tell_uint(to, "reason", NULL, fault->reason);
    tell_bool(to, "interrupt", NULL, fault->interrupt);
    tell_bool(to, "write", NULL, !fault->interrupt && fault->type == FAULT_WRITE);
    tell_hex(to, "address", NULL, fault->address);
    tell_uint(to, "time_ns", NULL, fault->time_ns);
    tell_end_object(to);
}

static void tell_fault_devices(const struct teller *to, const struct iommu_unit *unit)
{
    for (size_t i = 0; i < unit->faults.device_count; i++) {
        const struct fault_device *device = &unit->faults.devices[i];

        tell_object(to, NULL);
        tell_string(to, "requester", NULL, pci_rid_name(unit->segment, device->rid));
        tell_uint(to, "count", NULL, device->count);
        tell_bool(to, "threshold_reached", NULL, device->reached);
        tell_end_object(to);
    }
}

static void tell_fault_counts(const struct teller *to)
{
    const struct iommu_unit *unit;
    uint64_t others = 0, overflows = 0, strangers = 0;

    tell_array(to, "devices");
    list_for_each_entry (unit, &iommu_units, link) {
        tell_fault_devices(to, unit);
        others += unit->faults.other;
        overflows += unit->faults.overflows;
        strangers += unit->faults.strangers;
    }
    tell_end_array(to);
    tell_uint(to, "devices_truncated", NULL, others);
    tell_uint(to, "overflows", NULL, overflows);
    tell_uint(to, "strangers", NULL, strangers);
}

void tell_faults(const struct teller *to)
{
    static struct fault faults[FAULTS_KEPT];
    uint64_t count = iommu_fault_count();
    size_t kept = fault_recent(faults, FAULTS_KEPT);

    tell_uint(to, "count", "count ", count);
    tell_words(to, "\n");
    tell_fault_counts(to);
    tell_array(to, "recent");
    for (size_t i = 0; i < kept; i++)
        tell_fault(to, &faults[i]);
    tell_end_array(to);
}
