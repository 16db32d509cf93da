/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/ioas_world.h"
#include "kernel/ioas/internal.h"
#include "kernel/lib/panic.h"
#include "kernel/mm/heap.h"
#include "tests/unit/host_heap.h"
#include "tests/unit/ioas_snapshot.h"

struct ioas *world_space[2];
struct iommu_domain *world_table[3];
struct ioas_account world_account;
struct mutex world_lock;
static size_t heap_at_start;

static struct pci_device functions[] = {
    {.rid = 0x0010, .group = &world_pair},  {.rid = 0x0018, .group = &world_pair},
    {.rid = 0x4020, .group = &world_split}, {.rid = 0x8020, .group = &world_split},
    {.rid = 0xc030, .group = &world_lost},
};
static struct pci_device *pair[] = {&functions[0], &functions[1]};
static struct pci_device *split[] = {&functions[2], &functions[3]};
static struct pci_device *lost[] = {&functions[0], &functions[4]};
static struct requester *ids[3][2];
struct pci_group world_pair = {.id = 1, .count = 2, .members = pair, .requesters = ids[0]};
struct pci_group world_split = {.id = 2, .count = 2, .members = split, .requesters = ids[1]};
struct pci_group world_lost = {.id = 3, .count = 2, .members = lost, .requesters = ids[2]};

/* Gives a group and its members the handles of their requester ids. */
static void find_requesters(struct pci_group *group)
{
    for (size_t i = 0; i < group->count; i++) {
        group->members[i]->requesters[0] = ioas_iommu_requester(group->members[i]->rid);
        group->requesters[i] = group->members[i]->requesters[0];
    }
    group->requester_count = group->count;
}

void world_create(void)
{
    uint64_t seed = 99;

    host_fail_nth(0);
    heap_at_start = heap_used();
    source_create(&seed);
    ioas_iommu_reset();
    find_requesters(&world_pair);
    find_requesters(&world_split);
    find_requesters(&world_lost);
    world_account = (struct ioas_account){0, WORLD_LIMIT};
    mutex_init(&world_lock);
    ASSERT(mutex_lock(&world_lock, "test") == 0);
    for (size_t i = 0; i < ARRAY_SIZE(world_space); i++)
        ASSERT(ioas_create(&world_account, &world_lock, &world_space[i]) == 0);
    for (unsigned i = 0; i < ARRAY_SIZE(world_table); i++)
        ASSERT(iommu_domain_create(ioas_iommu_unit(i), &world_table[i]) == 0);
}

static void detach_everywhere(struct iommu_domain *domain)
{
    struct ioas_domain *at, *next;

    for (size_t i = 0; i < ARRAY_SIZE(world_space); i++)
        list_for_each_entry_safe (at, next, &world_space[i]->domains, link)
            if (at->domain == domain)
                ioas_detach(world_space[i], domain);
}

void world_destroy(void)
{
    host_fail_nth(0);
    for (size_t i = 0; i < ARRAY_SIZE(world_table); i++) {
        detach_everywhere(world_table[i]);
        iommu_domain_destroy(world_table[i]);
    }
    for (size_t i = 0; i < ARRAY_SIZE(world_space); i++)
        ioas_destroy(world_space[i]);
    ioas_iommu_finish();
    ASSERT(world_account.used == 0 && heap_used() == heap_at_start);
    source_destroy();
}

int world_map(int space, unsigned page, unsigned count, uint64_t iova)
{
    struct ioas_source source = source_get();
    unsigned flags = IOAS_READ | IOAS_WRITE | (iova == WORLD_ANYWHERE ? 0 : IOAS_FIXED);

    return ioas_map(world_space[space], &source, source_address(page), count * PAGE_SIZE, flags,
                    &iova);
}

int world_attach(int space, int table)
{
    return ioas_attach(world_space[space], world_table[table]);
}

bool world_attached(const struct ioas_tables *tables, const struct pci_group *group)
{
    const struct iommu_domain *domain = ioas_iommu_domain_of(group->members[0]->rid);

    return !list_empty(&tables->domains) && domain && domain->owner == tables->ioas;
}

char *world_snapshot(void)
{
    return snapshot_take(world_space, ARRAY_SIZE(world_space));
}
