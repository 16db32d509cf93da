/* SPDX-License-Identifier: BSD-2-Clause */
/* Unmapping: never allocates, never fails, and leaves retired tables as they are until released. */
#include "kernel/lib/panic.h"
#include "kernel/table/internal.h"

struct removal {
    struct page_table *table;
    struct table_gather *gather;
    struct entry_writer writer;
    uint64_t *slots[PT_LEVELS_MAX + 1]; /* the way down: what the table of a level hangs in */
};

static struct removal removal_of(struct page_table *table, struct table_gather *gather)
{
    return (struct removal){.table = table, .gather = gather, .writer = {.flush = table->flush}};
}

static void count_leaves(struct removal *removal, unsigned level, uint64_t leaves)
{
    if (leaves == 0)
        return;
    removal->table->leaves[level] -= leaves;
    removal->table->removed[level] += leaves;
    removal->gather->leaves += leaves;
    removal->gather->leaf_bits = MAX(removal->gather->leaf_bits, pt_shift(level));
}

static void retire(struct removal *removal, uint64_t *entries, unsigned level)
{
    struct page_table *table = removal->table;

    table_page_of(entries)->next = removal->gather->freed;
    removal->gather->freed = table_number(entries);
    table->tables--;
    if (entries == table->idle)
        table->idle = NULL;
    if (entries == table->recent[level].entries)
        table->recent[level].place = PT_NOWHERE;
}

/*
 * Retires a table and everything below it, contents and all: no store is needed for what a walker
 * can no longer reach, and until the invalidation it may still walk here.
 */
static void retire_tree(struct removal *removal, uint64_t *entries, unsigned level)
{
    const struct table_page *page = table_page_of(entries);

    ASSERT(level > 1 || page->tables == 0); /* else it is held */
    for (unsigned i = 0, seen = 0; seen < page->tables; i++) {
        if (!pt_is_table(entries[i], level))
            continue;
        seen++;
        retire_tree(removal, child_table(entries[i]), level - 1);
    }
    count_leaves(removal, level, page->live - page->tables);
    retire(removal, entries, level);
}

/* Clears the leaves of a level 1 table between two addresses. */
static void clear_pages(struct removal *removal, uint64_t *entries, uint64_t first, uint64_t last)
{
    uint64_t *const end = &entries[pt_index(last, 1)];
    unsigned cleared = 0;

    for (uint64_t *slot = &entries[pt_index(first, 1)]; slot <= end; slot++) {
        if (!*slot)
            continue;
        entry_store(&removal->writer, slot, 0);
        cleared++;
    }
    table_count(removal->table, entries, -(int)cleared, 0);
    count_leaves(removal, 1, cleared);
}

static void clear_range(struct removal *removal, uint64_t *entries, unsigned level, uint64_t first,
                        uint64_t last);

/* Everything between two addresses below one entry. False: its table is still in use. */
static bool clear_below(struct removal *removal, uint64_t *entries, unsigned level, uint64_t first,
                        uint64_t last, bool whole)
{
    if (whole && !removal->table->permanent) {
        retire_tree(removal, entries, level);
        return true;
    }
    clear_range(removal, entries, level, first, last);
    if (!table_is_empty(removal->table, entries))
        return false;
    retire(removal, entries, level);
    return true;
}

/* One present entry of a table above level 1; `first` to `last` is what of its span goes. */
static void clear_entry(struct removal *removal, uint64_t *slot, unsigned level, uint64_t first,
                        uint64_t last)
{
    bool whole = last - first == pt_span(level) - 1;
    bool leaf = pt_is_leaf(*slot, level);

    if (leaf) {
        ASSERT(whole);
        count_leaves(removal, level, 1);
    } else if (!clear_below(removal, child_table(*slot), level - 1, first, last, whole)) {
        return;
    }
    entry_store(&removal->writer, slot, 0);
    table_count(removal->table, slot, -1, leaf ? 0 : -1);
}

/* Everything between two addresses below one table. */
static void clear_range(struct removal *removal, uint64_t *entries, unsigned level, uint64_t first,
                        uint64_t last)
{
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
 * reached, and its level.
 */
static uint64_t *descend(struct removal *removal, uint64_t first, uint64_t last, unsigned *reached)
{
    uint64_t *entries = removal->table->root;
    unsigned level = removal->table->levels;

    for (; level > 1; level--) {
        uint64_t *slot = &entries[pt_index(first, level)];

        if ((first ^ last) >= pt_span(level) || last - first == pt_span(level) - 1 ||
            !pt_is_table(*slot, level))
            break;
        entries = child_table(*slot);
        removal->slots[level - 1] = slot;
    }
    *reached = level;
    return entries;
}

/* Retires a table that became empty, and those above it that do so thereby. */
static void prune(struct removal *removal, uint64_t *entries, unsigned level)
{
    const struct page_table *table = removal->table;

    for (; entries != table->root && table_is_empty(table, entries); level++) {
        uint64_t *slot = removal->slots[level];

        retire(removal, entries, level);
        entry_store(&removal->writer, slot, 0);
        table_count(table, slot, -1, -1);
        entries = (uint64_t *)ALIGN_DOWN((uintptr_t)slot, PAGE_SIZE);
    }
}

/*
 * Takes the idle table out; what is left of it in paging-structure caches is named in the gather.
 */
static void drop_idle(struct removal *removal)
{
    struct table_gather *gather = removal->gather;
    struct page_table *table = removal->table;
    uint64_t at = table->idle_at;
    unsigned level;

    if (!table->idle)
        return;
    descend(removal, at, at, &level);
    prune(removal, table->idle, table->idle_level);
    if (!gather->trimmed) {
        gather->trimmed = at | GATHER_TRIMMED;
        return;
    }
    gather->first = MIN(gather->first, at);
    gather->last = MAX(gather->last, at);
}

/* If a table lost its last leaf, it stays, in place of the one that stayed so far. */
static void keep_idle(struct removal *removal, uint64_t *entries, unsigned level, uint64_t at)
{
    struct page_table *table = removal->table;

    if (entries == table->idle || entries == table->root || !table_is_empty(table, entries))
        return;
    drop_idle(removal);
    table->idle = entries;
    table->idle_level = level;
    table->idle_at = at;
}

void page_table_unmap(struct page_table *table, uint64_t at, uint64_t length,
                      struct table_gather *gather)
{
    struct removal removal = removal_of(table, gather);
    const uint64_t leaves = gather->leaves, last = at + (length - 1);
    const uint32_t freed = gather->freed;
    uint64_t *entries;
    unsigned level;

    ASSERT(length && IS_ALIGNED(at | length, PAGE_SIZE));
    ASSERT(last >= at && last < BIT(table->address_bits));
    entries = descend(&removal, at, last, &level);
    clear_range(&removal, entries, level, at, last);
    if (table->remembers) {
        table_use(table, entries, level, at);
        keep_idle(&removal, entries, level, at);
    } else {
        prune(&removal, entries, level);
    }
    entry_flush(&removal.writer);
    if (gather->leaves == leaves && gather->freed == freed)
        return;
    gather->first = MIN(gather->first, at);
    gather->last = MAX(gather->last, last);
}

void page_table_trim(struct page_table *table, struct table_gather *gather)
{
    struct removal removal = removal_of(table, gather);

    drop_idle(&removal);
    entry_flush(&removal.writer);
}

void page_table_unhold(struct page_table *table, uint64_t at, struct table_gather *gather)
{
    struct removal removal = removal_of(table, gather);
    unsigned level;
    uint64_t *entries = descend(&removal, at, at, &level);

    ASSERT(level == 1);
    table_count(table, entries, -1, -1);
    prune(&removal, entries, level);
    entry_flush(&removal.writer);
}

void page_table_release(struct page_table *table, struct table_gather *gather)
{
    while (gather->freed) {
        uint64_t *entries = table_entries(gather->freed);

        gather->freed = table_page_of(entries)->next;
        table_release(table->pool, entries);
    }
}

void page_table_destroy(struct page_table *table)
{
    struct table_gather gather = TABLE_GATHER_EMPTY;
    struct removal removal = removal_of(table, &gather);

    retire_tree(&removal, table->root, table->levels);
    page_table_release(table, &gather);
    table->root = NULL;
    table->tables = 0;
}
