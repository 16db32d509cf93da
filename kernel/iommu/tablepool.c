/* SPDX-License-Identifier: BSD-2-Clause */
/* Pages for page tables: see the header. */
#include "kernel/iommu/tablepool.h"

#include "kernel/cpu/cache.h"
#include "kernel/lib/panic.h"
#include "kernel/mm/direct.h"
#include "kernel/mm/frames/frames.h"

void table_pool_init(struct table_pool *pool, bool flush)
{
    *pool = (struct table_pool){.flush = flush};
    list_init(&pool->available);
}

static struct table_chunk *chunk_create(struct table_pool *pool)
{
    paddr_t physical = frames_alloc(TABLE_CHUNK_ORDER, FRAMES_ZERO);
    struct table_chunk *chunk;

    if (physical == PADDR_NONE)
        return NULL;
    chunk = phys_to_virt(physical);
    if (pool->flush)
        cache_flush(chunk, TABLE_CHUNK_SIZE);
    chunk->physical = physical;
    for (unsigned i = TABLE_CHUNK_PAGES - 1; i > 0; i--) {
        chunk->pages[i].next = chunk->free;
        chunk->free = &chunk->pages[i];
    }
    list_push_front(&pool->available, &chunk->link);
    pool->chunks++;
    pool->idle_chunks++;
    return chunk;
}

static void chunk_destroy(struct table_pool *pool, struct table_chunk *chunk)
{
    list_remove(&chunk->link);
    pool->chunks--;
    pool->idle_chunks--;
    frames_release(chunk->physical, TABLE_CHUNK_SIZE);
}

struct iommu_table_page *table_alloc(struct table_pool *pool, unsigned level)
{
    struct table_chunk *chunk;
    struct iommu_table_page *page;

    if (!list_empty(&pool->available))
        chunk = list_first(&pool->available, struct table_chunk, link);
    else
        chunk = chunk_create(pool);
    if (!chunk)
        return NULL;
    page = chunk->free;
    chunk->free = page->next;
    if (!chunk->free)
        list_remove(&chunk->link);
    if (chunk->used++ == 0)
        pool->idle_chunks--;
    pool->used++;
    page->next = NULL;
    page->level = level;
    return page;
}

/* Not a live table any more: plain stores, one flush per line at the end. */
static void clear_entries(uint64_t *entries)
{
    for (size_t i = 0; i < PAGE_SIZE / sizeof(*entries); i += 8) {
        entries[i] = 0;
        entries[i + 1] = 0;
        entries[i + 2] = 0;
        entries[i + 3] = 0;
        entries[i + 4] = 0;
        entries[i + 5] = 0;
        entries[i + 6] = 0;
        entries[i + 7] = 0;
    }
}

void table_release(struct table_pool *pool, struct iommu_table_page *page)
{
    struct table_chunk *chunk = table_chunk_of(page);

    ASSERT(chunk->used > 0);
    if (page->live) {
        clear_entries(table_entries(page));
        if (pool->flush)
            cache_flush(table_entries(page), PAGE_SIZE);
        page->live = 0;
        page->tables = 0;
    }
    if (!chunk->free)
        list_push_front(&pool->available, &chunk->link);
    page->next = chunk->free;
    chunk->free = page;
    pool->used--;
    if (--chunk->used)
        return;
    pool->idle_chunks++;
    if (pool->idle_chunks > TABLE_CHUNKS_KEPT)
        chunk_destroy(pool, chunk);
}
