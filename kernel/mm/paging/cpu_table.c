/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/mm/paging/cpu_table.h"
#include "kernel/lib/error.h"
#include "kernel/lib/group.h"
#include "kernel/lib/panic.h"
#include "kernel/mm/direct.h"
#include "kernel/mm/frames/frames.h"
#include "kernel/mm/paging/cpu_table_format.h"

/* A place in the tables: the entry that covers `at` at the lowest level there is. */
struct cursor {
    const struct cpu_table *table;
    uint64_t at; /* aligned down to the entry's size after the first step */
    uint64_t *slot;
    unsigned level;
};

static uint64_t *entries(paddr_t address)
{
    return phys_to_virt(address);
}

/* Entries in use of one table; the frame's note keeps the number. */
static void count_entries(const struct cpu_table *table, paddr_t address, int change)
{
    if (table->counted)
        *frames_note(address) += (uint32_t)change;
}

/* Unrolled, the levels are constants, which halves the instructions of every walk. */
static inline void cursor_seek(struct cursor *c, uint64_t at)
{
    uint64_t *slot = entries(c->table->root) + level_index(at, LEVEL_TOP);
    unsigned level = LEVEL_TOP;

#pragma clang loop unroll(full)
    while (level > 0) {
        if (!pte_is_table(*slot, level))
            break;
        level--;
        slot = (uint64_t *)entries(*slot & PTE_ADDRESS) + level_index(at, level);
    }
    c->at = at;
    c->slot = slot;
    c->level = level;
}

/* To the entry behind this one. */
static void cursor_next(struct cursor *c)
{
    uint64_t at = ALIGN_DOWN(c->at, level_size(c->level)) + level_size(c->level);

    if (level_index(at, c->level) == 0 || pte_is_table(c->slot[1], c->level)) {
        cursor_seek(c, at);
        return;
    }
    c->at = at;
    c->slot++;
}

static bool is_leaf(uint64_t entry)
{
    return entry != 0;
}

static paddr_t leaf_base(const struct cursor *c)
{
    return (*c->slot & PTE_ADDRESS) + (c->at & (level_size(c->level) - 1));
}

static uint64_t leaf_rest(const struct cursor *c)
{
    return level_size(c->level) - (c->at & (level_size(c->level) - 1));
}

/* Frees the tables on the way to `at` that hold nothing any more. */
static void prune(struct cpu_table *table, uint64_t at)
{
    paddr_t path[LEVEL_TOP + 1];
    unsigned level = LEVEL_TOP;

    if (!table->counted)
        return;
    path[level] = table->root;
    for (;;) {
        uint64_t entry = entries(path[level])[level_index(at, level)];

        if (!pte_is_table(entry, level))
            break;
        path[--level] = entry & PTE_ADDRESS;
    }
    for (; level < LEVEL_TOP && *frames_note(path[level]) == 0; level++) {
        entries(path[level + 1])[level_index(at, level + 1)] = 0;
        count_entries(table, path[level + 1], -1);
        frames_release(path[level], PAGE_SIZE);
    }
}

/* The table that holds the entries of `level` for `at`, made if needed; PADDR_NONE: no memory. */
static paddr_t table_for(struct cpu_table *table, uint64_t at, unsigned level)
{
    paddr_t address = table->root;

    for (unsigned l = LEVEL_TOP; l > level; l--) {
        uint64_t *slot = entries(address) + level_index(at, l);

        if (*slot == 0) {
            paddr_t fresh = table->alloc();

            if (fresh == PADDR_NONE) {
                prune(table, at);
                return PADDR_NONE;
            }
            if (table->counted)
                *frames_note(fresh) = 0;
            *slot = fresh | PTE_TABLE;
            count_entries(table, address, 1);
        }
        ASSERT(pte_is_table(*slot, l));
        address = *slot & PTE_ADDRESS;
    }
    return address;
}

/* The largest leaf for a run: aligned on both sides, within the length, known to the CPU. */
static unsigned leaf_level(const struct cpu_table *table, uint64_t at, paddr_t base,
                           uint64_t length)
{
    if (!IS_ALIGNED(at | base, SIZE_2M) || length < SIZE_2M)
        return 0;
    return table->gib_pages && IS_ALIGNED(at | base, SIZE_1G) && length >= SIZE_1G ? 2 : 1;
}

/* Fills neighbouring entries of one table; returns the bytes mapped, 0 without memory. */
static uint64_t map_in_table(struct cpu_table *table, uint64_t at, paddr_t base, uint64_t length,
                             uint64_t bits)
{
    unsigned level = leaf_level(table, at, base, length);
    uint64_t size = level_size(level);
    paddr_t address = table_for(table, at, level);
    unsigned index = level_index(at, level);
    uint64_t *slot;
    int count = 0;

    if (address == PADDR_NONE)
        return 0;
    slot = entries(address) + index;
    do {
        ASSERT(*slot == 0);
        *slot++ = pte_leaf(base, level, bits);
        base += size;
        at += size;
        length -= size;
        count++;
    } while (++index < TABLE_ENTRIES && length >= PAGE_SIZE &&
             leaf_level(table, at, base, length) == level);
    count_entries(table, address, count);
    return (uint64_t)count * size;
}

int cpu_table_map(struct cpu_table *table, uint64_t at, paddr_t base, uint64_t length,
                  unsigned flags)
{
    uint64_t bits = pte_flags(flags);
    uint64_t done = 0;

    while (done < length) {
        uint64_t mapped = map_in_table(table, at + done, base + done, length - done, bits);

        if (mapped == 0) {
            cpu_table_unmap(table, at, done);
            return -ENOMEM;
        }
        done += mapped;
    }
    return 0;
}

/* Replaces a large leaf by a table of the next smaller ones: filled first, then put in place. */
static int split(struct cpu_table *table, struct cursor *c)
{
    paddr_t fresh = table->alloc();
    uint64_t *slot;
    uint64_t entry = *c->slot;
    unsigned below = c->level - 1;

    if (fresh == PADDR_NONE)
        return -ENOMEM;
    slot = entries(fresh);
    for (unsigned i = 0; i < TABLE_ENTRIES; i++)
        slot[i] = (below == 0 ? entry & ~PTE_LARGE : entry) + i * level_size(below);
    if (table->counted)
        *frames_note(fresh) = TABLE_ENTRIES;
    *c->slot = fresh | PTE_TABLE;
    return 0;
}

int cpu_table_cut(struct cpu_table *table, uint64_t at)
{
    struct cursor c = {.table = table};

    cursor_seek(&c, at);
    while (is_leaf(*c.slot) && !IS_ALIGNED(at, level_size(c.level))) {
        if (split(table, &c))
            return -ENOMEM;
        cursor_seek(&c, at);
    }
    return 0;
}

/* Clears the entries of one table from the cursor on; returns where it stopped. */
static uint64_t unmap_in_table(struct cpu_table *table, struct cursor *c, uint64_t end)
{
    paddr_t address = ALIGN_DOWN(virt_to_phys(c->slot), PAGE_SIZE);
    uint64_t size = level_size(c->level);
    uint64_t at = ALIGN_DOWN(c->at, size);
    unsigned index = level_index(at, c->level);
    int count = 0;

    for (; index < TABLE_ENTRIES && at < end; index++, at += size, c->slot++) {
        if (pte_is_table(*c->slot, c->level))
            break;
        if (*c->slot == 0)
            continue;
        ASSERT(at >= c->at && size <= end - at);
        *c->slot = 0;
        count++;
    }
    count_entries(table, address, -count);
    return at;
}

void cpu_table_unmap(struct cpu_table *table, uint64_t at, uint64_t length)
{
    uint64_t end = at + length;
    struct cursor c = {.table = table};

    while (at < end) {
        uint64_t next;

        cursor_seek(&c, at);
        next = unmap_in_table(table, &c, end);
        prune(table, at);
        at = next;
    }
}

void cpu_table_protect(struct cpu_table *table, uint64_t at, uint64_t length, unsigned flags)
{
    const uint64_t keep = PTE_ADDRESS | PTE_LARGE | PTE_OWNED | PTE_UNCACHED;
    uint64_t bits = pte_flags(flags & ~(unsigned)(PAGE_OWNED | PAGE_UNCACHED));
    uint64_t end = at + length;
    struct cursor c = {.table = table};

    if (length == 0)
        return;
    for (cursor_seek(&c, at); c.at < end; cursor_next(&c)) {
        if (!is_leaf(*c.slot))
            continue;
        ASSERT(IS_ALIGNED(c.at, level_size(c.level)) && level_size(c.level) <= end - c.at);
        *c.slot = (*c.slot & keep) | bits;
    }
}

bool cpu_table_find(const struct cpu_table *table, uint64_t at, uint64_t end,
                    struct cpu_mapping *out)
{
    struct cursor c = {.table = table};

    if (at >= end)
        return false;
    cursor_seek(&c, at);
    while (c.at < end && !is_leaf(*c.slot))
        cursor_next(&c);
    if (c.at >= end)
        return false;
    *out = (struct cpu_mapping){c.at, 0, leaf_base(&c), pte_to_flags(*c.slot)};
    for (unsigned leaves = 0;
         leaves < TABLE_ENTRIES && c.at < end && is_leaf(*c.slot) &&
         leaf_base(&c) == out->base + out->length && pte_to_flags(*c.slot) == out->flags;
         leaves++) {
        out->length += leaf_rest(&c);
        cursor_next(&c);
    }
    out->length = MIN(out->length, end - out->at);
    return true;
}

uint64_t cpu_table_page_size(const struct cpu_table *table, uint64_t at)
{
    struct cursor c = {.table = table};

    cursor_seek(&c, at);
    return level_size(c.level);
}

struct run_list {
    struct phys_run *runs;
    size_t count;
    size_t capacity;
};

/* Adds a leaf to the runs: to the last one, which ends at `next`, or as one more behind it. */
static inline struct phys_run *add_leaf(struct phys_run *run, paddr_t next, paddr_t base,
                                        uint64_t size)
{
    if (base == next) {
        run[-1].length += size;
        return run;
    }
    *run = (struct phys_run){base, size};
    return run + 1;
}

#define LEAVES_A_TURN 8u
/*
 * Adds `count` leaves from `slot` on, which are expected to differ from the first in their address
 * only: they have its `marks`. Returns how many do.
 */
static inline size_t add_leaves(struct run_list *list, const uint64_t *slot, size_t count,
                                uint64_t marks, uint64_t size)
{
    struct phys_run *run = list->runs + list->count;
    paddr_t next = list->count ? run[-1].base + run[-1].length : PADDR_NONE;
    size_t done = 0;

    for (; count - done >= LEAVES_A_TURN; done += LEAVES_A_TURN) {
#pragma clang loop unroll(full)
        for (unsigned i = 0; i < LEAVES_A_TURN; i++) {
            paddr_t base = slot[done + i] ^ marks;

            if (base & ~PTE_ADDRESS) {
                done += i;
                goto out;
            }
            run = add_leaf(run, next, base, size);
            next = base + size;
        }
    }
    for (; done < count; done++) {
        paddr_t base = slot[done] ^ marks;

        if (base & ~PTE_ADDRESS)
            break;
        run = add_leaf(run, next, base, size);
        next = base + size;
    }
out:
    list->count = (size_t)(run - list->runs);
    return done;
}

/*
 * Collects whole leaves of one table from the cursor on, and moves it behind them. Short per leaf,
 * because scattered memory has many. True if the cursor stands where a new walk must go on.
 */
static bool runs_in_table(struct cursor *c, uint64_t end, uint64_t mask, uint64_t want,
                          struct run_list *list)
{
    const uint64_t size = level_size(c->level);
    const uint64_t at = ALIGN_DOWN(c->at, size);
    const uint64_t marks = *c->slot & ~PTE_ADDRESS;
    /* One leaf makes one run at most, so the list cannot overflow. */
    const uint64_t fits =
        MIN((end - at + size - 1) >> level_shift(c->level), list->capacity - list->count);
    const uint64_t count = MIN(TABLE_ENTRIES - level_index(at, c->level), fits);

    if ((marks & mask) != want)
        return false;
    c->at = at + add_leaves(list, c->slot, count, marks, size) * size;
    return c->at < end && list->count < list->capacity;
}

/* More than one leaf, of which each entry has the bits of `want` and is cached or not like it. */
static __attribute__((noinline)) size_t many_runs(const struct cpu_table *table, uint64_t at,
                                                  uint64_t end, uint64_t want, struct phys_run *out,
                                                  size_t capacity)
{
    struct run_list list = {out, 0, capacity};
    struct cursor c = {.table = table};
    uint64_t skip;

    cursor_seek(&c, at);
    skip = at & (level_size(c.level) - 1);
    while (runs_in_table(&c, end, want | PTE_CACHE_OFF, want, &list))
        cursor_seek(&c, c.at);
    /* The first and the last leaf may stick out of the range. */
    if (c.at > end)
        out[list.count - 1].length -= c.at - end;
    out[0].length -= skip;
    out[0].base += skip;
    return list.count;
}

size_t cpu_table_runs(const struct cpu_table *table, uint64_t at, uint64_t end, unsigned need,
                      struct phys_run *out, size_t capacity, bool *device)
{
    uint64_t entry = entries(table->root)[level_index(at, LEVEL_TOP)];
    unsigned level = LEVEL_TOP;
    uint64_t inside;

    /* One leaf that covers everything is the usual case: no cursor for that. */
#pragma clang loop unroll(full)
    while (level > 0) {
        if (!pte_is_table(entry, level))
            break;
        level--;
        entry = entries(entry & PTE_ADDRESS)[level_index(at, level)];
    }
    if ((entry & need) != need || at >= end)
        return 0;
    *device = entry & PTE_CACHE_OFF;
    inside = at & (level_size(level) - 1);
    if (end - at > level_size(level) - inside)
        return many_runs(table, at, end, need | (entry & PTE_CACHE_OFF), out, capacity);
    *out = (struct phys_run){(entry & PTE_ADDRESS) + inside, end - at};
    return 1;
}

int cpu_table_hold(struct cpu_table *table, uint64_t at)
{
    paddr_t address = table_for(table, at, 0);

    if (address == PADDR_NONE)
        return -ENOMEM;
    count_entries(table, address, 1);
    return 0;
}

void cpu_table_unhold(struct cpu_table *table, uint64_t at)
{
    struct cursor c = {.table = table};

    cursor_seek(&c, at);
    ASSERT(c.level == 0);
    count_entries(table, ALIGN_DOWN(virt_to_phys(c.slot), PAGE_SIZE), -1);
    prune(table, at);
}

/* Moves the first `rows` entries of one table into another of the same level. */
static void graft(struct cpu_table *table, paddr_t to, paddr_t from, unsigned level, unsigned rows)
{
    uint64_t *to_slot = entries(to), *from_slot = entries(from);

    for (unsigned i = 0; i < rows; i++) {
        if (from_slot[i] == 0)
            continue;
        if (to_slot[i] == 0) {
            to_slot[i] = from_slot[i];
            count_entries(table, to, 1);
        } else {
            ASSERT(pte_is_table(to_slot[i], level) && pte_is_table(from_slot[i], level));
            graft(table, to_slot[i] & PTE_ADDRESS, from_slot[i] & PTE_ADDRESS, level - 1,
                  TABLE_ENTRIES);
            frames_release(from_slot[i] & PTE_ADDRESS, PAGE_SIZE);
        }
        from_slot[i] = 0;
    }
}

void cpu_table_graft(struct cpu_table *table, struct cpu_table *from, unsigned rows)
{
    graft(table, table->root, from->root, LEVEL_TOP, rows);
    if (from->counted)
        *frames_note(from->root) = 0;
}

/* Frees one table and all below it. */
static void free_table(struct cpu_table *table, paddr_t address, unsigned level)
{
    const uint64_t *slot = entries(address);

    for (unsigned i = 0; level > 0 && i < TABLE_ENTRIES; i++)
        if (pte_is_table(slot[i], level))
            free_table(table, slot[i] & PTE_ADDRESS, level - 1);
    frames_release(address, PAGE_SIZE);
}

void cpu_table_clear(struct cpu_table *table, unsigned first, unsigned last)
{
    uint64_t *slot = entries(table->root);

    for (unsigned i = first; i <= last; i++) {
        if (pte_is_table(slot[i], LEVEL_TOP))
            free_table(table, slot[i] & PTE_ADDRESS, LEVEL_TOP - 1);
        slot[i] = 0;
    }
}
