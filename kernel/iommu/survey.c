/* SPDX-License-Identifier: BSD-2-Clause */
/* From leaves to rows: mappings, and areas with the sizes of the runs behind them. */
#include "kernel/iommu/survey.h"

#include "kernel/cpu/thread.h"
#include "kernel/iommu/domain.h"
#include "kernel/iommu/format.h"

/* Work (breathe_after()): an absent entry of a table, a leaf, an area that begins. */
#define ENTRY_WORK 60
#define LEAF_WORK  250
#define AREA_WORK  500

struct walk {
    const struct iommu_domain *domain;
    const struct survey_sink *sink;
    bool open; /* there is a mapping and an area to go on with */
    struct survey_mapping mapping;
    struct survey_area area;
    uint64_t area_end; /* the last IOVA that can belong to the area */
    paddr_t run_base;
    uint64_t run_length;
    int error;
};

static void end_run(struct walk *walk)
{
    uint32_t *count;

    if (!walk->run_length)
        return;
    count = &walk->area.runs[63 - (unsigned)__builtin_clzll(walk->run_length) - PAGE_SHIFT];
    *count += *count < UINT32_MAX;
    walk->run_length = 0;
}

static void end_area(struct walk *walk)
{
    end_run(walk);
    if (walk->open)
        walk->sink->area(walk->sink->context, &walk->area);
}

static void end_mapping(struct walk *walk)
{
    if (walk->open && walk->sink->mapping)
        walk->sink->mapping(walk->sink->context, &walk->mapping);
}

/* The owner's area that holds the IOVA ends what begins there, or the next one does. */
static uint64_t end_of_area(const struct iommu_domain *domain, uint64_t iova)
{
    uint64_t first, last;

    if (!domain->find_area || !domain->find_area(domain->areas, iova, &first, &last))
        return UINT64_MAX;
    return first > iova ? first - 1 : last;
}

static void add_to_area(struct walk *walk, const struct survey_mapping *leaf, paddr_t physical)
{
    struct survey_area *area = &walk->area;

    if (!walk->open || leaf->first != area->last + 1 || leaf->permissions != area->permissions ||
        leaf->first > walk->area_end) {
        end_area(walk);
        breath_left -= AREA_WORK;
        *area = (struct survey_area){.first = leaf->first, .permissions = leaf->permissions};
        walk->area_end = end_of_area(walk->domain, leaf->first);
    }
    if (physical != walk->run_base + walk->run_length)
        end_run(walk);
    if (!walk->run_length)
        walk->run_base = physical;
    walk->run_length += pt_span(leaf->level);
    area->leaves[leaf->level]++;
    area->last = leaf->last;
}

static void add_to_mapping(struct walk *walk, const struct survey_mapping *leaf)
{
    struct survey_mapping *mapping = &walk->mapping;

    if (walk->open && leaf->first == mapping->last + 1 && leaf->level == mapping->level &&
        leaf->permissions == mapping->permissions) {
        mapping->last = leaf->last;
        return;
    }
    end_mapping(walk);
    *mapping = *leaf;
}

/* For a leaf, and the absent entries that were passed on the way to it. */
static uint32_t work_of(const struct walk *walk, uint64_t iova)
{
    uint64_t gap = walk->open ? iova - walk->mapping.last : iova;
    uint64_t entries = 0;

    for (unsigned level = 1; level <= walk->domain->table.levels; level++)
        entries += MIN(gap / pt_span(level), PT_ENTRIES);
    return LEAF_WORK + (uint32_t)entries * ENTRY_WORK;
}

static void add_leaf(struct walk *walk, const struct table_place *place)
{
    const paddr_t physical = table_place_physical(place);
    const struct survey_mapping leaf = {
        .first = place->at,
        .last = place->at + (pt_span(place->level) - 1),
        .level = (uint8_t)place->level,
        .permissions = (uint8_t)second_level_permissions(*place->slot),
    };

    /* From here on the place may be gone. */
    if (walk->sink->breathes)
        walk->error = breathe_after(work_of(walk, leaf.first), "reading io page tables");
    if (walk->error)
        return;
    add_to_area(walk, &leaf, physical);
    add_to_mapping(walk, &leaf);
    walk->open = true;
}

int survey_domain(const struct iommu_domain *domain, const struct survey_sink *sink)
{
    struct walk walk = {.domain = domain, .sink = sink};
    uint64_t next = 0, last = domain_last(domain);

    while (next <= last && !walk.error) {
        struct table_place place = page_table_seek(&domain->table, next);

        if (!table_place_leaf(&place, last + 1))
            break;
        place.at = ALIGN_DOWN(place.at, pt_span(place.level));
        next = place.at + pt_span(place.level);
        add_leaf(&walk, &place);
    }
    end_mapping(&walk);
    end_area(&walk);
    return walk.error;
}
