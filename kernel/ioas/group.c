/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/ioas/group.h"
#include "kernel/lib/error.h"
#include "kernel/lib/log.h"
#include "kernel/lib/panic.h"
#include "kernel/mm/heap.h"

/* ---- requester ids ---- */

struct iommu_unit *ioas_requesters_unit(const struct pci_group *group)
{
    struct iommu_unit *unit = iommu_unit_of(group->requesters[0]);

    for (size_t i = 1; i < group->requester_count; i++)
        if (iommu_unit_of(group->requesters[i]) != unit)
            return NULL;
    return unit;
}

/* The unit has fenced itself off: nothing behind it moves any more, but it must be said. */
static void detach_one(struct requester *requester, struct iommu_domain *domain)
{
    char name[REQUESTER_NAME_SIZE];

    if (iommu_detach(domain, requester))
        log_error("ioas: requester %s: the IOMMU did not confirm the detach",
                  iommu_requester_name(requester, name));
}

int ioas_requesters_attach(const struct pci_group *group, struct iommu_domain *from,
                           struct iommu_domain *to)
{
    for (size_t i = 0; i < group->requester_count; i++) {
        struct requester *requester = group->requesters[i];
        int error = from ? iommu_replace(to, requester) : iommu_attach(to, requester);

        if (!error)
            continue;
        while (i-- > 0)
            if (!from || iommu_replace(from, group->requesters[i]))
                detach_one(group->requesters[i], to);
        return error;
    }
    return 0;
}

void ioas_requesters_detach(const struct pci_group *group, struct iommu_domain *domain)
{
    for (size_t i = 0; i < group->requester_count; i++)
        detach_one(group->requesters[i], domain);
}

/* ---- reserved memory ---- */

int ioas_reserve_group(struct ioas *ioas, struct pci_group *group)
{
    struct phys_run region;
    size_t at = 0;
    int error = 0;

    while (!error && iommu_reserved_next(group->requesters, group->requester_count, &at, &region))
        error = ioas_reserve(ioas, group, region.base, region.base + (region.length - 1));
    if (error)
        ioas_unreserve(ioas, group);
    return error;
}

/* ---- one page table for each unit ---- */

struct table {
    struct list link;
    struct iommu_unit *unit;
    struct iommu_domain *domain;
    size_t users; /* requester ids that go through it */
};

void ioas_tables_init(struct ioas_tables *tables, struct ioas *ioas)
{
    tables->ioas = ioas;
    list_init(&tables->domains);
}

static struct table *table_find(const struct ioas_tables *tables, const struct iommu_unit *unit)
{
    struct table *table;

    list_for_each_entry (table, &tables->domains, link)
        if (table->unit == unit)
            return table;
    return NULL;
}

static int table_create(struct ioas_tables *tables, struct iommu_unit *unit, struct table **out)
{
    struct table *table = kmalloc(sizeof(*table));
    int error;

    if (!table)
        return -ENOMEM;
    error = iommu_domain_create(unit, &table->domain);
    if (error)
        goto free;
    error = ioas_attach(tables->ioas, table->domain);
    if (error)
        goto destroy;
    table->unit = unit;
    table->users = 0;
    list_push_back(&tables->domains, &table->link);
    *out = table;
    return 0;

destroy:
    iommu_domain_destroy(table->domain);
free:
    kfree(table);
    return error;
}

static void table_drop_unused(struct ioas_tables *tables, struct table *table)
{
    if (table->users)
        return;
    ioas_detach(tables->ioas, table->domain);
    iommu_domain_destroy(table->domain);
    list_remove(&table->link);
    kfree(table);
}

static int attach_one(struct ioas_tables *tables, struct requester *requester)
{
    struct iommu_unit *unit = iommu_unit_of(requester);
    struct table *table;
    int error;

    if (!unit)
        return -ENODEV;
    table = table_find(tables, unit);
    error = table ? 0 : table_create(tables, unit, &table);
    if (error)
        return error;
    error = iommu_attach(table->domain, requester);
    if (error)
        table_drop_unused(tables, table);
    else
        table->users++;
    return error;
}

/* Detaches the first `count` ids. Page tables go after the last of them. */
static void detach_first(struct ioas_tables *tables, const struct pci_group *group, size_t count)
{
    struct table *table, *next;

    for (size_t i = 0; i < count; i++) {
        table = table_find(tables, iommu_unit_of(group->requesters[i]));
        ASSERT(table);
        detach_one(group->requesters[i], table->domain);
        table->users--;
    }
    list_for_each_entry_safe (table, next, &tables->domains, link)
        table_drop_unused(tables, table);
}

static int attach_all(struct ioas_tables *tables, const struct pci_group *group)
{
    for (size_t i = 0; i < group->requester_count; i++) {
        int error = attach_one(tables, group->requesters[i]);

        if (error) {
            detach_first(tables, group, i);
            return error;
        }
    }
    return 0;
}

int ioas_attach_group(struct ioas_tables *tables, struct pci_group *group)
{
    int error = ioas_reserve_group(tables->ioas, group);

    if (error)
        return error;
    error = attach_all(tables, group);
    if (error)
        ioas_unreserve(tables->ioas, group);
    return error;
}

void ioas_detach_group(struct ioas_tables *tables, struct pci_group *group)
{
    detach_first(tables, group, group->requester_count);
    ioas_unreserve(tables->ioas, group);
}
