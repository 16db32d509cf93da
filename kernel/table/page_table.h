/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one editor of page tables, for the CPU, for devices and for guests to come: map runs with the
 * fewest leaves, unmap, look. It knows the shape of tables (shape.h); formats are their users'. It
 * knows nothing of translation caches either: what must be invalidated comes back in a gather.
 *
 *   level 4          level 3           level 2           level 1
 *   root
 *   ┌────┐
 *   │    │      ┌──► ┌────┐       ┌──► ┌────┐       ┌─ ► ┌────┐
 *   ├────┤      │    │    │       │    │leaf│ 2 MiB │    │leaf│ 4 KiB
 *   │  ──┼──────┘    ├────┤       │    ├────┤       │    ├────┤
 *   ├────┤           │  ──┼───────┘    │leaf│            │leaf│
 *   │    │           ├────┤            ├────┤       │    ├────┤
 *   └────┘           │leaf│ 1 GiB      │  ─ ┼ ─ ─ ─ ┘    │ ▲  │ cursor
 *                    ├────┤            ├────┤            ├─┼──┤
 *                    │    │            │    │            │    │
 *                    └────┘            └────┘            └────┘
 *
 * A map moves a cursor through the tree, forward only. Down (descend): into the table that an entry
 * points to, or into a new one, which hangs nowhere yet (─ ─). There it fills entry after entry. Up
 * (ascend): when a table is left it is linked, if something was put into it, or given back. So
 * whoever walks the tree sees filled tables only, and a map that fails has no table to take back.
 *
 * An unmap goes down to the lowest table that holds all of its range, clears what is there, and
 * takes out tables that are empty then, or that the range covers whole, contents and all. It needs
 * no memory and cannot fail, for leaves are never split; where a format allows that, it is an
 * operation of its own (split.h).
 */
#ifndef KERNEL_TABLE_PAGE_TABLE_H
#define KERNEL_TABLE_PAGE_TABLE_H

#include "kernel/table/gather.h"
#include "kernel/table/pool.h"
#include "kernel/table/shape.h"

/* No address has this place. */
#define PT_NOWHERE (~UINT64_C(0))

/* The table of a level used last. */
struct recent_table {
    uint64_t *entries;
    struct table_page *page;
    uint64_t place; /* address / what the table stands for; PT_NOWHERE: there is none */
};

/* Addresses are below 2^address_bits; the CPU's are cut off there. */
struct page_table {
    struct table_pool *pool;
    uint64_t *root;
    unsigned levels;                   /* 3 to 5 */
    unsigned largest;                  /* highest level that may hold leaves */
    unsigned address_bits;             /* 12 + 9 * levels, or a few less */
    uint64_t link;                     /* the bits of an entry that points to a table */
    bool flush;                        /* the walker does not snoop caches */
    bool permanent;                    /* tables stay once they are made; nothing counts entries */
    bool remembers;                    /* `idle` and `recent` are in use */
    paddr_t physical_limit;            /* physical addresses are below it; a power of two */
    uint64_t leaves[PT_LEAF_MAX + 1];  /* by level */
    uint64_t removed[PT_LEAF_MAX + 1]; /* by level, since the table was made */
    uint64_t tables;                   /* pages in the tree, without the root */
    /*
     * One table that lost its last leaf stays where it is, with the tables above it, until another
     * one does or something else wants its place: who maps and unmaps single leaves at the same
     * place does not pay for tables each time.
     */
    uint64_t *idle;
    unsigned idle_level;
    uint64_t idle_at;                              /* an address in it */
    struct recent_table recent[PT_LEVELS_MAX + 1]; /* by level */
};

/* Takes the fields above from `levels` to `physical_limit` as set; allocates the root. -ENOMEM. */
int page_table_init(struct page_table *table, struct table_pool *pool);
/* Gives every page back. Nobody may have a translation of it cached. */
void page_table_destroy(struct page_table *table);

/*
 * Maps the runs one behind the other from `at` on; `bits` is what each leaf has by its format;
 * `small`: with leaves of 4 KiB only. 0, -EINVAL, -EEXIST or -ENOMEM. On failure the first *mapped
 * bytes are mapped, and the caller unmaps them. -EAGAIN: the idle table is in the way of a larger
 * leaf; unmap, call page_table_trim(), invalidate, and try again.
 */
int page_table_map(struct page_table *table, uint64_t at, const struct phys_run *runs, size_t count,
                   uint64_t bits, bool small, uint64_t *mapped);
/*
 * Removes every leaf in the range, which is page aligned, not empty and inside the address width,
 * and has no end inside of a leaf.
 */
void page_table_unmap(struct page_table *table, uint64_t at, uint64_t length,
                      struct table_gather *gather);
/* Takes the idle table out, if there is one. */
void page_table_trim(struct page_table *table, struct table_gather *gather);
/* After the invalidation: releases the emptied pages of a gather. */
void page_table_release(struct page_table *table, struct table_gather *gather);

/*
 * Makes the lowest table for `at` and keeps it until the unhold, so that mapping single pages in
 * its 2 MiB cannot fail; they must not be unmapped all in one call. -ENOMEM; -EEXIST: a larger leaf
 * is there.
 */
int page_table_hold(struct page_table *table, uint64_t at);
void page_table_unhold(struct page_table *table, uint64_t at, struct table_gather *gather);

/*
 * Moves everything below the first `count` entries of the other root over; nothing may collide. No
 * walker may use the other table. Never for tables whose stores need a flush.
 */
void page_table_graft(struct page_table *table, struct page_table *from, unsigned count);

static inline uint64_t *child_table(uint64_t entry)
{
    return phys_to_virt(pt_address(entry));
}

/* A place in the tree: the lowest entry there is for an address. */
struct table_place {
    const struct page_table *table;
    uint64_t at;    /* the address, or where the entry's span starts */
    uint64_t *slot; /* 0 in it: nothing is mapped there */
    unsigned level;
};
struct table_place page_table_seek(const struct page_table *table, uint64_t at);
/* To the entry behind this one. */
void table_place_step(struct table_place *place);
/* Forward to a leaf, unless it stands at one. False: there is none below `end`. */
bool table_place_leaf(struct table_place *place, uint64_t end);

static inline uint64_t table_place_offset(const struct table_place *place)
{
    return place->at & (pt_span(place->level) - 1);
}

/* Where the address of a place with a leaf leads. */
static inline paddr_t table_place_physical(const struct table_place *place)
{
    return pt_address(*place->slot) + table_place_offset(place);
}

#endif
