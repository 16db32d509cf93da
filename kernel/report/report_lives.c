/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/report/report.h"

#include "kernel/cpu/time.h"
#include "kernel/cpu/trap.h"
#include "kernel/iommu/iommu.h"
#include "kernel/lib/format.h"
#include "kernel/lib/json.h"
#include "kernel/mm/frames/frames.h"
#include "kernel/mm/heap.h"

#define NEWEST 15u /* lives kept beside the first one, which the others are compared with */

struct life {
    uint64_t number;
    struct report_end end;
    char sentence[160];
    uint64_t ended_ns;
    struct frames_stats frames;
    size_t heap;
    struct iommu_usage iommu;
    unsigned vectors;
};

static struct life first, newest[NEWEST];
static uint64_t count;
static const char *why_no_restart;

void report_life(const struct report_end *end)
{
    struct life *life = count ? &newest[count % NEWEST] : &first;

    heap_trim();
    *life = (struct life){
        .number = ++count,
        .end = *end,
        .ended_ns = time_ns(),
        .heap = heap_used(),
        .iommu = iommu_usage(),
        .vectors = vector_used(),
    };
    frames_stats(&life->frames);
    format(life->sentence, sizeof(life->sentence), "%s", end->sentence ? end->sentence : "");
}

void report_no_restart(const char *sentence)
{
    why_no_restart = sentence;
}

static void write_life(struct json *json, const struct life *life)
{
    json_object(json, NULL);
    json_uint(json, "number", life->number);
    json_string(json, "reason", end_reason_name(life->end.reason));
    json_int(json, life->end.reason == END_PAYLOAD ? "status" : "signal", life->end.status);
    if (life->sentence[0])
        json_string(json, "sentence", life->sentence);
    json_uint(json, "ended_ns", life->ended_ns);
    json_uint(json, "frames_free", life->frames.free);
    json_uint(json, "orphans", life->frames.orphans);
    json_uint(json, "pins", life->frames.pins);
    json_uint(json, "heap_bytes", life->heap);
    json_uint(json, "domain_ids", life->iommu.domain_ids);
    json_uint(json, "interrupt_entries", life->iommu.interrupt_entries);
    json_uint(json, "table_pages", life->iommu.table_pages);
    json_uint(json, "vectors", life->vectors);
    json_end_object(json);
}

void report_lives(struct json *json)
{
    uint64_t oldest = count > NEWEST ? count - NEWEST : 1;

    json_object(json, "lives");
    json_uint(json, "restarts", count ? count - 1 : 0);
    if (why_no_restart)
        json_string(json, "no_restart", why_no_restart);
    json_array(json, "ended");
    if (count)
        write_life(json, &first);
    for (uint64_t i = oldest; i < count; i++)
        write_life(json, &newest[i % NEWEST]);
    json_end_array(json);
    json_end_object(json);
}
