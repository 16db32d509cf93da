/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/pagetable_oracle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/iommu/format.h"
#include "kernel/iommu/inplace.h"
#include "kernel/lib/error.h"
#include "kernel/mm/paging/format.h"
#include "tests/unit/host_heap.h"
#include "tests/unit/toy_format.h"
#include "tests/unit/vtd_memory.h"

#define SEGMENTS_MAX  48
#define RUNS_MAX      64
#define LEAVES_CHECK  3000 /* more leaves than this, and a step checks only what it touched */
#define PHYSICAL_BITS 46

#define REQUIRE(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: step %llu: %s\n", __FILE__, __LINE__,                          \
                    (unsigned long long)step, #condition);                                         \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* One successful map. Runs are kept as given; consecutive ones are what the code may join. */
struct segment {
    uint64_t iova;
    uint64_t length;
    unsigned permissions;
    bool small;
    size_t count;
    struct phys_run runs[RUNS_MAX];
    uint64_t minimum; /* leaves, by exhaustive search */
};

static uint64_t step;
static struct segment segments[SEGMENTS_MAX]; /* sorted by IOVA */
static size_t segment_count;
static const struct oracle_format *format;
static struct page_table table;
static bool marked;
static struct table_pool pool;

/* ---- formats ---- */

const struct oracle_format oracle_second_level = {
    .link = 3,
    .bits = second_level_bits,
    .permission_bits = {0, 1, 2, 3},
    .permission_mask = 3,
    .mark = UINT64_C(1) << 11,
};

/* The CPU cannot but read what it may write; what is marked is the user's. */
static uint64_t cpu_bits(unsigned permissions, bool mark)
{
    return pte_bits((permissions & 1 ? PAGE_READ : 0) | (permissions & 2 ? PAGE_WRITE : 0) |
                    (mark ? PAGE_USER : 0));
}

const struct oracle_format oracle_cpu = {
    .link = 7,
    .bits = cpu_bits,
    .permission_bits = {0, 1, 3, 3},
    .permission_mask = 3,
    .mark = 4,
};

const struct oracle_format oracle_toy = {
    .link = 1 | UINT64_C(1) << 58,
    .bits = toy_bits,
    .permission_bits = {3 * BIT(62), 2 * BIT(62), 1 * BIT(62), 0},
    .permission_mask = 3 * BIT(62),
    .mark = 1 << 5,
};

static uint64_t below(struct chooser *chooser, uint64_t bound)
{
    return chooser->below(chooser, bound);
}

/* ---- the smallest number of leaves ---- */

/* The run that holds byte `offset` of the segment, and where it starts. */
static const struct phys_run *run_at(const struct segment *segment, uint64_t offset,
                                     uint64_t *inside)
{
    size_t i = 0;

    while (offset >= segment->runs[i].length)
        offset -= segment->runs[i++].length;
    *inside = offset;
    return &segment->runs[i];
}

static paddr_t physical_at(const struct segment *segment, uint64_t offset)
{
    uint64_t inside;
    const struct phys_run *run = run_at(segment, offset, &inside);

    return run->base + inside;
}

/* Bytes from `offset` on that are physically consecutive, over the joints of runs. */
static uint64_t consecutive(const struct segment *segment, uint64_t offset)
{
    uint64_t inside, length;
    const struct phys_run *run = run_at(segment, offset, &inside);
    const struct phys_run *end = segment->runs + segment->count;

    length = run->length - inside;
    for (; run + 1 < end && run[1].base == run->base + run->length; run++)
        length += run[1].length;
    return length;
}

/* best[i]: fewest leaves for the pages from i to the end, tried with every size at every page. */
static uint64_t exhaustive_minimum(const struct segment *segment, unsigned largest)
{
    uint64_t pages = segment->length / PAGE_SIZE;
    uint32_t *best = malloc((pages + 1) * sizeof(*best));
    uint64_t result;

    best[pages] = 0;
    for (uint64_t i = pages; i-- > 0;) {
        uint64_t iova = segment->iova + i * PAGE_SIZE;
        paddr_t physical = physical_at(segment, i * PAGE_SIZE);
        uint64_t room = consecutive(segment, i * PAGE_SIZE);

        best[i] = UINT32_MAX;
        for (unsigned level = 1; level <= largest; level++) {
            uint64_t size = PAGE_SIZE << (9 * (level - 1));

            if (iova % size == 0 && physical % size == 0 && room >= size)
                best[i] = MIN(best[i], 1 + best[i + size / PAGE_SIZE]);
        }
    }
    result = best[0];
    free(best);
    return result;
}

/* ---- an independent reader of the tables, straight from the specification's bit layout ---- */

struct reading {
    uint64_t leaves;
    uint64_t tables;
    size_t segment; /* the next one to be seen */
    uint64_t offset;
    bool flushed; /* read what a unit without snooping would read */
};

static void read_leaf(struct reading *reading, uint64_t iova, uint64_t size, uint64_t entry)
{
    const struct segment *segment = &segments[reading->segment];

    REQUIRE(reading->segment < segment_count);
    REQUIRE(iova == segment->iova + reading->offset);
    REQUIRE((entry & format->permission_mask) == format->permission_bits[segment->permissions]);
    REQUIRE(((entry & format->mark) != 0) == marked);
    REQUIRE((entry & UINT64_C(0xffffffffff000)) == physical_at(segment, reading->offset));
    REQUIRE((entry & (size - 1) & ~UINT64_C(0xfff)) == 0);
    REQUIRE((entry & ~UINT64_C(0xffffffffff000)) == format->bits(segment->permissions, marked));
    REQUIRE(consecutive(segment, reading->offset) >= size);
    reading->leaves++;
    reading->offset += size;
    if (reading->offset == segment->length) {
        reading->segment++;
        reading->offset = 0;
    }
}

static void read_table(struct reading *reading, paddr_t at, unsigned level, uint64_t iova)
{
    const uint64_t *entries = vtd_memory_seen(at, reading->flushed);
    unsigned present = 0;

    for (unsigned i = 0; i < 512; i++) {
        uint64_t size = PAGE_SIZE << (9 * (level - 1));
        uint64_t entry = entries[i];

        if (!entry)
            continue;
        present++;
        if (level == 1 || (entry & 0x80)) {
            REQUIRE(level <= table.largest);
            read_leaf(reading, iova + i * size, size, entry & ~UINT64_C(0x80));
        } else {
            REQUIRE((entry & ~UINT64_C(0xffffffffff000)) == format->link);
            reading->tables++;
            read_table(reading, entry & UINT64_C(0x000ffffffffff000), level - 1, iova + i * size);
        }
    }
    /* Nothing but the root and the idle table may be empty. */
    REQUIRE(present || level == table.levels || (table.idle && at == virt_to_phys(table.idle)));
}

/* Does the path to the idle table go through this place, and nothing else? */
static bool only_idle(uint64_t place, uint64_t span)
{
    for (size_t i = 0; i < segment_count; i++) {
        if (segments[i].iova / span <= place &&
            (segments[i].iova + segments[i].length - 1) / span >= place)
            return false;
    }
    return true;
}

/* The fewest tables that hold these leaves: one per distinct place above a leaf; and the idle one.
 */
static uint64_t minimal_tables(void)
{
    uint64_t tables = 0;

    for (unsigned level = table.levels - 1; level >= 1; level--) {
        uint64_t span = PAGE_SIZE << (9 * level);
        uint64_t last_seen = ~UINT64_C(0);

        if (table.idle && table.idle_level <= level)
            tables += only_idle(table.idle_at / span, span);
        for (size_t i = 0; i < segment_count; i++) {
            const struct segment *segment = &segments[i];

            for (uint64_t place = segment->iova / span;
                 place <= (segment->iova + segment->length - 1) / span; place++) {
                struct table_place found =
                    page_table_seek(&table, MAX(place * span, segment->iova));

                /* A table of this level is not needed where one larger leaf covers its place. */
                REQUIRE(*found.slot);
                if (pt_span(found.level) >= span || place == last_seen)
                    continue;
                last_seen = place;
                tables++;
            }
        }
    }
    return tables;
}

static void check_everything(void)
{
    struct reading reading = {.flushed = table.flush};
    uint64_t minimum = 0;

    read_table(&reading, virt_to_phys(table.root), table.levels, 0);
    REQUIRE(reading.segment == segment_count);
    for (size_t i = 0; i < segment_count; i++)
        minimum += segments[i].minimum;
    REQUIRE(reading.leaves == minimum);
    REQUIRE(table.leaves[1] + table.leaves[2] + table.leaves[3] == minimum);
    REQUIRE(table.tables == reading.tables);
    REQUIRE(reading.tables == minimal_tables());
    REQUIRE(pool.used == reading.tables + 1);
}

static uint64_t total_leaves(void)
{
    return table.leaves[1] + table.leaves[2] + table.leaves[3];
}

/* The place an address has, or would have, in the list. */
static size_t place_of(uint64_t iova)
{
    size_t i = 0;

    while (i < segment_count && segments[i].iova + (segments[i].length - 1) < iova)
        i++;
    return i;
}

static void check_address(uint64_t iova)
{
    const struct table_place found = page_table_seek(&table, iova);
    size_t i = place_of(iova);
    bool mapped = i < segment_count && segments[i].iova <= iova;

    REQUIRE((*found.slot != 0) == mapped);
    if (!mapped)
        return;
    REQUIRE(table_place_physical(&found) == physical_at(&segments[i], iova - segments[i].iova));
    REQUIRE(!segments[i].small || pt_span(found.level) == PAGE_SIZE);
}

static void check_around(uint64_t iova, uint64_t length)
{
    uint64_t last = BIT(table.address_bits) - 1;
    uint64_t end = iova + (length - 1);

    check_address(iova);
    check_address(end);
    if (iova > 0)
        check_address(iova - 1);
    if (end < last)
        check_address(end + 1);
    check_address(0);
    check_address(last);
}

/* ---- steps ---- */

/* Sizes that reach every leaf size, their neighbours and sums; the large ones are rare. */
static uint64_t choose_length(struct chooser *chooser)
{
    uint64_t around = below(chooser, 7);

    switch (below(chooser, 64)) {
    case 0:
        return SIZE_1G + (around - 3) * PAGE_SIZE;
    case 1:
        return SIZE_1G + SIZE_2M + around * PAGE_SIZE;
    case 2:
        return SIZE_1G;
    case 3 ... 9:
        return SIZE_2M + (around - 3) * PAGE_SIZE;
    case 10 ... 16:
        return SIZE_2M * (1 + around);
    default:
        return (1 + around) * PAGE_SIZE;
    }
}

/* Near the borders where things go wrong: both ends, and borders of tables of every level. */
static uint64_t choose_iova(struct chooser *chooser, uint64_t length)
{
    uint64_t end = BIT(table.address_bits);
    uint64_t shift = PAGE_SHIFT + 9 * below(chooser, 5);
    uint64_t anchor;

    switch (below(chooser, 5)) {
    case 0:
        return below(chooser, 8) * PAGE_SIZE;
    case 1:
        return end - length - below(chooser, 8) * PAGE_SIZE;
    case 2:
        anchor = below(chooser, 8) << shift;
        break;
    case 3:
        anchor = end - (below(chooser, 8) << shift) - length;
        break;
    default:
        anchor = (below(chooser, 4) << shift) - below(chooser, 8) * PAGE_SIZE;
        break;
    }
    return ALIGN_DOWN(anchor, PAGE_SIZE) % end;
}

/* Physical memory, often congruent to the IOVA for some leaf size. */
static paddr_t choose_physical(struct chooser *chooser, uint64_t iova)
{
    uint64_t size = PAGE_SIZE << (9 * below(chooser, 3));
    paddr_t base = below(chooser, BIT(PHYSICAL_BITS - 31)) << 30;

    if (below(chooser, 2))
        base += below(chooser, 512) * SIZE_2M;
    if (below(chooser, 4) == 0)
        base += below(chooser, 512) * PAGE_SIZE;
    return base + iova % size;
}

/* Cuts the length into runs that continue each other or not, and fills the segment. */
static void choose_runs(struct chooser *chooser, struct segment *segment)
{
    uint64_t left = segment->length;
    uint64_t iova = segment->iova;
    size_t most = 1 + below(chooser, 4) * 20;

    segment->count = 0;
    while (left) {
        struct phys_run *run = &segment->runs[segment->count];
        bool last = segment->count + 1 >= MIN(most, RUNS_MAX);
        uint64_t part = below(chooser, 4)
                            ? (1 + below(chooser, below(chooser, 2) ? 3 : 1024)) * PAGE_SIZE
                            : (1 + below(chooser, 2)) * SIZE_2M;

        run->length = last ? left : MIN(part, left);
        if (segment->count && below(chooser, 2))
            run->base = run[-1].base + run[-1].length;
        else
            run->base = choose_physical(chooser, iova);
        left -= run->length;
        iova += run->length;
        segment->count++;
    }
}

/* Table pages held back, so that there are few. */
static uint64_t *held[2 * TABLE_PAGES_KEPT];
static size_t held_count;

static void let_go(uint64_t pages)
{
    for (; pages && held_count; pages--)
        table_release(&pool, held[--held_count]);
}

/* Leaves exactly `pages` pages in the pool and none in the frame allocator. */
static void starve(uint64_t pages)
{
    uint64_t *entries;

    for (uint64_t i = 0; i < pages; i++)
        held[held_count++] = table_alloc(&pool);
    vtd_memory_deny_frames(true);
    while ((entries = table_alloc(&pool)) != NULL)
        held[held_count++] = entries;
    let_go(pages);
}

static void feed(void)
{
    let_go(held_count);
    vtd_memory_deny_frames(false);
}

static bool overlaps(uint64_t iova, uint64_t length)
{
    size_t i = place_of(iova);

    return i < segment_count && segments[i].iova <= iova + (length - 1);
}

static void insert(const struct segment *segment)
{
    size_t at = place_of(segment->iova);

    memmove(&segments[at + 1], &segments[at], (segment_count - at) * sizeof(*segments));
    segments[at] = *segment;
    segment_count++;
}

static void release(struct table_gather *gather)
{
    page_table_release(&table, gather);
    *gather = TABLE_GATHER_EMPTY;
}

/* Does the range share a place of `span` bytes with the address? */
static bool overlaps_span(uint64_t iova, uint64_t length, uint64_t address, uint64_t span)
{
    return iova / span <= address / span && (iova + length - 1) / span >= address / span;
}

static void trim(void)
{
    struct table_gather gather = TABLE_GATHER_EMPTY;
    uint64_t iova = table.idle_at;
    bool idle = table.idle;

    page_table_trim(&table, &gather);
    REQUIRE(!table.idle && (gather.freed != 0) == idle);
    REQUIRE(gather.trimmed == (idle ? iova | GATHER_TRIMMED : 0));
    release(&gather);
}

/* Both ways of unmapping, as the layer above chooses between them. */
static void unmap(uint64_t iova, uint64_t length, struct table_gather *gather)
{
    if (unmap_in_place(&table, iova, length)) {
        gather->leaves++;
        gather->leaf_bits = MAX(gather->leaf_bits, (unsigned)__builtin_ctzll(length));
        gather->first = MIN(gather->first, iova);
        gather->last = MAX(gather->last, iova + (length - 1));
    } else {
        page_table_unmap(&table, iova, length, gather);
    }
}

static uint64_t leaf_bits(const struct segment *segment)
{
    return format->bits(segment->permissions, marked);
}

/* The short way of mapping one leaf. */
static bool map_short(const struct segment *segment)
{
    return segment->count == 1 &&
           map_in_place(&table, segment->iova, segment->runs, leaf_bits(segment), segment->small);
}

/* What the layer above does: on failure everything is taken back, the idle table as well. */
static int map(const struct segment *segment)
{
    struct table_gather undo = TABLE_GATHER_EMPTY;
    uint64_t idle_iova = table.idle_at, mapped;
    uint64_t span = table.idle ? PAGE_SIZE << (9 * table.idle_level) : 0;
    int error;

    if (map_short(segment))
        return 0;
    for (unsigned tries = 0;; tries++) {
        error = page_table_map(&table, segment->iova, segment->runs, segment->count,
                               leaf_bits(segment), segment->small, &mapped);
        REQUIRE(error || mapped == segment->length);
        if (!error)
            return 0;
        if (mapped)
            unmap(segment->iova, mapped, &undo);
        page_table_trim(&table, &undo);
        release(&undo);
        if (error != -EAGAIN)
            return error;
        /* The idle table was in the way of a large leaf; the second try is final. */
        REQUIRE(tries == 0 && span &&
                overlaps_span(segment->iova, segment->length, idle_iova, span));
    }
}

static void step_map(struct chooser *chooser)
{
    static struct segment candidate;
    bool hungry = below(chooser, 4) == 0;
    bool fits;
    int error;

    candidate.length = choose_length(chooser);
    candidate.iova = choose_iova(chooser, candidate.length);
    candidate.permissions = 1 + (unsigned)below(chooser, 3);
    /* Small leaves of a GiB would be a quarter of a million: legal, but slow to check. */
    candidate.small = candidate.length < SIZE_1G / 2 && below(chooser, 8) == 0;
    choose_runs(chooser, &candidate);
    fits = candidate.length <= BIT(table.address_bits) - candidate.iova;
    if (hungry)
        starve(below(chooser, 8));
    error = map(&candidate);
    if (hungry)
        feed();
    if (error == 0) {
        REQUIRE(fits && !overlaps(candidate.iova, candidate.length));
        candidate.minimum = exhaustive_minimum(&candidate, candidate.small ? 1 : table.largest);
        insert(&candidate);
    } else if (error == -ENOMEM) {
        REQUIRE(hungry);
    } else if (error == -EEXIST) {
        REQUIRE(overlaps(candidate.iova,
                         MIN(candidate.length, BIT(table.address_bits) - candidate.iova)));
    } else {
        REQUIRE(error == -EINVAL && !fits);
    }
    check_around(candidate.iova, MIN(candidate.length, BIT(table.address_bits) - candidate.iova));
}

/* Unmaps from one segment to another, both whole, holes included. */
static void step_unmap(struct chooser *chooser)
{
    size_t first, count;
    uint64_t iova, end, leaves = 0;
    struct table_gather gather = TABLE_GATHER_EMPTY;

    if (segment_count == 0)
        return;
    first = below(chooser, segment_count);
    count = 1 + (below(chooser, 3) == 0 ? below(chooser, segment_count - first) : 0);
    iova = segments[first].iova;
    end = segments[first + count - 1].iova + segments[first + count - 1].length;
    /* Sometimes the holes around as well. */
    if (below(chooser, 3) == 0)
        iova = first ? segments[first - 1].iova + segments[first - 1].length : 0;
    if (below(chooser, 3) == 0)
        end =
            first + count < segment_count ? segments[first + count].iova : BIT(table.address_bits);
    for (size_t i = first; i < first + count; i++)
        leaves += segments[i].minimum;
    unmap(iova, end - iova, &gather);
    REQUIRE(gather.leaves == leaves);
    REQUIRE(gather.first == iova && gather.last == end - 1);
    REQUIRE(!gather.trimmed || gather.freed);
    release(&gather);
    memmove(&segments[first], &segments[first + count],
            (segment_count - first - count) * sizeof(*segments));
    segment_count -= count;
    check_around(iova, end - iova);
}

/* Unmapping a hole asks for no invalidation, unless the idle table goes with it. */
static void step_unmap_hole(struct chooser *chooser)
{
    struct table_gather gather = TABLE_GATHER_EMPTY;
    size_t i = below(chooser, segment_count + 1);
    uint64_t first = i ? segments[i - 1].iova + segments[i - 1].length : 0;
    uint64_t end = i < segment_count ? segments[i].iova : BIT(table.address_bits);
    const uint64_t *idle = table.idle;

    if (first == end)
        return;
    unmap(first, end - first, &gather);
    REQUIRE(gather.leaves == 0 && (gather.first > gather.last) == !gather.freed);
    /* With the idle table gone the one above it may have become empty in its place. */
    REQUIRE(!gather.freed || !idle || table.idle != idle);
    release(&gather);
}

/*
 * Other memory at the place of a segment, before the invalidation: the retired tables stay as they
 * are and apart from the new ones until they are released.
 */
static void step_replace(struct chooser *chooser)
{
    struct table_gather gather = TABLE_GATHER_EMPTY;
    struct segment *segment;

    if (segment_count == 0)
        return;
    segment = &segments[below(chooser, segment_count)];
    unmap(segment->iova, segment->length, &gather);
    REQUIRE(gather.leaves == segment->minimum);
    segment->permissions = 1 + (unsigned)below(chooser, 3);
    choose_runs(chooser, segment);
    REQUIRE(map(segment) == 0);
    segment->minimum = exhaustive_minimum(segment, segment->small ? 1 : table.largest);
    release(&gather);
    check_around(segment->iova, segment->length);
}

static void unmap_all(void)
{
    struct table_gather gather = TABLE_GATHER_EMPTY;

    unmap(0, BIT(table.address_bits), &gather);
    release(&gather);
    segment_count = 0;
    check_everything();
    trim();
    REQUIRE(table.tables == 0 && pool.used == 1);
}

/* A table of a random shape: every depth, leaf size, coherency and snoop. */
static void start(struct chooser *chooser)
{
    table.levels = 3 + (unsigned)below(chooser, 3);
    table.largest = 1 + (unsigned)below(chooser, 3);
    table.address_bits = PAGE_SHIFT + 9 * table.levels - (unsigned)below(chooser, 6);
    table.link = format->link;
    marked = below(chooser, 2);
    table.flush = below(chooser, 2);
    table.remembers = below(chooser, 4);
    table.physical_limit = BIT(PHYSICAL_BITS);
    table_pool_init(&pool, table.flush);
    REQUIRE(page_table_init(&table, &pool) == 0);
    segment_count = 0;
    check_everything();
}

static void finish(void)
{
    page_table_destroy(&table);
    REQUIRE(pool.used == 0 && pool.idle == vtd_memory_used());
    vtd_memory_reset();
}

static bool has_more(const struct chooser *chooser)
{
    return !chooser->data || chooser->size;
}

void oracle_run(const struct oracle_format *of, struct chooser *chooser, uint64_t steps)
{
    format = of;
    vtd_memory_reset();
    start(chooser);
    for (step = 1; step <= steps && has_more(chooser); step++) {
        uint64_t choice = below(chooser, 16);

        if (choice == 15)
            step_unmap_hole(chooser);
        else if (choice == 14)
            step_replace(chooser);
        else if (choice < 8 && segment_count < SEGMENTS_MAX - 1)
            step_map(chooser);
        else
            step_unmap(chooser);
        if (total_leaves() <= LEAVES_CHECK || step % 1024 == 0)
            check_everything();
        if (below(chooser, 256) == 0)
            unmap_all();
        if (below(chooser, 2048) == 0) {
            finish();
            start(chooser);
        }
    }
    unmap_all();
    finish();
}
