/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/ioas_iommu.h"
#include "kernel/iommu/format.h"
#include "kernel/mm/direct.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "kernel/cpu/cache.h"
#include "kernel/lib/error.h"
#include "kernel/lib/panic.h"
#include "kernel/mm/heap.h"
#include "tests/unit/host_heap.h"

#define RIDS         65536
#define RESERVED_MAX 4

struct iommu_unit {
    struct table_pool pool;
    struct list domains;
    unsigned address_bits;
    bool snoop;
    bool dead;
};

struct ioas_iommu_calls ioas_iommu_calls;

static struct iommu_unit units[UNITS];
/* All requester ids of segment 0. */
static struct requester {
    struct iommu_domain *domain;
    bool abandoned; /* out of its domain because its unit stopped */
} requesters[RIDS];
static struct {
    uint16_t rid;
    struct phys_run region;
} reserved[RESERVED_MAX];
static size_t reserved_count;
static unsigned kill_in;
static uint64_t gathered; /* bytes unmapped since the last sync */

void cache_flush(const volatile void *at, size_t length)
{
}

void cache_flush_line(const volatile void *at)
{
    cache_flush(at, 1);
}

void ioas_iommu_reset(void)
{
    for (unsigned i = 0; i < UNITS; i++) {
        units[i] = (struct iommu_unit){.address_bits = i == 1 ? 39 : 48};
        table_pool_init(&units[i].pool, true);
        list_init(&units[i].domains);
    }
    memset(requesters, 0, sizeof(requesters));
    reserved_count = 0;
    kill_in = 0;
}

void ioas_iommu_finish(void)
{
    for (unsigned i = 0; i < UNITS; i++) {
        ASSERT(list_empty(&units[i].domains));
        ASSERT(units[i].dead || units[i].pool.used == 0);
    }
    for (size_t rid = 0; rid < RIDS; rid++)
        ASSERT(!requesters[rid].domain);
}

struct iommu_unit *ioas_iommu_unit(unsigned unit)
{
    return &units[unit];
}

void ioas_iommu_set_geometry(unsigned unit, unsigned address_bits, bool snoop)
{
    units[unit].address_bits = address_bits;
    units[unit].snoop = snoop;
}

void ioas_iommu_kill(unsigned unit)
{
    units[unit].dead = true;
}

void ioas_iommu_kill_in(unsigned n)
{
    kill_in = n;
}

void ioas_iommu_set_reserved(uint16_t rid, paddr_t base, uint64_t length)
{
    reserved[reserved_count].rid = rid;
    reserved[reserved_count++].region = (struct phys_run){base, length};
}

struct iommu_domain *ioas_iommu_domain(size_t n)
{
    struct iommu_domain *domain;

    for (unsigned i = 0; i < UNITS; i++)
        list_for_each_entry (domain, &units[i].domains, link)
            if (n-- == 0)
                return domain;
    return NULL;
}

struct iommu_domain *ioas_iommu_domain_of(uint16_t rid)
{
    return requesters[rid].domain;
}

/* Tables that are there for the idle table alone, which is a cache and no part of any state. */
static uint64_t idle_tables(const struct page_table *table)
{
    const struct table_page *path[PT_LEVELS_MAX + 1];
    uint64_t *entries = table->root;
    unsigned level = table->levels;
    uint64_t count = 1;

    if (!table->idle)
        return 0;
    for (; level > table->idle_level; level--) {
        uint64_t index = pt_index(table->idle_at, level);

        entries = phys_to_virt(pt_address(entries[index]));
        path[level - 1] = table_page_of(entries);
    }
    for (level++; level < table->levels && path[level]->live == 1; level++)
        count++;
    return count;
}

uint64_t ioas_iommu_tables(void)
{
    const struct iommu_domain *domain;
    uint64_t used = 0;

    for (unsigned i = 0; i < UNITS; i++) {
        used += units[i].pool.used;
        list_for_each_entry (domain, &units[i].domains, link)
            used -= idle_tables(&domain->table);
    }
    return used;
}

struct requester *ioas_iommu_requester(uint16_t rid)
{
    return &requesters[rid];
}

static uint16_t rid_of(const struct requester *requester)
{
    return (uint16_t)(requester - requesters);
}

struct iommu_unit *iommu_unit_of(const struct requester *requester)
{
    unsigned unit = rid_of(requester) >> 14;

    return unit < UNITS ? &units[unit] : NULL;
}

const char *iommu_requester_name(const struct requester *requester,
                                 char buffer[REQUESTER_NAME_SIZE])
{
    unsigned rid = rid_of(requester);

    snprintf(buffer, REQUESTER_NAME_SIZE, "0000:%02x:%02x.%x", rid >> 8, rid >> 3 & 31, rid & 7);
    return buffer;
}

/* Numbers that tell the units apart. */
void iommu_unit_registers(const struct iommu_unit *unit, uint64_t *cap, uint64_t *ecap)
{
    *cap = 0xca0 + (uint64_t)(unit - units);
    *ecap = 0xeca0 + (uint64_t)(unit - units);
}

bool iommu_remaps_interrupts(const struct iommu_unit *unit)
{
    return true;
}

/* ---- domains ---- */

int iommu_domain_create(struct iommu_unit *unit, struct iommu_domain **out)
{
    struct iommu_domain *domain;

    if (unit->dead)
        return -EIO;
    domain = kzalloc(sizeof(*domain));
    if (!domain)
        return -ENOMEM;
    domain->unit = unit;
    domain->table.levels = unit->address_bits > 39 ? 4 : 3;
    domain->table.largest = 3;
    domain->table.address_bits = unit->address_bits;
    domain->snoop = unit->snoop;
    domain->table.link = SECOND_LEVEL_LINK;
    domain->table.remembers = true;
    domain->table.flush = true;
    domain->table.physical_limit = BIT(46);
    if (page_table_init(&domain->table, &unit->pool)) {
        kfree(domain);
        return -ENOMEM;
    }
    list_push_back(&unit->domains, &domain->link);
    *out = domain;
    return 0;
}

void iommu_domain_destroy(struct iommu_domain *domain)
{
    ASSERT(domain->attached == 0);
    list_remove(&domain->link);
    if (!domain->unit->dead)
        page_table_destroy(&domain->table);
    free(domain->stale);
    kfree(domain);
}

void iommu_domain_geometry(const struct iommu_domain *domain, struct iommu_geometry *out)
{
    *out = (struct iommu_geometry){.address_bits = domain->table.address_bits,
                                   .page_sizes = PAGE_SIZE | SIZE_2M | SIZE_1G,
                                   .snoop_control = domain->snoop};
}

/* The model knows its areas itself. */
void iommu_domain_set_areas(struct iommu_domain *domain, iommu_find_area find, const void *owner)
{
    domain->owner = owner;
}

/* ---- mapping ---- */

void iommu_gather_init(struct iommu_gather *gather, struct iommu_domain *domain)
{
    *gather = (struct iommu_gather){.domain = domain, .removed = TABLE_GATHER_EMPTY};
}

static void keep_stale(struct iommu_domain *domain, const struct table_place *place)
{
    const size_t count = domain->stale_count;

    if ((count & (count - 1)) == 0) { /* full: twice as much */
        domain->stale = realloc(domain->stale, MAX(2 * count, 1) * sizeof(domain->stale[0]));
        if (!domain->stale)
            abort();
    }
    domain->stale[domain->stale_count++] =
        (struct phys_run){pt_address(*place->slot), pt_span(place->level)};
}

void iommu_unmap(struct iommu_domain *domain, uint64_t iova, uint64_t length,
                 struct iommu_gather *gather)
{
    struct table_place place = page_table_seek(&domain->table, iova);

    ASSERT(gather->domain == domain);
    gathered += length;
    for (; table_place_leaf(&place, iova + length); table_place_step(&place))
        keep_stale(domain, &place);
    page_table_unmap(&domain->table, iova, length, &gather->removed);
}

int iommu_sync(struct iommu_gather *gather)
{
    struct iommu_domain *domain = gather->domain;

    ioas_iommu_calls.syncs++;
    ioas_iommu_calls.most_unmapped = MAX(ioas_iommu_calls.most_unmapped, gathered);
    gathered = 0;
    if (domain->unit->dead)
        return -EIO;
    page_table_release(&domain->table, &gather->removed);
    domain->stale_count = 0;
    return 0;
}

int iommu_unmap_now(struct iommu_domain *domain, uint64_t iova, uint64_t length)
{
    struct iommu_gather gather;

    iommu_gather_init(&gather, domain);
    iommu_unmap(domain, iova, length, &gather);
    return iommu_sync(&gather);
}

/* Takes out what a failed map left, and the idle table, which may have been in its way. */
static void undo_map(struct iommu_domain *domain, uint64_t iova, uint64_t mapped)
{
    struct table_gather gather = TABLE_GATHER_EMPTY;

    if (mapped)
        page_table_unmap(&domain->table, iova, mapped, &gather);
    page_table_trim(&domain->table, &gather);
    page_table_release(&domain->table, &gather);
}

void ioas_iommu_forget_idle(void)
{
    struct iommu_domain *domain;

    for (size_t n = 0; (domain = ioas_iommu_domain(n)) != NULL; n++)
        undo_map(domain, 0, 0);
}

int iommu_map(struct iommu_domain *domain, uint64_t iova, const struct phys_run *runs, size_t count,
              unsigned permissions, unsigned flags)
{
    uint64_t mapped, bytes = 0;
    int error = -EAGAIN;

    for (size_t i = 0; i < count; i++)
        bytes += runs[i].length;
    ioas_iommu_calls.maps++;
    ioas_iommu_calls.most_mapped = MAX(ioas_iommu_calls.most_mapped, bytes);
    if (permissions - 1 >= SECOND_LEVEL_PERMISSIONS)
        return -EINVAL;
    if (domain->unit->dead)
        return -EIO;
    if (host_must_fail())
        return -ENOMEM;
    while (error == -EAGAIN) {
        error = page_table_map(&domain->table, iova, runs, count,
                               second_level_bits(permissions, domain->snoop),
                               flags & IOMMU_SMALL_LEAVES, &mapped);
        if (error)
            undo_map(domain, iova, mapped);
    }
    return error;
}

bool iommu_translate(const struct iommu_domain *domain, uint64_t iova,
                     struct iommu_translation *out)
{
    return translate(&domain->table, iova, out);
}

void ioas_iommu_each_reachable(void (*piece)(paddr_t base, uint64_t length))
{
    struct iommu_domain *domain;

    for (unsigned i = 0; i < UNITS; i++) {
        list_for_each_entry (domain, &units[i].domains, link) {
            struct table_place place = page_table_seek(&domain->table, 0);

            for (; table_place_leaf(&place, BIT(domain->table.address_bits));
                 table_place_step(&place))
                piece(pt_address(*place.slot), pt_span(place.level));
            for (size_t k = 0; k < domain->stale_count; k++)
                piece(domain->stale[k].base, domain->stale[k].length);
        }
    }
}

/* ---- requesters ---- */

/* Does the unit answer? If it stops now, the requester ends up in no domain. */
static int change(struct iommu_domain *domain, struct requester *requester)
{
    if (domain->unit->dead)
        return -EIO;
    if (host_must_fail())
        return -ENOMEM;
    if (kill_in == 0 || --kill_in > 0)
        return 0;
    domain->unit->dead = true;
    if (requester->domain)
        requester->domain->attached--;
    requester->domain = NULL;
    requester->abandoned = true;
    return -EIO;
}

int iommu_attach(struct iommu_domain *domain, struct requester *requester)
{
    int error;

    if (iommu_unit_of(requester) != domain->unit)
        return -ENODEV;
    if (requester->domain)
        return -EBUSY;
    error = change(domain, requester);
    if (error)
        return error;
    requester->domain = domain;
    domain->attached++;
    return 0;
}

int iommu_replace(struct iommu_domain *domain, struct requester *requester)
{
    int error;

    if (iommu_unit_of(requester) != domain->unit)
        return -ENODEV;
    error = change(domain, requester);
    if (error)
        return error;
    if (requester->domain)
        requester->domain->attached--;
    requester->domain = domain;
    domain->attached++;
    return 0;
}

/*
 * Nobody may detach what is not attached, but for what fell out when its unit stopped, once; and
 * nobody may go on as if that had been confirmed.
 */
int iommu_detach(struct iommu_domain *domain, struct requester *requester)
{
    if (requester->domain != domain) {
        ASSERT(!requester->domain && requester->abandoned && iommu_unit_of(requester)->dead);
        requester->abandoned = false;
        return -EIO;
    }
    requester->abandoned = domain->unit->dead;
    requester->domain = NULL;
    domain->attached--;
    return domain->unit->dead ? -EIO : 0;
}

bool iommu_reserved_next(struct requester *const *of, size_t count, size_t *at,
                         struct phys_run *out)
{
    for (; *at < reserved_count; ++*at)
        for (size_t k = 0; k < count; k++)
            if (reserved[*at].rid == rid_of(of[k])) {
                *out = reserved[(*at)++].region;
                return true;
            }
    return false;
}
