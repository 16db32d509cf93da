/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pages for page tables. A page handed out is known to be all zero, also as a unit sees it that
 * does not snoop caches; a page comes back only after the invalidation that covers its last use.
 * What is known of a page is the frame's note, so it follows from the page's address alone.
 */
#ifndef KERNEL_TABLE_POOL_H
#define KERNEL_TABLE_POOL_H

#include "kernel/mm/direct.h"
#include "kernel/mm/frames/frames.h"

/* Zero pages that a pool for devices keeps rather than giving them back. */
#define TABLE_PAGES_KEPT 1024u

/* The note of a frame that is a table. */
struct table_page {
    uint32_t next;   /* frame number of the next one in a pool or gather; 0: there is none */
    uint16_t live;   /* entries that are not zero */
    uint16_t tables; /* of those: tables */
};
_Static_assert(sizeof(struct table_page) <= FRAMES_NOTE_SIZE, "it is a frame's note");

struct table_pool {
    paddr_t (*early)(void); /* where cleared pages come from before frames do; NULL: they do */
    uint32_t free;          /* frame number of the first zero page; 0: there is none */
    uint64_t idle;          /* pages that are free here */
    uint64_t used;          /* pages handed out */
    uint64_t keep;          /* the most that are kept free */
    bool flush;             /* the unit does not snoop: pages must be zero in memory */
};

/* A pool for the tables of devices. One for the CPU's is all zero. */
void table_pool_init(struct table_pool *pool, bool flush);
/* The entries of a zero page with live = 0, or NULL when out of memory. */
uint64_t *table_alloc(struct table_pool *pool);
/* Takes a page back. Where pages are kept, it is cleared unless live says that it is zero. */
void table_release(struct table_pool *pool, uint64_t *entries);

/* By a pointer to any entry. Pages from before the frame allocator have none. */
static inline struct table_page *table_page_of(const uint64_t *slot)
{
    return frames_note(virt_to_phys(slot));
}

static inline uint32_t table_number(const uint64_t *entries)
{
    return (uint32_t)(virt_to_phys(entries) >> PAGE_SHIFT);
}

static inline uint64_t *table_entries(uint32_t number)
{
    return phys_to_virt((paddr_t)number << PAGE_SHIFT);
}

#endif
