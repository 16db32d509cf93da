/* SPDX-License-Identifier: BSD-2-Clause */
/* Second-level page tables: the algorithm. What an entry means is kernel/iommu/format.h. */
#include "kernel/iommu/pagetable.h"

#include "kernel/iommu/entry.h"
#include "kernel/lib/error.h"
#include "kernel/lib/panic.h"
#include "kernel/mm/direct.h"

int page_table_init(struct page_table *table, struct table_pool *pool)
{
    table->pool = pool;
    table->root = table_alloc(pool, table->levels);
    table->tables = 0;
    for (unsigned level = 0; level <= PT_LEAF_MAX; level++)
        table->leaves[level] = 0;
    return table->root ? 0 : -ENOMEM;
}

static uint64_t *child_table(uint64_t entry)
{
    return phys_to_virt(pt_address(entry));
}

/* ---- map ---- */

/*
 * A place in the tree that moves forward. tables[level] is the table the next entry goes into.
 * Tables that the cursor had to create stay unlinked until it leaves them, so that a unit only
 * ever sees filled tables, and a failure has nothing to take back from them.
 */
struct cursor {
    struct page_table *table;
    struct entry_writer writer;
    uint64_t end; /* first IOVA behind the current table */
    unsigned level;
    unsigned stored;                      /* entries stored in the current table on this visit */
    uint64_t *tables[PT_LEVELS_MAX + 1];  /* path from the root */
    uint64_t *parents[PT_LEVELS_MAX + 1]; /* the slot tables[level] hangs, or will hang, in */
    bool fresh[PT_LEVELS_MAX + 1];        /* created by this cursor, not linked yet */
};

static void cursor_start(struct cursor *cursor, struct page_table *table)
{
    *cursor = (struct cursor){.table = table, .level = table->levels};
    cursor->writer.flush = table->flush;
    cursor->tables[table->levels] = table_entries(table->root);
    cursor->end = pt_span(table->levels) * PT_ENTRIES;
}

/* One level up; links the table it leaves, or drops it if nothing was put into it. */
static void cursor_ascend(struct cursor *cursor)
{
    unsigned level = cursor->level++;
    struct iommu_table_page *page = table_page_of(cursor->tables[level]);

    page->live += cursor->stored;
    cursor->stored = 0;
    cursor->end = ALIGN_UP(cursor->end, pt_span(cursor->level) * PT_ENTRIES);
    if (!cursor->fresh[level])
        return;
    cursor->fresh[level] = false;
    if (page->live == 0) {
        table_release(cursor->table->pool, page);
        return;
    }
    /* The writer flushes the entries of the table before this one can be seen. */
    entry_store(&cursor->writer, cursor->parents[level], pt_table(table_physical(page)));
    cursor->table->tables++;
    cursor->stored++;
}

/* One level down towards `iova`. -EEXIST: a leaf is there. -ENOMEM. */
static int cursor_descend(struct cursor *cursor, uint64_t iova)
{
    unsigned level = cursor->level;
    uint64_t *slot = &cursor->tables[level][pt_index(iova, level)];
    struct iommu_table_page *page;

    /* NOLINTNEXTLINE(*NullDereference): the path down to the current level is always set. */
    if (*slot && pt_is_leaf(*slot, level))
        return -EEXIST;
    if (*slot) {
        cursor->tables[level - 1] = child_table(*slot);
    } else {
        page = table_alloc(cursor->table->pool, level - 1);
        if (!page)
            return -ENOMEM;
        cursor->tables[level - 1] = table_entries(page);
        cursor->fresh[level - 1] = true;
    }
    table_page_of(cursor->tables[level])->live += cursor->stored;
    cursor->stored = 0;
    cursor->parents[level - 1] = slot;
    cursor->level = level - 1;
    cursor->end = ALIGN_DOWN(iova, pt_span(level)) + pt_span(level);
    return 0;
}

/* Goes to the table of `level` that holds the entry for `iova`, which is not behind the cursor. */
static int cursor_move(struct cursor *cursor, uint64_t iova, unsigned level)
{
    int error;

    while (cursor->level < level || iova >= cursor->end)
        cursor_ascend(cursor);
    while (cursor->level > level) {
        error = cursor_descend(cursor, iova);
        if (error)
            return error;
    }
    return 0;
}

/* Links what is not linked yet. */
static void cursor_finish(struct cursor *cursor)
{
    while (cursor->level < cursor->table->levels)
        cursor_ascend(cursor);
    table_page_of(cursor->tables[cursor->level])->live += cursor->stored;
    entry_flush(&cursor->writer);
}

/* Stores `count` leaves in the current table. Returns how many found an empty slot, from the first
 * on. */
static unsigned cursor_fill(struct cursor *cursor, uint64_t iova, uint64_t leaf, unsigned count)
{
    uint64_t *slot = &cursor->tables[cursor->level][pt_index(iova, cursor->level)];
    uint64_t span = pt_span(cursor->level);
    unsigned stored = 0;

    /* NOLINTNEXTLINE(*NullDereference): the path down to the current level is always set. */
    for (; stored < count && slot[stored] == 0; stored++, leaf += span)
        entry_store(&cursor->writer, &slot[stored], leaf);
    cursor->stored += stored;
    cursor->table->leaves[cursor->level] += stored;
    return stored;
}

/* The highest level whose leaves fit at the start of this piece. */
static unsigned best_level(uint64_t iova, const struct phys_run *run, unsigned largest)
{
    unsigned level = 1;

    while (level < largest && IS_ALIGNED(iova | run->base, pt_span(level + 1)) &&
           run->length >= pt_span(level + 1))
        level++;
    return level;
}

static int check_run(const struct page_table *table, uint64_t iova, const struct phys_run *run)
{
    uint64_t end;

    if (run->length == 0 || !IS_ALIGNED(run->base | run->length, PAGE_SIZE))
        return -EINVAL;
    if (!range_end(run->base, run->length, &end) || end > table->physical_limit)
        return -EINVAL;
    if (run->length > BIT(table->address_bits) - iova)
        return -EINVAL;
    return 0;
}

/*
 * Maps one piece of consecutive memory. *iova moves forward over what was mapped, also on failure.
 * Leaves of one level fill a table to its end: a larger leaf can only start where a table does.
 */
static int map_piece(struct cursor *cursor, uint64_t *iova, struct phys_run piece,
                     const uint64_t *bits, unsigned largest)
{
    while (piece.length) {
        unsigned level = best_level(*iova, &piece, largest);
        uint64_t span = pt_span(level);
        int error = cursor_move(cursor, *iova, level);
        uint64_t room, fit;
        unsigned stored;

        if (error)
            return error;
        room = PT_ENTRIES - pt_index(*iova, level);
        fit = MIN(piece.length / span, room);
        /* NOLINTNEXTLINE(*UndefinedBinaryOperatorResult): level is 1 to the largest leaf's. */
        stored = cursor_fill(cursor, *iova, piece.base | bits[level], (unsigned)fit);
        *iova += stored * span;
        if (stored < fit)
            return -EEXIST;
        piece.base += fit * span;
        piece.length -= fit * span;
    }
    return 0;
}

/* Runs that continue each other are one piece: how the caller cut them does not cost leaves. */
static int map_runs(struct cursor *cursor, uint64_t *iova, const struct phys_run *runs,
                    size_t count, const uint64_t *bits, unsigned largest)
{
    for (size_t i = 0; i < count;) {
        struct phys_run piece = {runs[i].base, 0};
        int error;

        do {
            error = check_run(cursor->table, *iova + piece.length, &runs[i]);
            if (error)
                return error;
            piece.length += runs[i].length;
            i++;
        } while (i < count && runs[i].base == piece.base + piece.length);
        error = map_piece(cursor, iova, piece, bits, largest);
        if (error)
            return error;
    }
    return 0;
}

int page_table_map(struct page_table *table, uint64_t iova, const struct phys_run *runs,
                   size_t count, unsigned permissions, bool small, struct iommu_gather *undo)
{
    uint64_t bits[PT_LEAF_MAX + 1];
    uint64_t at = iova;
    struct cursor cursor;
    int error;

    if (!IS_ALIGNED(iova, PAGE_SIZE) || iova >= BIT(table->address_bits) || count == 0)
        return -EINVAL;
    if (permissions == 0 || (permissions & ~PT_PERMISSIONS))
        return -EINVAL;
    for (unsigned level = 1; level <= PT_LEAF_MAX; level++)
        bits[level] = pt_leaf_bits(level, permissions, table->snoop);

    cursor_start(&cursor, table);
    error = map_runs(&cursor, &at, runs, count, bits, small ? 1 : table->largest);
    cursor_finish(&cursor);
    if (error && at > iova)
        page_table_unmap(table, iova, at - iova, undo);
    return error;
}

/* ---- unmap ---- */

struct removal {
    struct page_table *table;
    struct iommu_gather *gather;
    struct entry_writer writer;
};

static void count_leaves(struct removal *removal, unsigned level, uint64_t leaves)
{
    removal->table->leaves[level] -= leaves;
    removal->gather->leaves += leaves;
    if (leaves)
        removal->gather->leaf_bits = MAX(removal->gather->leaf_bits, pt_shift(level));
}

static void retire(struct removal *removal, struct iommu_table_page *page)
{
    page->next = removal->gather->freed;
    removal->gather->freed = page;
    removal->table->tables--;
}

/*
 * Retires a table and everything below it, contents and all: no store is needed for what the unit
 * can no longer reach, and until the invalidation it may still walk here.
 */
static void retire_tree(struct removal *removal, struct iommu_table_page *page)
{
    uint64_t *entries = table_entries(page);
    unsigned level = page->level;
    uint64_t leaves = 0;

    if (level == 1) {
        leaves = page->live;
    } else {
        for (unsigned i = 0, seen = 0; seen < page->live; i++) {
            if (!entries[i])
                continue;
            seen++;
            if (pt_is_leaf(entries[i], level))
                leaves++;
            else
                retire_tree(removal, table_page_of(child_table(entries[i])));
        }
    }
    if (leaves)
        count_leaves(removal, level, leaves);
    retire(removal, page);
}

/* Clears the leaves of a level 1 table between two indexes. */
static void clear_leaves(struct removal *removal, uint64_t *entries, unsigned index, unsigned end)
{
    unsigned cleared = 0;

    for (; index <= end; index++) {
        if (!entries[index])
            continue;
        entry_store(&removal->writer, &entries[index], 0);
        cleared++;
    }
    table_page_of(entries)->live -= cleared;
    count_leaves(removal, 1, cleared);
}

static void unmap_table(struct removal *removal, uint64_t *entries, uint64_t first, uint64_t last);

/* One present entry of a table above level 1; `first` to `last` is what of its span goes. */
static void unmap_entry(struct removal *removal, uint64_t *slot, unsigned level, uint64_t first,
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
            unmap_table(removal, table_entries(child), first, last);
            if (child->live)
                return;
            retire(removal, child);
        }
    }
    entry_store(&removal->writer, slot, 0);
    table_page_of(slot)->live--;
}

static void unmap_table(struct removal *removal, uint64_t *entries, uint64_t first, uint64_t last)
{
    unsigned level = table_page_of(entries)->level;
    unsigned end = pt_index(last, level);
    uint64_t span = pt_span(level);

    if (level == 1) {
        clear_leaves(removal, entries, pt_index(first, level), end);
        return;
    }
    for (unsigned index = pt_index(first, level); index <= end; index++) {
        uint64_t span_last = first | (span - 1);

        if (entries[index])
            unmap_entry(removal, &entries[index], level, first, MIN(last, span_last));
        first = span_last + 1;
    }
}

void page_table_unmap(struct page_table *table, uint64_t iova, uint64_t length,
                      struct iommu_gather *gather)
{
    struct removal removal = {.table = table, .gather = gather, .writer.flush = table->flush};
    uint64_t last = iova + (length - 1);
    uint64_t leaves = gather->leaves;

    ASSERT(length && IS_ALIGNED(iova | length, PAGE_SIZE));
    ASSERT(last >= iova && last < BIT(table->address_bits));
    unmap_table(&removal, table_entries(table->root), iova, last);
    entry_flush(&removal.writer);
    if (gather->leaves == leaves)
        return;
    gather->first = MIN(gather->first, iova);
    gather->last = MAX(gather->last, last);
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

/* ---- look ---- */

bool page_table_translate(const struct page_table *table, uint64_t iova,
                          struct iommu_translation *out)
{
    const uint64_t *entries = table_entries(table->root);

    if (iova >= BIT(table->address_bits))
        return false;
    for (unsigned level = table->levels;; level--) {
        uint64_t entry = entries[pt_index(iova, level)];

        if (!entry)
            return false;
        if (pt_is_leaf(entry, level)) {
            out->leaf_size = pt_span(level);
            out->physical = pt_address(entry) | (iova & (out->leaf_size - 1));
            out->permissions = pt_permissions(entry);
            return true;
        }
        entries = child_table(entry);
    }
}

/* The first IOVA from `iova` on whose translation is not ruled out by an absent entry. */
static uint64_t skip_absent(const struct page_table *table, uint64_t iova)
{
    const uint64_t *entries = table_entries(table->root);

    for (unsigned level = table->levels;; level--) {
        uint64_t entry = entries[pt_index(iova, level)];

        if (!entry)
            return ALIGN_DOWN(iova, pt_span(level)) + pt_span(level);
        if (pt_is_leaf(entry, level))
            return iova;
        entries = child_table(entry);
    }
}

void page_table_walk(const struct page_table *table, uint64_t iova, uint64_t last,
                     bool (*leaf)(void *context, uint64_t iova,
                                  const struct iommu_translation *translation),
                     void *context)
{
    struct iommu_translation translation;

    last = MIN(last, BIT(table->address_bits) - 1);
    while (iova <= last) {
        if (!page_table_translate(table, iova, &translation)) {
            iova = skip_absent(table, iova);
            continue;
        }
        iova = ALIGN_DOWN(iova, translation.leaf_size);
        translation.physical = ALIGN_DOWN(translation.physical, translation.leaf_size);
        if (!leaf(context, iova, &translation))
            return;
        iova += translation.leaf_size;
    }
}
