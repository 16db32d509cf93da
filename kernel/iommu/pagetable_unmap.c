/* SPDX-License-Identifier: BSD-2-Clause */
/* Unmapping: never allocates, never fails, and leaves retired tables as they are until released. */
#include "kernel/iommu/entry.h"
#include "kernel/iommu/pagetable.h"
#include "kernel/iommu/tree.h"
#include "kernel/lib/panic.h"

struct removal {
    struct page_table *table;
    struct iommu_gather *gather;
    struct entry_writer writer;
    uint64_t *slots[PT_LEVELS_MAX + 1]; /* the way down: what the table of a level hangs in */
};

static void count_leaves(struct removal *removal, unsigned level, uint64_t leaves)
{
    if (leaves == 0)
        return;
    removal->table->leaves[level] -= leaves;
    removal->table->removed[level] += leaves;
    removal->gather->leaves += leaves;
    removal->gather->leaf_bits = MAX(removal->gather->leaf_bits, pt_shift(level));
}

static void retire(struct removal *removal, struct iommu_table_page *page)
{
    page->next = removal->gather->freed;
    removal->gather->freed = page;
    removal->table->tables--;
    if (page == removal->table->idle)
        removal->table->idle = NULL;
    if (page == removal->table->recent[page->level].page)
        removal->table->recent[page->level].place = PT_NOWHERE;
}

/*
 * Retires a table and everything below it, contents and all: no store is needed for what the unit
 * can no longer reach, and until the invalidation it may still walk here.
 */
static void retire_tree(struct removal *removal, struct iommu_table_page *page)
{
    uint64_t *entries = table_entries(page);
    unsigned level = page->level;

    for (unsigned i = 0, seen = 0; seen < page->tables; i++) {
        if (!entries[i] || pt_is_leaf(entries[i], level))
            continue;
        seen++;
        retire_tree(removal, table_page_of(child_table(entries[i])));
    }
    count_leaves(removal, level, page->live - page->tables);
    retire(removal, page);
}

/* Clears the leaves of a level 1 table between two IOVAs. Returns how many there were. */
static unsigned clear_pages(struct removal *removal, uint64_t *entries, uint64_t first,
                            uint64_t last)
{
    uint64_t *const end = &entries[pt_index(last, 1)];
    unsigned cleared = 0;

    for (uint64_t *slot = &entries[pt_index(first, 1)]; slot <= end; slot++) {
        if (!*slot)
            continue;
        entry_store(&removal->writer, slot, 0);
        cleared++;
    }
    table_page_of(entries)->live -= cleared;
    count_leaves(removal, 1, cleared);
    return cleared;
}

static void clear_range(struct removal *removal, uint64_t *entries, uint64_t first, uint64_t last);

/* One present entry of a table above level 1; `first` to `last` is what of its span goes. */
static void clear_entry(struct removal *removal, uint64_t *slot, unsigned level, uint64_t first,
                        uint64_t last)
{
    bool whole = last - first == pt_span(level) - 1;
    struct iommu_table_page *child;

    if (pt_is_leaf(*slot, level)) {
        ASSERT(whole);
        count_leaves(removal, level, 1);
    } else {
        child = table_page_of(child_table(*slot));
        if (whole) {
            retire_tree(removal, child);
        } else {
            clear_range(removal, table_entries(child), first, last);
            if (child->live)
                return;
            retire(removal, child);
        }
        table_page_of(slot)->tables--;
    }
    entry_store(&removal->writer, slot, 0);
    table_page_of(slot)->live--;
}

/* Everything between two IOVAs below one table. */
static void clear_range(struct removal *removal, uint64_t *entries, uint64_t first, uint64_t last)
{
    unsigned level = table_page_of(entries)->level;
    unsigned end = pt_index(last, level);
    uint64_t span = pt_span(level);

    if (level == 1) {
        clear_pages(removal, entries, first, last);
        return;
    }
    for (unsigned index = pt_index(first, level); index <= end; index++) {
        uint64_t span_last = first | (span - 1);

        if (entries[index])
            clear_entry(removal, &entries[index], level, first, MIN(last, span_last));
        first = span_last + 1;
    }
}

/*
 * Goes down from the root as long as the whole range lies below one table. Returns the last table
 * reached; its level is in its page.
 */
static uint64_t *descend(struct removal *removal, uint64_t first, uint64_t last)
{
    uint64_t *entries = table_entries(removal->table->root);

    for (unsigned level = removal->table->levels; level > 1; level--) {
        uint64_t *slot = &entries[pt_index(first, level)];

        if ((first ^ last) >= pt_span(level) || last - first == pt_span(level) - 1 || !*slot ||
            pt_is_leaf(*slot, level))
            break;
        entries = child_table(*slot);
        removal->slots[level - 1] = slot;
    }
    return entries;
}

/* Retires a table that became empty, and those above it that do so thereby. */
static void prune(struct removal *removal, struct iommu_table_page *page)
{
    while (page->live == 0 && page != removal->table->root) {
        uint64_t *slot = removal->slots[page->level];

        retire(removal, page);
        entry_store(&removal->writer, slot, 0);
        page = table_page_of(slot);
        page->tables--;
        page->live--;
    }
}

/* Takes the idle table out; what is left of it in paging-structure caches is named in the gather.
 */
static void drop_idle(struct removal *removal)
{
    struct iommu_gather *gather = removal->gather;
    struct page_table *table = removal->table;
    uint64_t iova = table->idle_iova;

    if (!table->idle)
        return;
    descend(removal, iova, iova);
    prune(removal, table->idle);
    if (!gather->trimmed) {
        gather->trimmed = iova | GATHER_TRIMMED;
        return;
    }
    gather->first = MIN(gather->first, iova);
    gather->last = MAX(gather->last, iova);
}

/* If a table lost its last leaf, it stays, in place of the one that stayed so far. */
static void keep_idle(struct removal *removal, struct iommu_table_page *page, uint64_t iova)
{
    if (page->live || page == removal->table->idle || page == removal->table->root)
        return;
    drop_idle(removal);
    removal->table->idle = page;
    removal->table->idle_iova = iova;
}

void page_table_unmap(struct page_table *table, uint64_t iova, uint64_t length,
                      struct iommu_gather *gather)
{
    struct removal removal = {.table = table, .gather = gather, .writer = {.flush = table->flush}};
    const struct iommu_table_page *freed = gather->freed;
    uint64_t last = iova + (length - 1), leaves = gather->leaves;
    struct iommu_table_page *page;
    uint64_t *entries;

    ASSERT(length && IS_ALIGNED(iova | length, PAGE_SIZE));
    ASSERT(last >= iova && last < BIT(table->address_bits));
    entries = descend(&removal, iova, last);
    page = table_page_of(entries);
    clear_range(&removal, entries, iova, last);
    table_use(table, entries, iova);
    keep_idle(&removal, page, iova);
    entry_flush(&removal.writer);
    if (gather->leaves == leaves && gather->freed == freed)
        return;
    gather->first = MIN(gather->first, iova);
    gather->last = MAX(gather->last, last);
}

void page_table_trim(struct page_table *table, struct iommu_gather *gather)
{
    struct removal removal = {.table = table, .gather = gather, .writer = {.flush = table->flush}};

    drop_idle(&removal);
    entry_flush(&removal.writer);
}

void page_table_release(struct page_table *table, struct iommu_gather *gather)
{
    struct iommu_table_page *page;

    while ((page = gather->freed) != NULL) {
        gather->freed = page->next;
        table_release(table->pool, page);
    }
}

void page_table_destroy(struct page_table *table)
{
    struct iommu_gather gather = {0};
    struct removal removal = {.table = table, .gather = &gather};

    retire_tree(&removal, table->root);
    page_table_release(table, &gather);
    table->root = NULL;
    table->tables = 0;
}
