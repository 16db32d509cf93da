/* SPDX-License-Identifier: BSD-2-Clause */
/* What the IOMMU did, for the report (JSON) and for the files under /sys/kernel/iommu (text). */
#include "kernel/iommu/unit.h"
#include "kernel/lib/json.h"
#include "kernel/pci/pci.h"

static const char *const leaf_names[PT_LEAF_MAX + 1] = {"", "4K", "2M", "1G"};

static const char *const kind_names[INVALIDATED_KINDS] = {
    [INVALIDATED_CONTEXT] = "context",       [INVALIDATED_GLOBAL] = "iotlb-global",
    [INVALIDATED_DOMAIN] = "iotlb-domain",   [INVALIDATED_PAGES] = "iotlb-pages",
    [INVALIDATED_DEVICE_TLB] = "device-tlb", [INVALIDATED_ENTRIES] = "interrupt-entries",
};

#define RID_TEXT_SIZE 13

static const char *rid_text(uint16_t segment, uint16_t rid, char buffer[RID_TEXT_SIZE])
{
    format(buffer, RID_TEXT_SIZE, "%04x:%02x:%02x.%x", segment, PCI_BUS(rid), PCI_DEVICE(rid),
           PCI_FUNCTION(rid));
    return buffer;
}

/* ---- stretches: mapped IOVA ranges without a hole and with one permission ---- */

struct stretch {
    uint64_t first;
    uint64_t last;
    unsigned permissions;
    uint64_t leaves[PT_LEAF_MAX + 1];
    uint32_t runs[64]; /* physically consecutive pieces by the logarithm of their size */
    paddr_t run_base;
    uint64_t run_length;
};

struct stretch_walk {
    struct stretch now;
    bool open;
    void (*emit)(void *context, const struct stretch *stretch);
    void *context;
};

static void end_run(struct stretch *stretch)
{
    if (stretch->run_length)
        stretch->runs[63 - (unsigned)__builtin_clzll(stretch->run_length)]++;
    stretch->run_length = 0;
}

static void end_stretch(struct stretch_walk *walk)
{
    if (!walk->open)
        return;
    end_run(&walk->now);
    walk->emit(walk->context, &walk->now);
    walk->open = false;
}

static unsigned level_of(uint64_t leaf_size)
{
    unsigned level = 1;

    while (pt_span(level) < leaf_size)
        level++;
    return level;
}

static bool add_leaf(void *context, uint64_t iova, const struct iommu_translation *leaf)
{
    struct stretch_walk *walk = context;
    struct stretch *now = &walk->now;

    if (!walk->open || iova != now->last + 1 || leaf->permissions != now->permissions) {
        end_stretch(walk);
        *now = (struct stretch){.first = iova, .permissions = leaf->permissions};
        walk->open = true;
    }
    if (leaf->physical != now->run_base + now->run_length)
        end_run(now);
    if (!now->run_length)
        now->run_base = leaf->physical;
    now->run_length += leaf->leaf_size;
    now->leaves[level_of(leaf->leaf_size)]++;
    now->last = iova + (leaf->leaf_size - 1);
    return true;
}

static void walk_stretches(const struct iommu_domain *domain,
                           void (*emit)(void *context, const struct stretch *stretch),
                           void *context)
{
    struct stretch_walk walk = {.emit = emit, .context = context};

    page_table_walk(&domain->table, 0, ~UINT64_C(0), add_leaf, &walk);
    end_stretch(&walk);
}

static const char *permission_text(unsigned permissions)
{
    static const char *const words[] = {"--", "r-", "-w", "rw"};

    return words[permissions & 3];
}

/* ---- JSON ---- */

static void json_abilities(struct json *j, const struct unit_abilities *can)
{
    json_object(j, "capabilities");
    json_uint(j, "levels", can->levels);
    json_uint(j, "address_bits", can->address_bits);
    json_string(j, "largest_leaf", leaf_names[can->largest]);
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

static void json_invalidations(struct json *j, const struct invalidation *invalidation)
{
    json_object(j, "invalidations");
    for (unsigned kind = 0; kind < INVALIDATED_KINDS; kind++)
        json_uint(j, kind_names[kind], invalidation->counts[kind]);
    json_uint(j, "waits", invalidation->waits);
    json_uint(j, "wait_ns_total", invalidation->wait_ns_total);
    json_uint(j, "wait_ns_max", invalidation->wait_ns_max);
    json_uint(j, "queue_errors", invalidation->queue_errors);
    json_uint(j, "time_outs", invalidation->time_outs);
    json_uint(j, "completion_errors", invalidation->completions);
    json_end_object(j);
}

static void json_stretch(void *context, const struct stretch *stretch)
{
    struct json *j = context;

    json_object(j, NULL);
    json_hex(j, "first", stretch->first);
    json_hex(j, "last", stretch->last);
    json_string(j, "permissions", permission_text(stretch->permissions));
    json_object(j, "leaves");
    for (unsigned level = 1; level <= PT_LEAF_MAX; level++)
        json_uint(j, leaf_names[level], stretch->leaves[level]);
    json_end_object(j);
    json_object(j, "runs");
    for (unsigned bits = 0; bits < 64; bits++) {
        char size[8];

        if (!stretch->runs[bits])
            continue;
        format(size, sizeof(size), "2^%u", bits);
        json_uint(j, size, stretch->runs[bits]);
    }
    json_end_object(j);
    json_end_object(j);
}

static void json_domain(struct json *j, const struct iommu_domain *domain)
{
    const struct requester *requester;
    char text[RID_TEXT_SIZE];

    json_object(j, NULL);
    json_uint(j, "id", domain->id);
    json_bool(j, "quarantine", domain->quarantine);
    json_array(j, "requesters");
    list_for_each_entry (requester, &domain->unit->requesters, link) {
        if (requester->domain == domain)
            json_string(j, NULL, rid_text(domain->unit->segment, requester->rid, text));
    }
    json_end_array(j);
    json_uint(j, "maps", domain->maps);
    json_uint(j, "unmaps", domain->unmaps);
    json_uint(j, "tables", domain->table.tables + 1);
    json_array(j, "mappings");
    walk_stretches(domain, json_stretch, j);
    json_end_array(j);
    json_end_object(j);
}

/* Every leaf that was ever stored: what is there, what was removed, what domains had that are gone.
 */
static void json_leaves_made(struct json *j, const struct iommu_unit *unit)
{
    const struct iommu_domain *domain;

    json_object(j, "leaves_made");
    for (unsigned level = 1; level <= PT_LEAF_MAX; level++) {
        uint64_t made = unit->leaves_made[level];

        list_for_each_entry (domain, &unit->domains, link)
            made += domain->table.leaves[level] + domain->table.removed[level];
        json_uint(j, leaf_names[level], made);
    }
    json_end_object(j);
}

static void json_unit(struct json *j, const struct iommu_unit *unit)
{
    const struct iommu_domain *domain;
    char version[8];

    format(version, sizeof(version), "%u.%u", (unit->version >> 4) & 15, unit->version & 15);
    json_object(j, NULL);
    json_hex(j, "registers", unit->described->registers);
    json_uint(j, "segment", unit->segment);
    json_string(j, "version", version);
    json_hex(j, "cap", unit->cap);
    json_hex(j, "ecap", unit->ecap);
    json_abilities(j, &unit->can);
    json_bool(j, "translating", unit->translating);
    json_bool(j, "remapping_interrupts", unit->remapping);
    json_bool(j, "fenced", unit->fenced);
    if (unit->fenced)
        json_string(j, "fence_reason", unit->fence_reason);
    json_uint(j, "interrupt_entries_used", unit->remap.in_use);
    json_uint(j, "table_pages_used", unit->tables.used);
    json_uint(j, "table_pages_stranded", unit->tables_stranded);
    json_leaves_made(j, unit);
    json_invalidations(j, &unit->invalidation);
    json_array(j, "domains");
    list_for_each_entry (domain, &unit->domains, link)
        json_domain(j, domain);
    json_end_array(j);
    json_end_object(j);
}

static void json_fault(struct json *j, const struct fault *fault)
{
    char text[FAULT_TEXT_MAX];

    json_object(j, NULL);
    fault_describe(fault, text, sizeof(text));
    json_string(j, "text", text);
    json_string(j, "requester", rid_text(fault->segment, fault->rid, text));
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

    json_array(j, "devices");
    list_for_each_entry (unit, iommu_units(), link) {
        for (size_t i = 0; i < unit->faults.device_count; i++) {
            const struct fault_device *device = &unit->faults.devices[i];
            char text[RID_TEXT_SIZE];

            json_object(j, NULL);
            json_string(j, "requester", rid_text(unit->segment, device->rid, text));
            json_uint(j, "count", device->count);
            json_bool(j, "threshold_reached", device->stopped);
            json_end_object(j);
        }
    }
    json_end_array(j);
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

/* ---- text ---- */

void iommu_units_show(void *context, struct text *out)
{
    const struct iommu_unit *unit;

    list_for_each_entry (unit, iommu_units(), link) {
        text_printf(out, "iommu%u at 0x%llx segment %04x cap 0x%llx ecap 0x%llx\n", unit->index,
                    (unsigned long long)unit->described->registers, unit->segment,
                    (unsigned long long)unit->cap, (unsigned long long)unit->ecap);
        text_printf(out, "  levels %u, address bits %u, largest leaf %s, domains %u\n",
                    unit->can.levels, unit->can.address_bits, leaf_names[unit->can.largest],
                    unit->can.domains);
        text_printf(out, "  translating %u, remapping interrupts %u, fenced %u%s%s\n",
                    unit->translating, unit->remapping, unit->fenced, unit->fenced ? ": " : "",
                    unit->fence_reason);
        text_printf(out, "  table pages %llu, stranded %llu, interrupt entries %u of %u\n",
                    (unsigned long long)unit->tables.used,
                    (unsigned long long)unit->tables_stranded, unit->remap.in_use,
                    unit->remap.count);
    }
}

void iommu_domains_show(void *context, struct text *out)
{
    const struct iommu_unit *unit;
    const struct iommu_domain *domain;
    const struct requester *requester;
    char text[RID_TEXT_SIZE];

    list_for_each_entry (unit, iommu_units(), link) {
        list_for_each_entry (domain, &unit->domains, link) {
            text_printf(out, "iommu%u domain %u%s: leaves %llu 4K, %llu 2M, %llu 1G; %llu tables;",
                        unit->index, domain->id, domain->quarantine ? " (quarantine)" : "",
                        (unsigned long long)domain->table.leaves[1],
                        (unsigned long long)domain->table.leaves[2],
                        (unsigned long long)domain->table.leaves[3],
                        (unsigned long long)domain->table.tables + 1);
            list_for_each_entry (requester, &unit->requesters, link) {
                if (requester->domain == domain)
                    text_printf(out, " %s", rid_text(unit->segment, requester->rid, text));
            }
            text_printf(out, "\n");
        }
    }
}

static void show_stretch(void *context, const struct stretch *stretch)
{
    struct text *out = context;

    text_printf(out, "  0x%llx-0x%llx %s leaves", (unsigned long long)stretch->first,
                (unsigned long long)stretch->last, permission_text(stretch->permissions));
    for (unsigned level = 1; level <= PT_LEAF_MAX; level++)
        text_printf(out, " %llu %s", (unsigned long long)stretch->leaves[level], leaf_names[level]);
    text_printf(out, ", runs");
    for (unsigned bits = 0; bits < 64; bits++) {
        if (stretch->runs[bits])
            text_printf(out, " %u of 2^%u", stretch->runs[bits], bits);
    }
    text_printf(out, "\n");
}

void iommu_mappings_show(void *context, struct text *out)
{
    const struct iommu_unit *unit;
    const struct iommu_domain *domain;

    list_for_each_entry (unit, iommu_units(), link) {
        list_for_each_entry (domain, &unit->domains, link) {
            text_printf(out, "iommu%u domain %u\n", unit->index, domain->id);
            walk_stretches(domain, show_stretch, out);
        }
    }
}

void iommu_faults_show(void *context, struct text *out)
{
    static struct fault faults[FAULTS_KEPT];
    size_t kept;

    text_printf(out, "count %llu\n", (unsigned long long)iommu_fault_count());
    kept = fault_recent(faults, FAULTS_KEPT);
    for (size_t i = 0; i < kept; i++) {
        char text[FAULT_TEXT_MAX];

        fault_describe(&faults[i], text, sizeof(text));
        text_printf(out, "%s\n", text);
    }
}

void iommu_invalidations_show(void *context, struct text *out)
{
    const struct iommu_unit *unit;

    list_for_each_entry (unit, iommu_units(), link) {
        const struct invalidation *invalidation = &unit->invalidation;

        text_printf(out, "iommu%u:", unit->index);
        for (unsigned kind = 0; kind < INVALIDATED_KINDS; kind++)
            text_printf(out, " %s %llu", kind_names[kind],
                        (unsigned long long)invalidation->counts[kind]);
        text_printf(out,
                    "\n  waits %llu, ns in all %llu, longest %llu; errors: queue %llu, "
                    "time-out %llu, completion %llu\n",
                    (unsigned long long)invalidation->waits,
                    (unsigned long long)invalidation->wait_ns_total,
                    (unsigned long long)invalidation->wait_ns_max,
                    (unsigned long long)invalidation->queue_errors,
                    (unsigned long long)invalidation->time_outs,
                    (unsigned long long)invalidation->completions);
    }
}
