/* SPDX-License-Identifier: BSD-2-Clause */
/* Mapping runs with the fewest leaves, without walking from the root for each. */
#include "kernel/lib/error.h"
#include "kernel/table/internal.h"

/* ---- the place in the tree ---- */

/*
 * A place in the tree that moves forward (see the drawing in page_table.h). tables[level] is the
 * table the next entry goes into. Tables that the cursor had to create stay unlinked until it
 * leaves them, so that a walker only ever sees filled tables, and a failure has nothing to take
 * back from them.
 */
struct cursor {
    struct page_table *table;
    struct entry_writer writer;
    uint64_t end; /* first address behind the current table */
    unsigned level;
    unsigned stored; /* entries stored in the current table on this visit */
    unsigned fresh;  /* bit n: tables[n] is not linked yet; so are those below */
    unsigned filled; /* bit n: something was stored in tables[n] */
    uint64_t *tables[PT_LEVELS_MAX + 1];  /* path from the root */
    uint64_t *parents[PT_LEVELS_MAX + 1]; /* the slot tables[level] hangs, or will hang, in */
};

static void cursor_start(struct cursor *cursor, struct page_table *table)
{
    cursor->table = table;
    cursor->writer = (struct entry_writer){.flush = table->flush};
    cursor->end = pt_span(table->levels + 1);
    cursor->level = table->levels;
    cursor->stored = 0;
    cursor->fresh = 0;
    cursor->filled = 0;
    cursor->tables[table->levels] = table->root;
}

/* Notes what was stored in the current table. */
static void cursor_settle(struct cursor *cursor)
{
    uint64_t *entries = cursor->tables[cursor->level];

    if (!cursor->stored)
        return;
    table_count(cursor->table, entries, (int)cursor->stored, 0);
    if (entries == cursor->table->idle)
        cursor->table->idle = NULL;
    cursor->filled |= 1u << cursor->level;
    cursor->stored = 0;
}

/* One level up; links the table it leaves, or drops it if nothing was put into it. */
static void cursor_ascend(struct cursor *cursor)
{
    uint64_t *entries = cursor->tables[cursor->level];
    const unsigned level = cursor->level, bit = 1u << level;

    cursor_settle(cursor);
    cursor->level++;
    cursor->end = ALIGN_UP(cursor->end, pt_span(level + 2));
    if (!(cursor->fresh & bit))
        return;
    cursor->fresh &= ~bit;
    if (!(cursor->filled & bit)) {
        table_release(cursor->table->pool, entries);
        return;
    }
    /* Even where this slot follows them in memory, for then the writer would go on. */
    entry_flush(&cursor->writer);
    entry_store(&cursor->writer, cursor->parents[level],
                virt_to_phys(entries) | cursor->table->link);
    table_count(cursor->table, cursor->parents[level], 0, 1);
    cursor->table->tables++;
    cursor->stored++;
}

/* One level down towards `at`. -EEXIST: a leaf is there. -ENOMEM. */
static int cursor_descend(struct cursor *cursor, uint64_t at)
{
    unsigned level = cursor->level, below = level - 1;
    uint64_t *slot = &cursor->tables[level][pt_index(at, level)];

    if (*slot && pt_is_leaf(*slot, level))
        return -EEXIST;
    if (*slot) {
        cursor->tables[below] = child_table(*slot);
    } else {
        cursor->tables[below] = table_alloc(cursor->table->pool);
        if (!cursor->tables[below])
            return -ENOMEM;
        cursor->fresh |= 1u << below;
        cursor->filled &= ~(1u << below);
    }
    cursor_settle(cursor);
    cursor->parents[below] = slot;
    cursor->level = below;
    cursor->end = ALIGN_DOWN(at, pt_span(level)) + pt_span(level);
    return 0;
}

/* Goes to the table of `level` that holds the entry for `at`, which is not behind the cursor. */
static int cursor_move(struct cursor *cursor, uint64_t at, unsigned level)
{
    while (cursor->level < level || at >= cursor->end)
        cursor_ascend(cursor);
    while (cursor->level > level) {
        int error = cursor_descend(cursor, at);

        if (error)
            return error;
    }
    return 0;
}

/* Links what is not linked yet. */
static void cursor_finish(struct cursor *cursor)
{
    if (cursor->stored)
        table_use(cursor->table, cursor->tables[cursor->level], cursor->level, cursor->end - 1);
    while (cursor->fresh)
        cursor_ascend(cursor);
    cursor_settle(cursor);
    entry_flush(&cursor->writer);
}

/* ---- the memory ---- */

/*
 * The bits that a run must not have. Its first page, the distance from there to its last page, and
 * its last page are all aligned and below the limit; the distance of an empty run is not, and sums
 * of numbers below the limit do not wrap.
 */
/*@ requires \valid_read(run);
    assigns \nothing; */
static inline uint64_t wrong_bits(const struct phys_run *run, paddr_t limit)
{
    uint64_t rest = run->length - PAGE_SIZE;

    return (run->base | rest | (run->base + rest)) & (~(limit - 1) | (PAGE_SIZE - 1));
}

/* What is still to be mapped: the rest of a run and the runs behind it. */
struct feed {
    uint64_t at;
    paddr_t base; /* rest of the current run; length 0: nothing is left */
    uint64_t length;
    const struct phys_run *next;
    const struct phys_run *end;
    paddr_t limit; /* physical addresses are below it; a power of two */
};

/* Goes on to the next run if the current one is used up. -EINVAL: there is something wrong with it.
 */
static inline int feed_next(struct feed *feed)
{
    if (feed->length || feed->next == feed->end)
        return 0;
    if (wrong_bits(feed->next, feed->limit))
        return -EINVAL;
    feed->base = feed->next->base;
    feed->length = feed->next->length;
    feed->next++;
    return 0;
}

/*@ predicate feeding(struct feed *feed) =
      \valid_read(feed) && \base_addr(feed->next) == \base_addr(feed->end) &&
      0 <= feed->end - feed->next && feed->end == feed->next + (feed->end - feed->next) &&
      \valid_read(feed->next + (0 .. feed->end - feed->next - 1)); */

/* Are there `length` consecutive bytes? How the caller cut the runs does not cost leaves. */
/*@ requires feeding(feed);
    assigns \nothing; */
static bool feed_has(const struct feed *feed, uint64_t length)
{
    const struct phys_run *run = feed->next;
    uint64_t found = feed->length;

    /*@ loop invariant 0 <= run - feed->next <= feed->end - feed->next;
        loop invariant run == feed->next + (run - feed->next);
        loop assigns run, found;
        loop variant feed->end - run; */
    while (found < length && run < feed->end && run->base == feed->base + found &&
           !wrong_bits(run, feed->limit))
        found += run++->length;
    return found >= length;
}

/* Takes what feed_has(), but for the address. */
static void feed_take(struct feed *feed, uint64_t length)
{
    for (; length > feed->length; feed->next++) {
        length -= feed->length;
        feed->base = feed->next->base;
        feed->length = feed->next->length;
    }
    feed->base += length;
    feed->length -= length;
}

/* The highest level whose leaves fit here, inside the aperture, too. */
/*@ requires feeding(feed) && 1 <= largest <= PT_LEAF_MAX;
    assigns \nothing;
    ensures 1 <= \result <= largest;
    ensures \result == 2 ==> feed->at % SIZE_2M == 0 && feed->base % SIZE_2M == 0;
    ensures \result == 3 ==> feed->at % SIZE_1G == 0 && feed->base % SIZE_1G == 0; */
static unsigned best_level(const struct feed *feed, unsigned largest)
{
    unsigned level = largest;

    /*@ loop invariant 1 <= level <= largest;
        loop assigns level;
        loop variant level; */
    while (level > 1 && (feed->at % pt_span(level) != 0 || feed->base % pt_span(level) != 0 ||
                         !feed_has(feed, pt_span(level))))
        level--;
    return level;
}

/*
 * Stores leaves of `span` bytes, of what is left of the current run, at the slots from `slot` to
 * `end`. Stops at one that is taken; returns where it stopped.
 */
static inline uint64_t *store_run(struct feed *feed, uint64_t span, uint64_t bits, uint64_t *slot,
                                  const uint64_t *end)
{
    uint64_t *const first = slot;
    uint64_t *const stop = first + MIN(feed->length / span, (uint64_t)(end - first));
    uint64_t leaf = feed->base | bits, stored;

    for (; slot < stop && !*slot; leaf += span)
        entry_put(slot++, leaf);
    stored = (uint64_t)(slot - first) * span;
    feed->base += stored;
    feed->length -= stored;
    return slot;
}

/* The runs behind the current one, as far as they are one leaf each. */
static inline size_t store_whole(struct feed *feed, uint64_t span, uint64_t bits, uint64_t *slot,
                                 const uint64_t *end)
{
    const uint64_t wrong = ~(feed->limit - 1) | (span - 1);
    size_t count = (size_t)MIN(feed->end - feed->next, end - slot);
    size_t done = table_store_runs(feed->next, count, span, wrong, bits, slot);

    feed->next += done;
    return done;
}

/* Is the idle table below this place? Then nothing else need be there. */
static bool idle_below(const struct page_table *table, uint64_t at, unsigned level)
{
    return table->idle && table->idle_level < level && (table->idle_at ^ at) < pt_span(level);
}

/*
 * Leaves of one level from here to the end of the table, of the memory, or of the runs that hold
 * whole ones, whatever comes first: a larger leaf can only start where a table does.
 */
static int fill(struct cursor *cursor, struct feed *feed, unsigned level, uint64_t bits)
{
    uint64_t *const end = cursor->tables[level] + PT_ENTRIES;
    uint64_t *const first = &cursor->tables[level][pt_index(feed->at, level)];
    struct feed rest = *feed; /* a copy can live in registers */
    uint64_t *slot = first;
    uint64_t span = pt_span(level);
    int error = 0;

    entry_start(&cursor->writer, first);
    do {
        if (*slot) {
            error = -EEXIST;
            break;
        }
        entry_put(slot++, rest.base | bits);
        feed_take(&rest, span); /* the one leaf that may lie in more than one run */
        if (rest.length >= span)
            slot = store_run(&rest, span, bits, slot, end);
        if (!rest.length && rest.next != rest.end)
            slot += store_whole(&rest, span, bits, slot, end);
        error = feed_next(&rest);
    } while (!error && slot < end && rest.length >= span && IS_ALIGNED(rest.base, span));
    entry_stop(&cursor->writer, slot);
    rest.at = feed->at + (uint64_t)(slot - first) * span;
    if (error == -EEXIST && idle_below(cursor->table, rest.at, level))
        error = -EAGAIN;
    cursor->stored += (unsigned)(slot - first);
    cursor->table->leaves[level] += (uint64_t)(slot - first);
    *feed = rest;
    return error;
}

static int map_feed(struct cursor *cursor, struct feed *feed, uint64_t bits, unsigned largest)
{
    int error = feed_next(feed);

    while (!error && feed->length) {
        unsigned level = best_level(feed, largest);

        /* The end of the aperture is the end of a level 1 table: no table is filled beyond it. */
        if (feed->at + pt_span(level) > BIT(cursor->table->address_bits))
            return -EINVAL;
        error = cursor_move(cursor, feed->at, level);
        if (!error)
            error = fill(cursor, feed, level, bits | pt_large(level));
    }
    return error;
}

int page_table_map(struct page_table *table, uint64_t at, const struct phys_run *runs, size_t count,
                   uint64_t bits, bool small, uint64_t *mapped)
{
    struct feed feed = {.at = at, .next = runs, .limit = table->physical_limit};
    struct cursor cursor;
    int error;

    *mapped = 0;
    if (!IS_ALIGNED(at, PAGE_SIZE) || at >= BIT(table->address_bits) || count == 0)
        return -EINVAL;
    feed.end = runs + count;
    cursor_start(&cursor, table);
    error = map_feed(&cursor, &feed, bits, small ? 1 : table->largest);
    cursor_finish(&cursor);
    *mapped = feed.at - at;
    return error;
}

/* A held table counts itself as a table in it, so that it is neither empty nor can go whole. */
int page_table_hold(struct page_table *table, uint64_t at)
{
    struct cursor cursor;
    int error;

    cursor_start(&cursor, table);
    error = cursor_move(&cursor, at, 1);
    if (!error) {
        table_count(table, cursor.tables[1], 0, 1);
        cursor.stored++;
    }
    cursor_finish(&cursor);
    return error;
}
