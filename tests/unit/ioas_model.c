/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/ioas_model.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "kernel/ioas/ioas.h"
#include "kernel/lib/error.h"
#include "kernel/mm/frames.h"
#include "kernel/mm/frames_internal.h"
#include "kernel/mm/heap.h"
#include "tests/unit/host_heap.h"
#include "tests/unit/host_memory.h"
#include "tests/unit/ioas_iommu.h"
#include "tests/unit/ioas_source.h"

#define SPACES    2
#define AREAS     96
#define TABLES    4
#define RANGES    4
#define WINDOW    4096 /* pages of IOVA space that requests fall into, at each of the places below */
#define INTR      UINT64_C(0xfee00000)
#define INTR_LAST UINT64_C(0xfeefffff)
#define SKIPPED   1 /* the operation made no sense now */

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: step %llu (%s): %s\n", __FILE__, __LINE__,                     \
                    (unsigned long long)step_number, step_name, #condition);                       \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* ---- the reference -------------------------------------------------------------------------- */

/* Whole pages of the source, shared by areas. While pinned, what they were when they were. */
struct m_pages {
    unsigned areas; /* 0: free */
    unsigned users;
    unsigned first, count; /* source pages; may leave the source */
    bool writable, ram_only, revoked;
    paddr_t frame[SOURCE_PAGES];
    uint64_t charged;
};

struct m_area {
    bool used;
    int space, pages;
    uint64_t first, last;
    uint64_t offset; /* bytes into the pages */
    unsigned permissions;
};

struct m_range {
    uint64_t first, last;
};

struct m_space {
    struct ioas *ioas;
    bool small;
    struct m_range allowed[RANGES];
    size_t allowed_count;
    struct m_range reserved[RANGES]; /* [i] is owned by &reserved[i]; last 0: none */
};

struct m_table {
    struct iommu_domain *domain;
    unsigned bits;
    int space; /* -1: not attached */
};

static struct m_pages pages[AREAS];
static struct m_area areas[AREAS];
static struct m_space spaces[SPACES];
static struct m_table tables[TABLES];
static struct ioas_account account;
static uint64_t charge; /* what the reference says is used of the account */
static struct model_input *input;
static uint64_t step_number;
static const char *step_name;
static size_t heap_at_start;

uint64_t model_large, model_populated;

/* ---- decisions ------------------------------------------------------------------------------ */

static uint64_t below(uint64_t bound)
{
    uint64_t value = 0;

    if (!input->data)
        return host_random_below(&input->rng, bound);
    for (uint64_t left = bound - 1; left && input->size; left >>= 8, input->size--)
        value = value << 8 | *input->data++;
    return value % bound;
}

static bool chance(unsigned percent)
{
    return below(100) < percent;
}

/* Addresses around the places where something ends. */
static uint64_t some_iova(void)
{
    static const uint64_t places[] = {0,
                                      0x100000000,
                                      INTR - 64 * PAGE_SIZE,
                                      (UINT64_C(1) << 39) - WINDOW / 2 * PAGE_SIZE,
                                      (UINT64_C(1) << 48) - WINDOW / 2 * PAGE_SIZE,
                                      -(uint64_t)WINDOW * PAGE_SIZE};
    uint64_t iova = places[below(100) < 96 ? 1 : below(ARRAY_SIZE(places))];

    iova += below(WINDOW) * PAGE_SIZE;
    return chance(30) ? ALIGN_DOWN(iova, SIZE_2M) : iova;
}

static uint64_t some_length(void)
{
    if (chance(70))
        return (1 + below(12)) * PAGE_SIZE;
    return chance(50) ? SIZE_2M : (1 + below(700)) * PAGE_SIZE;
}

/* A place in the source, sometimes over its edges; mostly page aligned. */
static uint64_t some_offset(void)
{
    static const unsigned starts[] = {SOURCE_BLOCK,     SOURCE_SCATTERED,   SOURCE_ASKEW,
                                      SOURCE_READ_ONLY, SOURCE_DEVICE_PAGE, SOURCE_END};
    uint64_t page = starts[below(ARRAY_SIZE(starts))];

    if (chance(60))
        page += below(80);
    return source_address((unsigned)page);
}

/* ---- what the reference says ---------------------------------------------------------------- */

static bool populated(int space)
{
    for (size_t i = 0; i < TABLES; i++)
        if (tables[i].space == space)
            return true;
    return false;
}

static uint64_t alignment(int space)
{
    return populated(space) || spaces[space].small ? PAGE_SIZE : 1;
}

static bool meets(uint64_t a, uint64_t a_last, uint64_t b, uint64_t b_last)
{
    return a <= b_last && b <= a_last;
}

/* Every reserved range of a space, one after the other; false at the end. */
static bool reserved_range(int space, size_t i, struct m_range *range)
{
    if (i < RANGES) {
        *range = spaces[space].reserved[i];
        return true;
    }
    i -= RANGES;
    if (i >= 2 * TABLES)
        return false;
    *range = (struct m_range){1, 0};
    if (tables[i / 2].space != space)
        return true;
    if (i % 2)
        *range = (struct m_range){INTR, INTR_LAST};
    else
        *range = (struct m_range){UINT64_C(1) << tables[i / 2].bits, UINT64_MAX};
    return true;
}

static bool usable(int space, uint64_t first, uint64_t last)
{
    struct m_range range;

    for (size_t i = 0; reserved_range(space, i, &range); i++)
        if (range.first <= range.last && range.last && meets(first, last, range.first, range.last))
            return false;
    return true;
}

static bool occupied(int space, uint64_t first, uint64_t last)
{
    for (size_t i = 0; i < AREAS; i++)
        if (areas[i].used && areas[i].space == space &&
            meets(first, last, areas[i].first, areas[i].last))
            return true;
    return false;
}

/* Could this range be reserved? */
static bool reservable(int space, uint64_t first, uint64_t last)
{
    for (size_t i = 0; i < spaces[space].allowed_count; i++)
        if (meets(first, last, spaces[space].allowed[i].first, spaces[space].allowed[i].last))
            return false;
    return !occupied(space, first, last);
}

/* The frame behind a source page now, or an error. */
static int source_look(uint64_t page, bool writable, bool ram_only, paddr_t *frame)
{
    if (page >= SOURCE_PAGES || source_frame[page] == SOURCE_HOLE)
        return -EFAULT;
    if (writable && !source_writable[page])
        return -EFAULT;
    *frame = source_frame[page];
    return source_is_device(*frame) && (ram_only || source_device.revoked) ? -EFAULT : 0;
}

/* Adds a user: takes the picture of the source if it is the first, page by page. */
static int m_pin(struct m_pages *p)
{
    if (p->users++)
        return 0;
    p->charged = 0;
    for (unsigned i = 0; i < p->count; i++) {
        int error = source_look((uint64_t)p->first + i, p->writable, p->ram_only, &p->frame[i]);

        if (!error && !source_is_device(p->frame[i])) {
            if (charge + PAGE_SIZE > account.limit)
                error = -ENOMEM;
            else
                p->charged += PAGE_SIZE;
            charge += error ? 0 : PAGE_SIZE;
        }
        if (error) {
            charge -= p->charged;
            p->users = 0;
            return error;
        }
    }
    return 0;
}

static void m_unpin(struct m_pages *p)
{
    if (--p->users)
        return;
    charge -= p->charged;
    p->revoked = false;
}

static int free_slot(const void *slots, size_t size, size_t offset)
{
    for (int i = 0; i < AREAS; i++) {
        const char *slot = (const char *)slots + (size_t)i * size;

        if (offset == 0 ? ((const struct m_pages *)slot)->areas == 0
                        : !((const struct m_area *)slot)->used)
            return i;
    }
    return -1;
}

static int free_pages(void)
{
    return free_slot(pages, sizeof(pages[0]), 0);
}

static int free_area(void)
{
    return free_slot(areas, sizeof(areas[0]), 1);
}

static size_t area_count(int space)
{
    size_t count = 0;

    for (size_t i = 0; i < AREAS; i++)
        count += areas[i].used && areas[i].space == space;
    return count;
}

/* The area of a space with the lowest start at or after `from`, or NULL. */
static struct m_area *area_from(int space, uint64_t from)
{
    struct m_area *found = NULL;

    for (size_t i = 0; i < AREAS; i++)
        if (areas[i].used && areas[i].space == space && areas[i].first >= from &&
            (!found || areas[i].first < found->first))
            found = &areas[i];
    return found;
}

static struct m_area *area_at(int space, uint64_t iova)
{
    for (size_t i = 0; i < AREAS; i++)
        if (areas[i].used && areas[i].space == space && areas[i].first <= iova &&
            iova <= areas[i].last)
            return &areas[i];
    return NULL;
}

/* ---- comparing ------------------------------------------------------------------------------ */

/* The memory of an area goes through every page table of its space as it should. */
static uint64_t check_area_in(const struct m_area *area, const struct iommu_domain *domain)
{
    const struct m_pages *p = &pages[area->pages];
    uint64_t length = area->last - area->first + 1;

    for (uint64_t at = 0; at < length; at += PAGE_SIZE) {
        struct iommu_translation t;
        bool there = iommu_translate(domain, area->first + at, &t);

        CHECK(there == !p->revoked);
        if (!there)
            continue;
        CHECK(t.physical == p->frame[(area->offset + at) / PAGE_SIZE]);
        CHECK(t.permissions == area->permissions);
    }
    return p->revoked ? 0 : length;
}

static void check_table(const struct m_table *table)
{
    uint64_t bytes = 0, mapped = 0;

    for (unsigned level = 1; level <= PT_LEAF_MAX; level++)
        mapped += table->domain->table.leaves[level] << (12 + 9 * (level - 1));
    for (size_t i = 0; i < AREAS; i++)
        if (areas[i].used && areas[i].space == table->space)
            bytes += check_area_in(&areas[i], table->domain);
    CHECK(mapped == bytes);
    CHECK(table->domain->stale_count == 0);
}

/* Counts of the blocks that a consecutive piece of frames is pinned in. */
static uint64_t blocks_of(paddr_t base, uint64_t length)
{
    uint64_t blocks = 0;

    while (length) {
        uint64_t size = IS_ALIGNED(base, SIZE_2M) && length >= SIZE_2M ? SIZE_2M : PAGE_SIZE;

        base += size;
        length -= size;
        blocks++;
    }
    return blocks;
}

static uint64_t expected_pins(const struct m_pages *p)
{
    uint64_t pins = 0;

    for (unsigned i = 0, start = 0; i < p->count; i++) {
        if (i + 1 < p->count && p->frame[i + 1] == p->frame[i] + PAGE_SIZE &&
            source_is_device(p->frame[i]) == source_is_device(p->frame[i + 1]))
            continue;
        if (!source_is_device(p->frame[i]))
            pins += blocks_of(p->frame[start], (i + 1 - start) * PAGE_SIZE);
        start = i + 1;
    }
    return pins;
}

static void check_reachable(paddr_t base, uint64_t length)
{
    for (; length; base += PAGE_SIZE, length -= PAGE_SIZE) {
        uint32_t number = (uint32_t)(base >> PAGE_SHIFT);

        if (source_is_device(base))
            CHECK(!source_device.revoked);
        else
            CHECK(frames.frame[number - frames.base].pins || region_of(number)->pins);
    }
}

static void check_all(void)
{
    struct frames_stats stats;
    uint64_t pins = 0, charged = 0;

    for (size_t i = 0; i < TABLES; i++)
        if (tables[i].space >= 0)
            check_table(&tables[i]);
    for (size_t i = 0; i < AREAS; i++) {
        if (!pages[i].areas || !pages[i].users)
            continue;
        pins += expected_pins(&pages[i]);
        charged += pages[i].charged;
    }
    frames_stats(&stats);
    CHECK(stats.pins == pins);
    CHECK(account.used == charged && charge == charged);
    ioas_iommu_each_reachable(check_reachable);
    for (int s = 0; s < SPACES; s++) {
        CHECK(ioas_area_count(spaces[s].ioas) == area_count(s));
        CHECK(ioas_alignment(spaces[s].ioas) == alignment(s));
    }
}

/* The usable ranges begin and end where the reference says so, and leave none out. */
static void check_ranges(int space)
{
    struct ioas_range range = {0, 0};
    uint64_t from = 0;

    while (ioas_usable(spaces[space].ioas, from, &range)) {
        CHECK(range.first <= range.last && range.first >= from);
        CHECK(from == range.first || !usable(space, from, from));
        CHECK(from == range.first || !usable(space, range.first - 1, range.first - 1));
        CHECK(usable(space, range.first, range.last));
        if (range.last == UINT64_MAX)
            return;
        from = range.last + 1;
        CHECK(!usable(space, from, from));
    }
    CHECK(!usable(space, UINT64_MAX, UINT64_MAX));
}

/* ---- doing the same in the reference -------------------------------------------------------- */

/* New areas in the making, one after the other. */
struct plan {
    struct m_area parts[AREAS];
    size_t count;
    uint64_t length;
};

static void move_plan(struct plan *plan, uint64_t iova)
{
    for (size_t i = 0; i < plan->count; i++) {
        uint64_t length = plan->parts[i].last - plan->parts[i].first;

        plan->parts[i].first = iova;
        plan->parts[i].last = iova + length;
        iova += length + 1;
    }
}

static int check_fixed(int space, uint64_t iova, uint64_t length)
{
    if (iova & (alignment(space) - 1))
        return -EINVAL;
    if (iova + (length - 1) < iova)
        return -EOVERFLOW;
    if (!usable(space, iova, iova + (length - 1)))
        return -EINVAL;
    return occupied(space, iova, iova + (length - 1)) ? -EEXIST : 0;
}

/* Pins everything of a plan, or nothing. */
static int pin_plan(int space, struct plan *plan)
{
    if (!populated(space))
        return 0;
    for (size_t i = 0; i < plan->count; i++) {
        int error = m_pin(&pages[plan->parts[i].pages]);

        if (error) {
            while (i-- > 0)
                m_unpin(&pages[plan->parts[i].pages]);
            return error;
        }
    }
    return 0;
}

static void unpin_plan(int space, struct plan *plan)
{
    for (size_t i = 0; i < plan->count && populated(space); i++)
        m_unpin(&pages[plan->parts[i].pages]);
}

static void commit_plan(struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        areas[free_area()] = plan->parts[i];
        pages[plan->parts[i].pages].areas++;
    }
}

/* An IOVA of the ioas' own choice must be free, wanted, and as aligned as promised. */
static void check_choice(int space, const struct plan *plan, uint64_t iova)
{
    uint64_t last = iova + (plan->length - 1);
    uint64_t natural = plan->length & -plan->length;
    bool inside = spaces[space].allowed_count == 0;

    CHECK(iova != 0 && last > iova - 1);
    CHECK(usable(space, iova, last) && !occupied(space, iova, last));
    for (size_t i = 0; i < spaces[space].allowed_count; i++)
        inside = inside ||
                 (spaces[space].allowed[i].first <= iova && last <= spaces[space].allowed[i].last);
    CHECK(inside);
    CHECK(IS_ALIGNED(iova, natural));
}

/*
 * The first large block of the memory is one leaf, wherever that is to be had: when it goes with
 * the natural alignment, and space is not made scarce.
 */
static void check_large(int space, const struct plan *plan, uint64_t iova)
{
    const struct m_pages *p = &pages[plan->parts[0].pages];
    unsigned start = (unsigned)(plan->parts[0].offset / PAGE_SIZE), i = start, n = 0;
    unsigned end = start + (unsigned)(plan->length / PAGE_SIZE);
    uint64_t natural = plan->length & -plan->length;
    struct iommu_translation t;

    /* Only memory that is one run from end to end: otherwise another block may come first. */
    for (; i < p->count; i++)
        if (p->frame[i] != p->frame[0] + i * PAGE_SIZE)
            return;
    for (i = start; i < end && !IS_ALIGNED(p->frame[i], SIZE_2M); i++)
        ;
    n = end - i;
    if (i == end || n < 512 || spaces[space].allowed_count || p->revoked ||
        !IS_ALIGNED(p->frame[start], natural))
        return;
    for (size_t k = 0; k < TABLES; k++) {
        if (tables[k].space != space)
            continue;
        CHECK(iommu_translate(tables[k].domain, iova + (i - start) * PAGE_SIZE, &t));
        CHECK(t.leaf_size == SIZE_2M);
        model_large++;
    }
}

/*
 * Is there a place with the natural alignment at all? Asked only when the answer was that there is
 * none, so slowness does not matter: every candidate lies just behind something.
 */
static bool has_room(int space, uint64_t length)
{
    uint64_t natural = length & -length;
    struct m_range range;
    uint64_t ends[2 * RANGES + 2 * TABLES + AREAS + 1] = {PAGE_SIZE - 1};
    size_t count = 1;

    for (size_t i = 0; reserved_range(space, i, &range); i++)
        ends[count++] = range.last;
    for (size_t i = 0; i < spaces[space].allowed_count; i++)
        ends[count++] = spaces[space].allowed[i].first - 1;
    for (size_t i = 0; i < AREAS; i++)
        if (areas[i].used && areas[i].space == space)
            ends[count++] = areas[i].last;
    for (size_t i = 0; i < count; i++) {
        uint64_t iova = ALIGN_UP(ends[i] + 1, natural);
        uint64_t last = iova + (length - 1);
        bool inside = spaces[space].allowed_count == 0;

        for (size_t k = 0; k < spaces[space].allowed_count; k++)
            inside = inside || (spaces[space].allowed[k].first <= iova &&
                                last <= spaces[space].allowed[k].last);
        if (iova >= PAGE_SIZE && last >= iova && inside && usable(space, iova, last) &&
            !occupied(space, iova, last))
            return true;
    }
    return false;
}

/* Was the answer right? An injected failure may replace success by -ENOMEM, and nothing else. */
static bool agree(int got, int expected)
{
    if (got == expected)
        return true;
    return host_failed() && got == -ENOMEM;
}

/*
 * The last part of every operation that adds areas: `got` is what the kernel answered for a plan,
 * whose own errors (`expected`) come before those of the place and of the memory.
 */
static int judge_new(int space, struct plan *plan, bool fixed, uint64_t iova, int expected, int got)
{
    if (!expected && fixed)
        expected = check_fixed(space, iova, plan->length);
    if (!expected)
        expected = pin_plan(space, plan);
    if (expected || got) {
        if (!expected)
            unpin_plan(space, plan);
        if (got == -ENOSPC)
            CHECK(!fixed && !has_room(space, plan->length));
        else
            CHECK(agree(got, expected));
        return got;
    }
    if (!fixed)
        check_choice(space, plan, iova);
    if (!fixed && plan->count == 1 && populated(space) && !spaces[space].small)
        check_large(space, plan, iova);
    move_plan(plan, iova);
    commit_plan(plan);
    return 0;
}

/* ---- operations ----------------------------------------------------------------------------- */

static int check_request(int space, uint64_t offset, uint64_t length, unsigned flags)
{
    if (!(flags & (IOAS_READ | IOAS_WRITE)) || !length)
        return -EINVAL;
    if (offset + (length - 1) < offset)
        return -EOVERFLOW;
    return (offset | length) & (alignment(space) - 1) ? -EINVAL : 0;
}

static struct plan plan; /* too large for the stack */

static int op_map(void)
{
    int space = (int)below(SPACES), slot = free_pages(), got;
    uint64_t offset = some_offset(), length = some_length();
    unsigned flags =
        (unsigned)(1 + below(3)) | (chance(70) ? IOAS_FIXED : 0) | (chance(20) ? IOAS_RAM_ONLY : 0);
    uint64_t iova = some_iova();
    struct ioas_source source = source_get();

    if (slot < 0 || free_area() < 0)
        return SKIPPED;
    if (chance(1)) {
        offset += below(PAGE_SIZE);
        length += below(PAGE_SIZE);
        iova += below(PAGE_SIZE);
    }
    if (chance(2))
        (chance(50) ? &length : &offset)[0] = below(3) - 1;
    got = ioas_map(spaces[space].ioas, &source, offset, length, flags, &iova);
    pages[slot] = (struct m_pages){
        .first = (unsigned)((offset - SOURCE_BASE) / PAGE_SIZE),
        .count = (unsigned)((offset % PAGE_SIZE + length + PAGE_SIZE - 1) / PAGE_SIZE),
        .writable = flags & IOAS_WRITE,
        .ram_only = flags & IOAS_RAM_ONLY};
    plan.count = 1;
    plan.length = length;
    plan.parts[0] = (struct m_area){.used = true,
                                    .space = space,
                                    .pages = slot,
                                    .last = length - 1,
                                    .offset = offset % PAGE_SIZE,
                                    .permissions = flags & 3};
    if (length > GIB) /* only ever refused, or never looked at */
        pages[slot].count = SOURCE_PAGES;
    return judge_new(space, &plan, flags & IOAS_FIXED, iova,
                     check_request(space, offset, length, flags), got);
}

/* What a copy of [first, last] would consist of, or an error. */
static int plan_copy(int to, int from, uint64_t first, uint64_t last, unsigned flags)
{
    int error = 0;

    plan.count = 0;
    for (uint64_t at = first;;) {
        struct m_area *area = area_at(from, at);

        if (!area)
            return -ENOENT;
        plan.parts[plan.count] = *area;
        plan.parts[plan.count].space = to;
        plan.parts[plan.count].permissions = flags & 3;
        plan.parts[plan.count].offset += at - area->first;
        plan.parts[plan.count].first = 0;
        plan.parts[plan.count].last = MIN(last, area->last) - at;
        plan.count++;
        if (area->last >= last)
            break;
        at = area->last + 1;
    }
    for (size_t i = 0; i < plan.count && !error; i++) {
        const struct m_pages *p = &pages[plan.parts[i].pages];

        error = check_request(to, source_address(0) + p->first * PAGE_SIZE + plan.parts[i].offset,
                              plan.parts[i].last + 1, flags);
        if (!error && (flags & IOAS_WRITE) && !p->writable)
            error = -EPERM;
    }
    return error;
}

static int op_copy(void)
{
    int to = (int)below(SPACES), from = (int)below(SPACES), expected, got;
    unsigned flags = (unsigned)(1 + below(3)) | (chance(60) ? IOAS_FIXED : 0);
    struct m_area *area = area_from(from, chance(60) ? some_iova() : 0);
    uint64_t iova = some_iova(), first, length = some_length();

    if (!area || area_count(0) + area_count(1) > AREAS / 2)
        return SKIPPED;
    first = area->first;
    if (chance(60))
        length = area->last - area->first + 1;
    if (chance(30) && length > PAGE_SIZE) {
        first += PAGE_SIZE;
        length -= PAGE_SIZE;
    }
    if (chance(3))
        length += below(PAGE_SIZE);
    if (chance(1))
        length = below(3) - 1;
    plan.length = length;
    if (!length)
        expected = -EINVAL;
    else if (first + (length - 1) < first)
        expected = -EOVERFLOW;
    else
        expected = plan_copy(to, from, first, first + (length - 1), flags);
    got = ioas_copy(spaces[to].ioas, spaces[from].ioas, first, length, flags, &iova);
    return judge_new(to, &plan, flags & IOAS_FIXED, iova, expected, got);
}

static void forget_area(struct m_area *area)
{
    struct m_pages *p = &pages[area->pages];

    if (populated(area->space))
        m_unpin(p);
    p->areas--;
    area->used = false;
}

/* Removes what the reference has in the range; the bytes. */
static uint64_t forget_range(int space, uint64_t first, uint64_t last)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < AREAS; i++) {
        if (!areas[i].used || areas[i].space != space ||
            !meets(first, last, areas[i].first, areas[i].last))
            continue;
        bytes += areas[i].last - areas[i].first + 1;
        forget_area(&areas[i]);
    }
    return bytes;
}

static bool cut_by(int space, uint64_t first, uint64_t last)
{
    const struct m_area *low = area_at(space, first), *high = area_at(space, last);

    return (low && low->first != first) || (high && high->last != last);
}

static int op_unmap(void)
{
    int space = (int)below(SPACES), expected = 0, got;
    struct m_area *area = area_from(space, some_iova());
    uint64_t first = area ? area->first : some_iova(), unmapped;
    uint64_t last = area ? area->last : first;

    if (chance(30)) {
        first -= MIN(first, below(16) * PAGE_SIZE);
        last += MIN(UINT64_MAX - last, below(600) * PAGE_SIZE);
    }
    if (chance(5) && last - first > PAGE_SIZE)
        first += PAGE_SIZE;
    if (!occupied(space, first, last))
        expected = -ENOENT;
    else if (cut_by(space, first, last))
        expected = -EINVAL;
    got = ioas_unmap(spaces[space].ioas, first, last, &unmapped);
    CHECK(got == expected);
    CHECK(unmapped == (got ? 0 : forget_range(space, first, last)));
    return got;
}

static int op_unmap_all(void)
{
    int space = (int)below(SPACES);
    uint64_t unmapped;

    if (!chance(10))
        return SKIPPED;
    CHECK(ioas_unmap_all(spaces[space].ioas, &unmapped) == 0);
    CHECK(unmapped == forget_range(space, 0, UINT64_MAX));
    return 0;
}

/* The reference of one cut; the pages already have the user that the new area is. */
static void m_cut(int space, uint64_t iova)
{
    struct m_area *area = area_at(space, iova);
    struct m_area upper;

    if (!area || area->first == iova)
        return;
    upper = *area;
    upper.first = iova;
    upper.offset += iova - area->first;
    area->last = iova - 1;
    pages[area->pages].areas++;
    pages[area->pages].users += populated(space);
    areas[free_area()] = upper;
}

static int op_cut(void)
{
    int space = (int)below(SPACES), expected = 0, got;
    struct m_area *area = area_from(space, some_iova());
    uint64_t first, last;

    if (!area || area_count(0) + area_count(1) + 2 > AREAS)
        return SKIPPED;
    first = area->first + below(4) * PAGE_SIZE;
    last = first + below(8) * PAGE_SIZE + PAGE_SIZE - 1;
    if (chance(10))
        last += below(PAGE_SIZE);
    if (last < first)
        return SKIPPED;
    if (cut_by(space, first, last) &&
        (!spaces[space].small || ((first | (last + 1)) & (PAGE_SIZE - 1)))) {
        area = area_at(space, first);
        expected = -EINVAL;
        /* Only a cut that is needed can be wrong. */
        if (spaces[space].small && !(first % PAGE_SIZE) &&
            !(area_at(space, last) && area_at(space, last)->last != last))
            expected = 0;
    }
    got = ioas_cut(spaces[space].ioas, first, last);
    CHECK(agree(got, expected));
    if (got)
        return got;
    if (last != UINT64_MAX)
        m_cut(space, last + 1);
    m_cut(space, first);
    return 0;
}

static int expected_attach(int space, const struct m_table *table)
{
    int error = 0;
    bool first = !populated(space);
    struct m_area *area;

    for (area = area_from(space, 0); area; area = area_from(space, area->first + 1))
        if (((area->first | (area->last + 1) | area->offset) & (PAGE_SIZE - 1)))
            return -EADDRINUSE;
    if (!reservable(space, INTR, INTR_LAST) ||
        !reservable(space, UINT64_C(1) << table->bits, UINT64_MAX))
        return -EADDRINUSE;
    if (!first)
        return 0;
    for (area = area_from(space, 0); area && !error;
         area = error ? area : area_from(space, area->first + 1))
        error = m_pin(&pages[area->pages]);
    if (!error)
        return 0;
    /* `area` is the one that failed: those before it lose what they got. */
    for (struct m_area *undo = area_from(space, 0); undo != area;
         undo = area_from(space, undo->first + 1))
        m_unpin(&pages[undo->pages]);
    return error;
}

static void unpin_space(int space)
{
    for (size_t i = 0; i < AREAS; i++)
        if (areas[i].used && areas[i].space == space)
            m_unpin(&pages[areas[i].pages]);
}

static int op_attach(void)
{
    int space = (int)below(SPACES), expected, got;
    struct m_table *table = &tables[below(TABLES)];

    if (table->space >= 0) {
        if (!chance(25))
            return SKIPPED;
        ioas_detach(spaces[table->space].ioas, table->domain);
        space = table->space;
        table->space = -1;
        if (!populated(space))
            unpin_space(space);
        return 0;
    }
    expected = expected_attach(space, table);
    got = ioas_attach(spaces[space].ioas, table->domain, NULL, 0);
    CHECK(agree(got, expected));
    if (got && !expected && !populated(space))
        unpin_space(space);
    if (!got)
        table->space = space;
    return got;
}

static int op_reserve(void)
{
    int space = (int)below(SPACES), expected, got;
    size_t i = below(RANGES);
    struct m_range *slot = &spaces[space].reserved[i];
    uint64_t first = some_iova(), last = first + (1 + below(64)) * PAGE_SIZE - 1;

    if (slot->last) {
        ioas_unreserve(spaces[space].ioas, slot);
        *slot = (struct m_range){1, 0};
        return 0;
    }
    if (last <= first)
        return SKIPPED;
    expected = reservable(space, first, last) ? 0 : -EADDRINUSE;
    got = ioas_reserve(spaces[space].ioas, slot, first, last);
    CHECK(agree(got, expected));
    if (!got)
        *slot = (struct m_range){first, last};
    return got;
}

static int op_allow(void)
{
    int space = (int)below(SPACES), expected = 0, got;
    size_t count = below(RANGES + 1);
    struct ioas_range ranges[RANGES];

    if (!chance(30))
        return SKIPPED;
    for (size_t i = 0; i < count; i++) {
        ranges[i].first = some_iova();
        ranges[i].last = ranges[i].first + below(WINDOW) * PAGE_SIZE - (chance(95) ? 1 : 0);
        if (ranges[i].first >= ranges[i].last)
            expected = -EINVAL;
        for (size_t k = 0; k < i; k++)
            if (meets(ranges[i].first, ranges[i].last, ranges[k].first, ranges[k].last))
                expected = -EINVAL;
    }
    for (size_t i = 0; i < count && !expected; i++)
        if (!usable(space, ranges[i].first, ranges[i].last))
            expected = -EADDRINUSE;
    got = ioas_allow(spaces[space].ioas, ranges, count);
    CHECK(agree(got, expected));
    if (got)
        return got;
    spaces[space].allowed_count = count;
    for (size_t i = 0; i < count; i++)
        spaces[space].allowed[i] = (struct m_range){ranges[i].first, ranges[i].last};
    return 0;
}

static int op_small(void)
{
    int space = (int)below(SPACES), expected = 0, got;
    bool small = chance(50);

    if (!chance(20))
        return SKIPPED;
    if (small && !spaces[space].small) {
        if (populated(space) && area_count(space))
            expected = -EINVAL;
        for (size_t i = 0; i < AREAS && !expected; i++)
            if (areas[i].used && areas[i].space == space &&
                ((areas[i].first | (areas[i].last + 1) | areas[i].offset) & (PAGE_SIZE - 1)))
                expected = -EADDRINUSE;
    }
    got = ioas_set_small_leaves(spaces[space].ioas, small);
    CHECK(got == expected);
    if (!got)
        spaces[space].small = small;
    return got;
}

static int op_limit(void)
{
    if (chance(20))
        account.limit = chance(50) ? 64 * MIB : below(2048) * PAGE_SIZE;
    return 0;
}

/* The payload remaps its memory: what is pinned stays what it is. */
static int op_source(void)
{
    unsigned page = SOURCE_SCATTERED + (unsigned)below(40);

    source_replace(page, chance(30));
    if (chance(50))
        source_replace((unsigned)below(40), chance(20));
    return 0;
}

static int op_revoke(void)
{
    if (!chance(20))
        return SKIPPED;
    if (source_device.revoked) {
        memobj_restore(&source_device);
        return 0;
    }
    for (size_t i = 0; i < AREAS; i++) {
        if (!pages[i].areas || !pages[i].users)
            continue;
        for (unsigned k = 0; k < pages[i].count; k++)
            pages[i].revoked = pages[i].revoked || source_is_device(pages[i].frame[k]);
    }
    memobj_revoke(&source_device);
    return 0;
}

/* ---- running -------------------------------------------------------------------------------- */

static const struct {
    int (*run)(void);
    unsigned weight;
    bool can_fail; /* an injected failure makes sense */
} operations[] = {
    {op_map, 33, true},   {op_copy, 14, true},  {op_unmap, 26, false}, {op_unmap_all, 1, false},
    {op_cut, 5, true},    {op_attach, 9, true}, {op_reserve, 3, true}, {op_allow, 2, true},
    {op_small, 2, false}, {op_limit, 2, false}, {op_source, 2, false}, {op_revoke, 1, false},
};

struct model_count model_counts[] = {
    {"map", 0, 0, 0},   {"copy", 0, 0, 0},   {"unmap", 0, 0, 0},   {"unmap_all", 0, 0, 0},
    {"cut", 0, 0, 0},   {"attach", 0, 0, 0}, {"reserve", 0, 0, 0}, {"allow", 0, 0, 0},
    {"small", 0, 0, 0}, {"limit", 0, 0, 0},  {"source", 0, 0, 0},  {"revoke", 0, 0, 0},
};
const size_t model_count_kinds = ARRAY_SIZE(model_counts);

static void start(void)
{
    static const unsigned unit_of[TABLES] = {0, 1, 2, 0};
    static const unsigned bits[TABLES] = {48, 39, 48, 48};
    uint64_t seed = 12345;

    host_fail_nth(0);
    memset(pages, 0, sizeof(pages));
    memset(areas, 0, sizeof(areas));
    memset(spaces, 0, sizeof(spaces));
    heap_at_start = heap_used();
    source_create(&seed);
    ioas_iommu_reset();
    account = (struct ioas_account){0, 64 * MIB};
    charge = 0;
    for (size_t i = 0; i < SPACES; i++) {
        CHECK(ioas_create(&account, &spaces[i].ioas) == 0);
        for (size_t k = 0; k < RANGES; k++)
            spaces[i].reserved[k] = (struct m_range){1, 0};
    }
    for (size_t i = 0; i < TABLES; i++) {
        tables[i] = (struct m_table){.bits = bits[i], .space = -1};
        CHECK(iommu_domain_create(ioas_iommu_unit(unit_of[i]), &tables[i].domain) == 0);
    }
}

static void finish(void)
{
    for (size_t i = 0; i < TABLES; i++) {
        if (tables[i].space >= 0)
            ioas_detach(spaces[tables[i].space].ioas, tables[i].domain);
        iommu_domain_destroy(tables[i].domain);
    }
    CHECK(account.used == 0);
    for (size_t i = 0; i < SPACES; i++)
        ioas_destroy(spaces[i].ioas);
    ioas_iommu_finish();
    CHECK(heap_used() == heap_at_start);
    source_destroy();
}

static size_t choose(void)
{
    uint64_t at = below(100);
    size_t i = 0;

    while (at >= operations[i].weight)
        at -= operations[i++].weight;
    return i;
}

static void step(void)
{
    size_t i = choose();
    size_t heap = heap_used();
    uint64_t used_tables = ioas_iommu_tables();
    bool inject = operations[i].can_fail && chance(25);
    int result;

    step_name = model_counts[i].name;
    if (inject)
        host_fail_nth(1 + below(below(2) ? 6 : 40));
    result = operations[i].run();
    model_populated += populated(0) || populated(1);
    if (result < 0 && operations[i].can_fail) {
        CHECK(heap_used() == heap);
        CHECK(ioas_iommu_tables() == used_tables);
    }
    if (host_failed())
        model_counts[i].injected++;
    else if (result < 0)
        model_counts[i].refused++;
    else if (result == 0)
        model_counts[i].passed++;
    if (step_number % 4 == 0 || result < 0)
        check_all();
    if (step_number % 16 == 0)
        check_ranges((int)below(SPACES));
    host_fail_nth(0);
}

void ioas_model_run(struct model_input *with, uint64_t steps)
{
    input = with;
    step_name = "start";
    start();
    for (step_number = 0; step_number < steps && (!input->data || input->size); step_number++)
        step();
    check_all();
    finish();
}
