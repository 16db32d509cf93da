/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/ioas_snapshot.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "kernel/iommu/format.h"
#include "kernel/ioas/internal.h"
#include "kernel/lib/error.h"
#include "kernel/mm/frames/internal.h"
#include "kernel/mm/heap.h"
#include "tests/unit/host_heap.h"
#include "tests/unit/host_thread.h"
#include "tests/unit/ioas_iommu.h"
#include "tests/unit/ioas_source.h"

#define STEPS_MAX 100000 /* an operation that takes more never ends */

typedef unsigned long long ull;

/* ---- one line for each ---- */

static void show_leaves(FILE *out, const struct page_table *table)
{
    struct table_place place = page_table_seek(table, 0);

    for (; table_place_leaf(&place, BIT(table->address_bits)); table_place_step(&place))
        fprintf(out, "  leaf %llx -> %llx, %llx bytes, %u\n", (ull)place.at,
                (ull)pt_address(*place.slot), (ull)pt_span(place.level),
                second_level_permissions(*place.slot));
}

static void show_domains(FILE *out)
{
    const struct iommu_domain *domain;

    for (size_t n = 0; (domain = ioas_iommu_domain(n)) != NULL; n++) {
        fprintf(out, "domain %p: %u requesters, %zu stale\n", (const void *)domain,
                domain->attached, domain->stale_count);
        show_leaves(out, &domain->table);
    }
    for (uint32_t rid = 0; rid <= UINT16_MAX; rid++)
        if (ioas_iommu_domain_of((uint16_t)rid))
            fprintf(out, "requester %x: %p\n", rid,
                    (const void *)ioas_iommu_domain_of((uint16_t)rid));
}

static void show_pins(FILE *out)
{
    for (uint32_t i = 0; i < frames.count; i++)
        if (frames.frame[i].pins)
            fprintf(out, "frame %x: %u pins\n", frames.base + i, frames.frame[i].pins);
    for (uint32_t i = 0; i < frames.count; i += FRAMES_PER_2M)
        if (region_of(frames.base + i)->pins)
            fprintf(out, "region %x: %u pins\n", frames.base + i, region_of(frames.base + i)->pins);
    fprintf(out, "%llu pins, %llu orphans\n", (ull)frames.stats.pins, (ull)frames.stats.orphans);
}

static size_t count_watches(const struct ioas_pages *pages)
{
    size_t count = 0;

    for (const struct device_watch *watch = pages->watches; watch; watch = watch->next)
        count++;
    return count;
}

static void show_areas(FILE *out, const struct ioas *ioas)
{
    struct ioas_area *area;

    ioas_for_each_area(area, ioas)
    {
        const struct ioas_pages *pages = area->pages;

        fprintf(out, "  area %p %llx-%llx: byte %llx of %p, %u\n", (void *)area,
                (ull)area->node.first, (ull)area->node.last, (ull)area->offset, (const void *)pages,
                area->permissions);
        fprintf(out, "    pages: %u references, %u users, %llu charged, %zu watches%s%s\n",
                pages->references, pages->users, (ull)pages->charged, count_watches(pages),
                pages->stuck ? ", stuck" : "", pages->revoked ? ", revoked" : "");
    }
}

static void show_space(FILE *out, const struct ioas *ioas)
{
    struct ioas_range range;
    struct ioas_domain *at;

    fprintf(out, "space %p: %zu areas, alignment %llu, %s leaves, charge %llu\n",
            (const void *)ioas, ioas_area_count(ioas), (ull)ioas_alignment(ioas),
            ioas_small_leaves(ioas) ? "small" : "all", (ull)ioas->account->used);
    ioas_for_each_usable(range, ioas)
        fprintf(out, "  usable %llx-%llx\n", (ull)range.first, (ull)range.last);
    for (size_t i = 0; i < ioas->allowed_count; i++)
        fprintf(out, "  allowed %llx-%llx\n", (ull)ioas->allowed[i].first,
                (ull)ioas->allowed[i].last);
    list_for_each_entry (at, &ioas->domains, link)
        fprintf(out, "  domain %p\n", (void *)at->domain);
    show_areas(out, ioas);
}

char *snapshot_take(struct ioas *const *spaces, size_t count)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    if (!out)
        abort();
    for (size_t i = 0; i < count; i++)
        show_space(out, spaces[i]);
    show_domains(out);
    show_pins(out);
    fprintf(out, "%llu table pages, %zu bytes of heap, %u references to the source\n",
            (ull)ioas_iommu_tables(), heap_used(), source_references);
    fclose(out);
    return text;
}

/* ---- comparing ---- */

void snapshot_compare(const char *name, uint64_t step, char *before, char *after)
{
    size_t at = 0;

    if (strcmp(before, after) != 0) {
        for (size_t i = 0; before[i] == after[i]; i++)
            if (before[i] == '\n')
                at = i + 1;
        fprintf(stderr, "%s, failure of step %llu:\nbefore: %.*s\nafter:  %.*s\n", name, (ull)step,
                (int)strcspn(before + at, "\n"), before + at, (int)strcspn(after + at, "\n"),
                after + at);
        abort();
    }
    free(before);
    free(after);
}

/* What can happen at the n-th step of an operation. */
struct failure {
    int error;
    void (*arm)(uint64_t n); /* 0: it happens no more */
    bool (*happened)(void);
};

static uint64_t every_failure(const struct failure *failure, const char *name, int64_t (*run)(void),
                              char *(*snapshot)(void))
{
    for (uint64_t step = 1; step < STEPS_MAX; step++) {
        char *before = snapshot();
        int64_t result;
        bool failed;

        failure->arm(step);
        result = run();
        failed = failure->happened();
        failure->arm(0);
        if (failed ? result != failure->error : result < 0) {
            fprintf(stderr, "%s, failure of step %llu: answer %lld\n", name, (ull)step,
                    (long long)result);
            abort();
        }
        if (!failed) {
            free(before);
            printf("%-32s %5llu steps\n", name, (ull)step - 1);
            return step - 1;
        }
        snapshot_compare(name, step, before, snapshot());
        ioas_iommu_forget_idle();
    }
    abort();
}

uint64_t every_step_fails(const char *name, int64_t (*run)(void), char *(*snapshot)(void))
{
    static const struct failure failure = {-ENOMEM, host_fail_nth, host_failed};

    return every_failure(&failure, name, run, snapshot);
}

static uint64_t breaths, last_breath;

static int breathe(const char *point, enum thread_hears hears)
{
    if (hears == HEARS_NOTHING)
        return 0;
    return ++breaths >= last_breath ? -EINTR : 0;
}

static void end_at_breath(uint64_t n)
{
    breaths = 0;
    last_breath = n;
    host_breath = n ? breathe : NULL;
    host_breath_work = breath_left = n ? 0 : BREATH_WORK; /* 0: at every step */
}

static bool breath_ended(void)
{
    return breaths >= last_breath;
}

uint64_t every_breath_ends(const char *name, int64_t (*run)(void), char *(*snapshot)(void))
{
    static const struct failure failure = {-EINTR, end_at_breath, breath_ended};

    return every_failure(&failure, name, run, snapshot);
}
