/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pages for page tables. A page handed out is known to be all zero, also as a unit sees it that
 * does not snoop caches; a page comes back only after the invalidation that covers its last use.
 *
 * Pages are cut from aligned chunks whose first page describes the others, so that the description
 * of a table page follows from its address alone.
 */
#ifndef KERNEL_IOMMU_TABLEPOOL_H
#define KERNEL_IOMMU_TABLEPOOL_H

#include "kernel/lib/list.h"
#include "kernel/lib/types.h"

#define TABLE_CHUNK_ORDER 4u
#define TABLE_CHUNK_PAGES (1u << TABLE_CHUNK_ORDER)
#define TABLE_CHUNK_SIZE  (PAGE_SIZE << TABLE_CHUNK_ORDER)
/* Wholly free chunks that are kept rather than given back to the frame allocator. */
#define TABLE_CHUNKS_KEPT 64u

/* What is known of one table page. */
struct iommu_table_page {
    struct iommu_table_page *next; /* in a chunk's free list or in a gather's list */
    uint16_t live;                 /* entries that are not zero */
    uint16_t tables;               /* of those: tables */
    uint32_t level;
};

struct table_chunk {
    struct list link; /* in the pool's list while a page is free */
    paddr_t physical;
    struct iommu_table_page *free;
    uint32_t used;
    struct iommu_table_page pages[TABLE_CHUNK_PAGES]; /* [0] is the chunk's own page */
};
_Static_assert(sizeof(struct table_chunk) <= PAGE_SIZE,
               "a chunk's description fits its first page");

struct table_pool {
    struct list available; /* chunks with a free page */
    bool flush;            /* the unit does not snoop: pages must be zero in memory */
    uint64_t chunks;
    uint64_t idle_chunks; /* chunks without a page in use */
    uint64_t used;        /* pages handed out */
};

void table_pool_init(struct table_pool *pool, bool flush);
/* A zero page with live = 0, or NULL when out of memory. Its entries are at table_entries(). */
struct iommu_table_page *table_alloc(struct table_pool *pool, unsigned level);
/* Takes a page back; clears it unless live says that it is zero already. */
void table_release(struct table_pool *pool, struct iommu_table_page *page);

static inline struct table_chunk *table_chunk_of(const volatile void *inside)
{
    return (struct table_chunk *)ALIGN_DOWN((uintptr_t)inside, TABLE_CHUNK_SIZE);
}

static inline struct iommu_table_page *table_page_of(uint64_t *entries)
{
    return &table_chunk_of(entries)
                ->pages[((uintptr_t)entries >> PAGE_SHIFT) & (TABLE_CHUNK_PAGES - 1)];
}

static inline uint64_t table_number(const struct iommu_table_page *page)
{
    return (uint64_t)(page - table_chunk_of(page)->pages);
}

static inline uint64_t *table_entries(const struct iommu_table_page *page)
{
    return (uint64_t *)((uintptr_t)table_chunk_of(page) + table_number(page) * PAGE_SIZE);
}

static inline paddr_t table_physical(const struct iommu_table_page *page)
{
    return table_chunk_of(page)->physical + table_number(page) * PAGE_SIZE;
}

#endif
