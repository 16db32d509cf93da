/* SPDX-License-Identifier: BSD-2-Clause */
/* Pages for page tables: see the header. */
#include "kernel/table/pool.h"

#include "kernel/cpu/cache.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"

void table_pool_init(struct table_pool *pool, bool flush)
{
    *pool = (struct table_pool){.keep = TABLE_PAGES_KEPT, .flush = flush};
}

static uint64_t *take_early(struct table_pool *pool)
{
    paddr_t page = pool->early();

    return page == PADDR_NONE ? NULL : phys_to_virt(page);
}

static uint64_t *take_frame(struct table_pool *pool)
{
    paddr_t frame = frames_alloc(ORDER_4K, FRAMES_ZERO);
    uint64_t *entries;

    if (frame == PADDR_NONE)
        return NULL;
    entries = phys_to_virt(frame);
    if (pool->flush)
        cache_flush(entries, PAGE_SIZE);
    *table_page_of(entries) = (struct table_page){0};
    return entries;
}

static uint64_t *take_kept(struct table_pool *pool)
{
    uint64_t *entries = table_entries(pool->free);

    pool->free = table_page_of(entries)->next;
    pool->idle--;
    return entries;
}

uint64_t *table_alloc(struct table_pool *pool)
{
    uint64_t *entries = pool->early  ? take_early(pool)
                        : pool->free ? take_kept(pool)
                                     : take_frame(pool);

    pool->used += entries != NULL;
    return entries;
}

static void keep(struct table_pool *pool, uint64_t *entries)
{
    struct table_page *page = table_page_of(entries);

    if (page->live) {
        memset(entries, 0, PAGE_SIZE); /* not a live table any more: one flush at the end */
        if (pool->flush)
            cache_flush(entries, PAGE_SIZE);
    }
    *page = (struct table_page){.next = pool->free};
    pool->free = table_number(entries);
    pool->idle++;
}

void table_release(struct table_pool *pool, uint64_t *entries)
{
    ASSERT(pool->used > 0);
    pool->used--;
    if (pool->early)
        return; /* it stays with those who gave it */
    if (pool->idle < pool->keep)
        keep(pool, entries);
    else
        frames_release(virt_to_phys(entries), PAGE_SIZE);
}
