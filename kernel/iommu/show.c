/* SPDX-License-Identifier: BSD-2-Clause */
/* What the IOMMU is doing now, as the texts under /sys/kernel/iommu (docs/iommu.md). */
#include "kernel/cpu/thread.h"
#include "kernel/iommu/names.h"
#include "kernel/iommu/snapshot.h"
#include "kernel/iommu/unit.h"

/*
 * A list of things that the payload makes ends here and says how many more there are: a file of
 * text is cut at TEXT_FILE_MAX, which is twice this, without a word.
 */
#define LIST_BYTES  (512 * KIB)
#define DOMAIN_WORK 15000 /* of the lines for a domain: breathe_after() */
#define LINE_WORK   5000

typedef unsigned long long ull;

/* Is there room for one more in a list? If not, it is counted. */
static bool has_room(const struct text *out, uint64_t *left_out)
{
    bool room = out->length < LIST_BYTES;

    *left_out += !room;
    return room;
}

void iommu_units_show(void *context, struct text *out)
{
    const struct iommu_unit *unit;

    list_for_each_entry (unit, iommu_units(), link) {
        text_printf(out, "iommu%u at 0x%llx segment %04x cap 0x%llx ecap 0x%llx\n", unit->index,
                    (ull)unit->described->registers, unit->segment, (ull)unit->cap,
                    (ull)unit->ecap);
        text_printf(out, "  levels %u, address bits %u, largest leaf %s, domains %u\n",
                    unit->can.levels, unit->can.address_bits, iommu_leaf_names[unit->can.largest],
                    unit->can.domains);
        text_printf(out, "  translating %u, remapping interrupts %u, fenced %u%s%s\n",
                    unit->translating, unit->remapping, unit->fenced, unit->fenced ? ": " : "",
                    unit->fence_reason);
        text_printf(
            out, "  table pages %llu in %llu frames, stranded %llu, interrupt entries %u of %u\n",
            (ull)unit->tables.used, (ull)unit->tables.chunks * TABLE_CHUNK_PAGES,
            (ull)unit->tables_stranded, unit->remap.in_use, unit->remap.count);
        text_printf(out, "  faults overflowed %llu, beyond %u requesters %llu, ignored %u\n",
                    (ull)unit->faults.overflows, FAULT_DEVICES, (ull)unit->faults.other,
                    unit->faults.deaf);
    }
}

/* ---- domains ---- */

/* "2 4K, 0 2M, 1 1G" */
static void show_leaves(struct text *out, const uint64_t leaves[PT_LEAF_MAX + 1],
                        const char *between)
{
    for (unsigned level = 1; level <= PT_LEAF_MAX; level++)
        text_printf(out, "%s%llu %s", level > 1 ? between : "", (ull)leaves[level],
                    iommu_leaf_names[level]);
}

static void show_figures(struct text *out, const struct snapshot_figures *figures)
{
    const struct domain_history *history = &figures->history;
    char text[RID_TEXT_SIZE];

    text_printf(out, "  maps %llu, unmaps %llu, leaves made ", (ull)figures->maps,
                (ull)figures->unmaps);
    show_leaves(out, figures->leaves_made, ", ");
    text_printf(out, "\n  peak %llu bytes: leaves ", (ull)history->peak_bytes);
    show_leaves(out, history->peak_leaves, ", ");
    text_printf(out, "\n  ever attached:");
    for (unsigned i = 0; i < history->attached.count; i++)
        text_printf(out, " %s",
                    iommu_rid_text(figures->unit->segment, history->attached.ids[i], text));
    text_printf(out, "\n");
}

static void show_domain(struct text *out, const struct iommu_domain *domain)
{
    const struct iommu_unit *unit = domain->unit;
    const struct snapshot_figures figures = snapshot_figures(domain);
    const struct requester *requester;
    char text[RID_TEXT_SIZE];

    text_printf(out, "iommu%u domain %u%s: leaves ", unit->index, domain->id,
                domain->quarantine ? " (quarantine)" : "");
    show_leaves(out, domain->table.leaves, ", ");
    text_printf(out, "; %llu tables;", (ull)domain->table.tables + 1);
    list_for_each_entry (requester, &unit->requesters, link) {
        if (requester->domain == domain)
            text_printf(out, " %s", iommu_rid_text(unit->segment, requester->rid, text));
    }
    text_printf(out, "\n");
    show_figures(out, &figures);
}

static void show_past_domain(void *context, const struct snapshot_figures *figures)
{
    struct text *out = context;

    text_printf(out, "iommu%u domain %u: destroyed at %llu ns\n", figures->unit->index, figures->id,
                (ull)figures->destroyed_ns);
    show_figures(out, figures);
}

static int show_domains(struct text *out, const struct iommu_unit *unit, uint64_t *left_out)
{
    const struct iommu_domain *domain;
    int error = 0;

    list_for_each_entry (domain, &unit->domains, link) {
        bool room = has_room(out, left_out);

        if (room)
            show_domain(out, domain);
        error = breathe_after(room ? DOMAIN_WORK : 1, "showing domains");
        if (error)
            break;
    }
    return error;
}

void iommu_domains_show(void *context, struct text *out)
{
    const struct iommu_unit *unit;
    uint64_t left_out = 0, forgotten;

    out->error = snapshot_hold();
    if (out->error)
        return;
    list_for_each_entry (unit, iommu_units(), link) {
        if (!out->error)
            out->error = show_domains(out, unit, &left_out);
    }
    snapshot_release();
    if (left_out)
        text_printf(out, "and %llu more domains\n", (ull)left_out);
    forgotten = snapshot_past(show_past_domain, out);
    if (forgotten)
        text_printf(out, "and %llu domains destroyed before\n", (ull)forgotten);
}

/* ---- mappings ---- */

struct area_lines {
    struct text *out;
    uint64_t left_out;
};

static void show_area(void *context, const struct survey_area *area)
{
    struct area_lines *lines = context;
    struct text *out = lines->out;

    if (!has_room(out, &lines->left_out))
        return;
    breath_left -= LINE_WORK;
    text_printf(out, "  0x%llx-0x%llx %s leaves ", (ull)area->first, (ull)area->last,
                iommu_permission_text(area->permissions));
    show_leaves(out, area->leaves, " ");
    text_printf(out, ", runs");
    for (unsigned i = 0; i < SURVEY_RUN_SIZES; i++) {
        if (area->runs[i])
            text_printf(out, " %u of 2^%u", area->runs[i], PAGE_SHIFT + i);
    }
    text_printf(out, "\n");
}

static int show_mappings(struct area_lines *lines, const struct iommu_unit *unit)
{
    const struct survey_sink sink = {.area = show_area, .context = lines, .breathes = true};
    const struct iommu_domain *domain;
    int error = 0;

    list_for_each_entry (domain, &unit->domains, link) {
        if (lines->out->length < LIST_BYTES)
            text_printf(lines->out, "iommu%u domain %u\n", unit->index, domain->id);
        error = survey_domain(domain, &sink);
        if (!error)
            error = breathe_after(LINE_WORK, "showing domains");
        if (error)
            break;
    }
    return error;
}

void iommu_mappings_show(void *context, struct text *out)
{
    const struct iommu_unit *unit;
    struct area_lines lines = {.out = out};

    out->error = snapshot_hold();
    if (out->error)
        return;
    list_for_each_entry (unit, iommu_units(), link) {
        if (!out->error)
            out->error = show_mappings(&lines, unit);
    }
    snapshot_release();
    if (lines.left_out)
        text_printf(out, "and %llu more\n", (ull)lines.left_out);
}

/* ---- faults and invalidations ---- */

void iommu_faults_show(void *context, struct text *out)
{
    static struct fault faults[FAULTS_KEPT];
    size_t kept;

    text_printf(out, "count %llu\n", (ull)iommu_fault_count());
    kept = fault_recent(faults, FAULTS_KEPT);
    for (size_t i = 0; i < kept; i++) {
        char text[FAULT_TEXT_MAX];

        fault_describe(&faults[i], text, sizeof(text));
        text_printf(out, "%s\n", text);
    }
}

static void show_latency(struct text *out, const char *kind, const struct latency *latency)
{
    text_printf(out, "  %s ns: least %llu, mean %llu, most %llu, of %llu timed:", kind,
                (ull)latency->min_ns, (ull)(latency->total_ns / latency->count),
                (ull)latency->max_ns, (ull)latency->count);
    for (unsigned bits = 0; bits < LATENCY_BUCKETS; bits++) {
        if (latency->buckets[bits])
            text_printf(out, " %llu of 2^%u", (ull)latency->buckets[bits], bits);
    }
    text_printf(out, "\n");
}

void iommu_invalidations_show(void *context, struct text *out)
{
    const struct iommu_unit *unit;

    list_for_each_entry (unit, iommu_units(), link) {
        const struct invalidation *invalidation = &unit->invalidation;

        text_printf(out, "iommu%u:", unit->index);
        for (unsigned kind = 0; kind < INVALIDATED_KINDS; kind++)
            text_printf(out, " %s %llu", iommu_kind_names[kind], (ull)invalidation->counts[kind]);
        text_printf(out,
                    "\n  waits %llu, ns in all %llu, longest %llu; errors: queue %llu, "
                    "time-out %llu, completion %llu\n",
                    (ull)invalidation->waits, (ull)invalidation->wait_ns_total,
                    (ull)invalidation->wait_ns_max, (ull)invalidation->queue_errors,
                    (ull)invalidation->time_outs, (ull)invalidation->completions);
        for (unsigned kind = 0; kind < INVALIDATED_KINDS; kind++) {
            if (invalidation->latency[kind].count)
                show_latency(out, iommu_kind_names[kind], &invalidation->latency[kind]);
        }
    }
}
