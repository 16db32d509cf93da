/* SPDX-License-Identifier: BSD-2-Clause */
/* Domains: a page table with a domain id, and the invalidation that goes with its changes. */
#include "kernel/iommu/domain.h"

#include "kernel/cpu/time.h"
#include "kernel/iommu/ats.h"
#include "kernel/iommu/format.h"
#include "kernel/iommu/inplace.h"
#include "kernel/iommu/requester.h"
#include "kernel/iommu/unit.h"
#include "kernel/lib/error.h"
#include "kernel/lib/log.h"
#include "kernel/lib/panic.h"
#include "kernel/mm/heap.h"
#include "kernel/machine/console/trace.h"

/* ---- domain ids ---- */

static int ids_init(struct iommu_unit *unit)
{
    if (unit->domain_ids)
        return 0;
    unit->domain_ids = kcalloc((unit->can.domains + 63) / 64, sizeof(uint64_t));
    if (!unit->domain_ids)
        return -ENOMEM;
    /* With caching mode absent entries are cached under id 0, so no domain may have it (6.1). */
    if (unit->can.caching_mode)
        unit->domain_ids[0] |= 1;
    return 0;
}

static int id_alloc(struct iommu_unit *unit)
{
    for (uint32_t word = 0; word < (unit->can.domains + 63) / 64; word++) {
        uint64_t vacant = ~unit->domain_ids[word];
        uint32_t id;

        if (!vacant)
            continue;
        id = word * 64 + (uint32_t)__builtin_ctzll(vacant);
        if (id >= unit->can.domains)
            break;
        unit->domain_ids[word] |= BIT(id % 64);
        return (int)id;
    }
    log_error("iommu%u: all %u domain ids are in use", unit->index, unit->can.domains);
    return -ENOSPC;
}

static void id_free(struct iommu_unit *unit, uint16_t id)
{
    unit->domain_ids[id / 64] &= ~BIT(id % 64);
}

static unsigned ids_used(const struct iommu_unit *unit)
{
    unsigned used = 0;

    for (uint32_t word = 0; unit->domain_ids && word < (unit->can.domains + 63) / 64; word++)
        used += (unsigned)__builtin_popcountll(unit->domain_ids[word]);
    return used;
}

struct iommu_usage iommu_usage(void)
{
    struct iommu_usage usage = {0};
    const struct iommu_unit *unit;

    list_for_each_entry (unit, &iommu_units, link) {
        usage.domain_ids += ids_used(unit);
        usage.interrupt_entries += unit->remap.in_use;
        usage.table_pages += unit->tables.used;
    }
    return usage;
}

/* ---- life ---- */

uint64_t domain_last(const struct iommu_domain *domain)
{
    return BIT(domain->table.address_bits) - 1;
}

static int create_page_table(struct iommu_domain *domain)
{
    const struct unit_abilities *can = &domain->unit->can;

    domain->snoop = can->snoop_control;
    domain->table.levels = can->levels;
    domain->table.largest = can->largest;
    domain->table.address_bits = can->address_bits;
    domain->table.link = SECOND_LEVEL_LINK;
    domain->table.flush = !can->coherent;
    domain->table.remembers = !(trace_classes & TRACE_MAPS); /* the short way does not tell */
    /* Physical addresses an entry may hold: the host's width, as the DMAR table gives it. */
    domain->table.physical_limit = BIT(MIN(iommu_dmar->address_width, 52));
    return page_table_init(&domain->table, &domain->unit->tables);
}

int domain_create(struct iommu_unit *unit, bool quarantine, struct iommu_domain **out)
{
    struct iommu_domain *domain;
    int id, error;

    if (unit->fenced)
        return -EIO;
    error = ids_init(unit);
    if (error)
        return error;
    id = id_alloc(unit);
    if (id < 0)
        return id;
    domain = kzalloc(sizeof(*domain));
    if (!domain) {
        error = -ENOMEM;
        goto free_id;
    }
    domain->unit = unit;
    domain->id = (uint16_t)id;
    domain->quarantine = quarantine;
    domain->history.created_ns = time_ns();
    list_init(&domain->requesters);
    error = create_page_table(domain);
    if (error)
        goto free_domain;
    list_push_back(&unit->domains, &domain->link);
    *out = domain;
    return 0;

free_domain:
    kfree(domain);
free_id:
    id_free(unit, (uint16_t)id);
    return error;
}

int iommu_domain_create(struct iommu_unit *unit, struct iommu_domain **out)
{
    return domain_create(unit, false, out);
}

void iommu_domain_destroy(struct iommu_domain *domain)
{
    struct iommu_unit *unit = domain->unit;

    ASSERT(domain->attached == 0);
    history_domain_ends(domain);
    for (unsigned level = 1; level <= PT_LEAF_MAX; level++)
        unit->leaves_made[level] += domain->table.leaves[level] + domain->table.removed[level];
    list_remove(&domain->link);
    if (domain_invalidate(domain)) {
        /* The unit may still walk the tables: they and the id are lost for good. */
        unit->tables_stranded += domain->table.tables + 1;
    } else {
        page_table_destroy(&domain->table);
        id_free(unit, domain->id);
    }
    kfree(domain);
}

void iommu_domain_set_areas(struct iommu_domain *domain, iommu_find_area find, const void *owner)
{
    domain->find_area = find;
    domain->areas = owner;
}

void iommu_domain_geometry(const struct iommu_domain *domain, struct iommu_geometry *out)
{
    out->address_bits = domain->table.address_bits;
    out->page_sizes = 0;
    for (unsigned level = 1; level <= domain->table.largest; level++)
        out->page_sizes |= pt_span(level);
    out->snoop_control = domain->snoop;
}

/* ---- invalidation ---- */

void domain_invalidate_device_tlbs(struct iommu_domain *domain, uint64_t first, uint64_t last)
{
    struct requester *requester;

    if (!domain->with_ats)
        return;
    invalidate_fence(domain->unit);
    list_for_each_entry (requester, &domain->requesters, domain_link) {
        if (ats_holds(requester))
            invalidate_device_tlb(requester, first, last);
    }
}

int domain_invalidate(struct iommu_domain *domain)
{
    invalidate_domain(domain->unit, domain->id);
    domain_invalidate_device_tlbs(domain, 0, domain_last(domain));
    return invalidation_wait(domain->unit);
}

void iommu_gather_init(struct iommu_gather *gather, struct iommu_domain *domain)
{
    *gather = (struct iommu_gather){.domain = domain, .removed = TABLE_GATHER_EMPTY};
}

static bool gather_changed(const struct table_gather *removed)
{
    return removed->first <= removed->last || removed->trimmed;
}

/* Adds the invalidations of everything in the gather. */
static void invalidate_gather(struct iommu_gather *gather)
{
    struct iommu_domain *domain = gather->domain;
    const struct table_gather *removed = &gather->removed;
    struct iommu_unit *unit = domain->unit;
    uint64_t trimmed = removed->trimmed & ~(uint64_t)GATHER_TRIMMED;

    if (removed->trimmed)
        invalidate_range(unit, domain->id, trimmed, trimmed, PAGE_SHIFT, false);
    if (removed->first > removed->last)
        return;
    invalidate_range(unit, domain->id, removed->first, removed->last, removed->leaf_bits,
                     !removed->freed);
    domain_invalidate_device_tlbs(domain, removed->first, removed->last);
}

static void gather_open(struct iommu_gather *gather)
{
    gather->domain->open += !gather->open;
    gather->open = true;
}

static void trace_map(enum trace_kind kind, const struct iommu_domain *domain, size_t runs,
                      uint64_t iova, uint64_t length)
{
    const uint64_t *leaves = domain->table.leaves;

    TRACE(TRACE_MAPS, kind, domain->id, runs, iova, length, leaves[1], leaves[2], leaves[3]);
}

void iommu_unmap(struct iommu_domain *domain, uint64_t iova, uint64_t length,
                 struct iommu_gather *gather)
{
    ASSERT(length && IS_ALIGNED(iova | length, PAGE_SIZE));
    gather_open(gather);
    domain->unmaps++;
    domain_note_peak(&domain->history, &domain->table);
    page_table_unmap(&domain->table, iova, length, &gather->removed);
    trace_map(TRACE_IOVA_UNMAP, domain, 0, iova, length);
}

static void strand_tables(struct iommu_gather *gather)
{
    while (gather->removed.freed) {
        gather->domain->unit->tables_stranded++;
        gather->removed.freed = table_page_of(table_entries(gather->removed.freed))->next;
    }
}

int iommu_sync(struct iommu_gather *gather)
{
    struct iommu_domain *domain = gather->domain;
    struct iommu_unit *unit = domain->unit;
    int error = unit->fenced ? -EIO : 0;

    domain->open -= gather->open;
    /* Without a requester nothing can be cached: the last detach invalidated the domain. */
    if (!error && domain->attached && gather_changed(&gather->removed)) {
        invalidate_gather(gather);
        error = invalidation_wait(unit);
    }
    if (error)
        strand_tables(gather);
    else if (gather->removed.freed)
        page_table_release(&domain->table, &gather->removed);
    iommu_gather_init(gather, domain);
    return error;
}

static APART int unmap_any(struct iommu_domain *domain, uint64_t iova, uint64_t length)
{
    struct iommu_gather gather;

    iommu_gather_init(&gather, domain);
    iommu_unmap(domain, iova, length, &gather);
    return iommu_sync(&gather);
}

ALWAYS_INLINE int iommu_unmap_now(struct iommu_domain *domain, uint64_t iova, uint64_t length)
{
    struct iommu_unit *unit = domain->unit;

    if (length != PAGE_SIZE)
        domain_note_peak(&domain->history, &domain->table);
    if (domain->with_ats || !domain->attached || unit->fenced ||
        !unmap_in_place(&domain->table, iova, length))
        return unmap_any(domain, iova, length);
    domain->unmaps++;
    invalidate_leaf(unit, domain->id, iova, (unsigned)__builtin_ctzll(length));
    return invalidation_wait(unit);
}

/* ---- map ---- */

/* New entries: with caching mode their absence may be cached, else they may sit in a buffer. */
static int pages_appear(struct iommu_domain *domain, uint64_t iova, uint64_t length)
{
    struct iommu_unit *unit = domain->unit;

    if (!unit->can.caching_mode || !domain->attached)
        return unit_flush_writes(unit);
    /* Absence is cached by the page, whatever the size of the leaf that is there now. */
    invalidate_range(unit, domain->id, iova, iova + (length - 1), PAGE_SHIFT, false);
    return invalidation_wait(unit);
}

/*
 * Takes a map that failed back: the leaves it got done, and the idle table, so that it leaves no
 * table behind and nothing is in the way of another try. Returns the error to give.
 */
static int undo_map(struct iommu_domain *domain, uint64_t iova, uint64_t mapped, int error)
{
    struct iommu_gather undo;

    iommu_gather_init(&undo, domain);
    gather_open(&undo);
    if (mapped)
        page_table_unmap(&domain->table, iova, mapped, &undo.removed);
    page_table_trim(&domain->table, &undo.removed);
    return iommu_sync(&undo) ? -EIO : error;
}

/* Maps all of it or nothing. -EAGAIN: only an idle table was in the way, and it is gone now. */
static int map_whole(struct iommu_domain *domain, uint64_t iova, const struct phys_run *runs,
                     size_t count, uint64_t bits, bool small, uint64_t *mapped)
{
    int error = page_table_map(&domain->table, iova, runs, count, bits, small, mapped);

    return error ? undo_map(domain, iova, *mapped, error) : 0;
}

static APART int map_any(struct iommu_domain *domain, uint64_t iova, const struct phys_run *runs,
                         size_t count, uint64_t bits, bool small)
{
    uint64_t mapped;
    int error;

    if (domain->unit->fenced)
        return -EIO;
    /*
     * What was unmapped and not synced may still be cached, tables included. A new leaf over it
     * would be a second translation for one address: invalidate between clear and set.
     */
    if (domain->open && domain_invalidate(domain))
        return -EIO;
    domain_note_peak(&domain->history, &domain->table);
    error = map_whole(domain, iova, runs, count, bits, small, &mapped);
    if (error == -EAGAIN)
        error = map_whole(domain, iova, runs, count, bits, small, &mapped);
    if (error)
        return error;
    if (pages_appear(domain, iova, mapped))
        return undo_map(domain, iova, mapped, -EIO);
    trace_map(TRACE_IOVA_MAP, domain, count, iova, mapped);
    return 0;
}

ALWAYS_INLINE int iommu_map(struct iommu_domain *domain, uint64_t iova, const struct phys_run *runs,
                            size_t count, unsigned permissions, unsigned flags)
{
    const uint64_t bits = second_level_bits(permissions, domain->snoop);
    bool small = flags & IOMMU_SMALL_LEAVES;
    int error = 0;

    if (permissions - 1 >= SECOND_LEVEL_PERMISSIONS)
        return -EINVAL;
    if (count != 1 || domain->open || !domain->unit->stores_suffice ||
        !map_in_place(&domain->table, iova, runs, bits, small))
        error = map_any(domain, iova, runs, count, bits, small);
    domain->maps += !error;
    return error;
}
