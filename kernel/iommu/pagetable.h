/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Second-level page tables: map runs with the fewest leaves, unmap, translate. Knows nothing of
 * units and invalidation: what must be invalidated comes back in a struct iommu_gather.
 */
#ifndef KERNEL_IOMMU_PAGETABLE_H
#define KERNEL_IOMMU_PAGETABLE_H

#include "kernel/iommu/format.h"
#include "kernel/iommu/iommu.h"
#include "kernel/iommu/tablepool.h"

/* No IOVA has this place. */
#define PT_NOWHERE (~UINT64_C(0))

/* The table of a level used last. */
struct recent_table {
    uint64_t *entries;
    struct iommu_table_page *page;
    uint64_t place; /* IOVA / what the table stands for; PT_NOWHERE: there is none */
};

struct page_table {
    struct table_pool *pool;
    struct iommu_table_page *root;
    unsigned levels;                   /* 3 to 5 */
    unsigned largest;                  /* highest level that may hold leaves */
    unsigned address_bits;             /* IOVAs are below 2^address_bits */
    bool snoop;                        /* leaves carry the snoop bit */
    bool flush;                        /* the unit does not snoop its page walks */
    paddr_t physical_limit;            /* physical addresses are below it */
    uint64_t leaves[PT_LEAF_MAX + 1];  /* by level */
    uint64_t removed[PT_LEAF_MAX + 1]; /* by level, since the table was made */
    uint64_t tables;                   /* pages in the tree, without the root */
    /*
     * One table that lost its last leaf stays where it is, with the tables above it, until another
     * one does or something else wants its place: who maps and unmaps single leaves at the same
     * place does not pay for tables each time.
     */
    struct iommu_table_page *idle;
    uint64_t idle_iova;                            /* an IOVA in it */
    struct recent_table recent[PT_LEVELS_MAX + 1]; /* by level */
};

/* Takes the fields above from `levels` to `physical_limit` as set; allocates the root. -ENOMEM. */
int page_table_init(struct page_table *table, struct table_pool *pool);
/* Gives every page back. The unit must have no translation of it cached. */
void page_table_destroy(struct page_table *table);

/*
 * As iommu_map(): 0, -EINVAL, -EEXIST or -ENOMEM. On failure the first *mapped bytes are mapped,
 * and the caller unmaps them. -EAGAIN: the idle table is in the way of a larger leaf; unmap, call
 * page_table_trim(), invalidate, and try again.
 */
int page_table_map(struct page_table *table, uint64_t iova, const struct phys_run *runs,
                   size_t count, unsigned permissions, bool small, uint64_t *mapped);
/* As iommu_unmap(). The range is page aligned, not empty and inside the address width. */
void page_table_unmap(struct page_table *table, uint64_t iova, uint64_t length,
                      struct iommu_gather *gather);
/* Takes the idle table out, if there is one. */
void page_table_trim(struct page_table *table, struct iommu_gather *gather);
/* After the invalidation: releases the emptied pages of a gather. */
void page_table_release(struct page_table *table, struct iommu_gather *gather);

bool page_table_translate(const struct page_table *table, uint64_t iova,
                          struct iommu_translation *out);

/*
 * Calls back for every leaf from `iova` to `last` in order, until the callback returns false.
 */
void page_table_walk(const struct page_table *table, uint64_t iova, uint64_t last,
                     bool (*leaf)(void *context, uint64_t iova,
                                  const struct iommu_translation *translation),
                     void *context);

#endif
