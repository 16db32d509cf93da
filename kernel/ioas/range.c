/* SPDX-License-Identifier: BSD-2-Clause */
/* Where areas may lie: reserved, usable and allowed ranges, and the choice of a free IOVA. */
#include "kernel/ioas/internal.h"
#include "kernel/lib/error.h"
#include "kernel/mm/heap.h"

/* Holds nothing. */
#define NO_RANGE                                                                                   \
    (struct ioas_range)                                                                            \
    {                                                                                              \
        1, 0                                                                                       \
    }

static bool overlaps(const struct ioas_range *a, const struct ioas_range *b)
{
    return a->first <= b->last && b->first <= a->last;
}

/* ---- Reserved and usable -------------------------------------------------------------------- */

static void insert_sorted(struct ioas *ioas, struct ioas_reserved *reserved)
{
    struct ioas_reserved *at;

    list_for_each_entry (at, &ioas->reserved, link)
        if (at->range.first > reserved->range.first)
            break;
    list_push_back(&at->link, &reserved->link); /* in front of `at`, or at the end */
}

int ioas_reserve(struct ioas *ioas, const void *owner, uint64_t first, uint64_t last)
{
    struct ioas_range range = {first, last};
    struct ioas_reserved *reserved;

    if (itree_find(&ioas->areas, first, last))
        return -EADDRINUSE;
    for (size_t i = 0; i < ioas->allowed_count; i++)
        if (overlaps(&ioas->allowed[i], &range))
            return -EADDRINUSE;
    reserved = kmalloc(sizeof(*reserved));
    if (!reserved)
        return -ENOMEM;
    *reserved = (struct ioas_reserved){.range = range, .owner = owner};
    insert_sorted(ioas, reserved);
    ioas->recent = NO_RANGE;
    return 0;
}

void ioas_unreserve(struct ioas *ioas, const void *owner)
{
    struct ioas_reserved *reserved, *next;

    list_for_each_entry_safe (reserved, next, &ioas->reserved, link) {
        if (reserved->owner != owner)
            continue;
        list_remove(&reserved->link);
        kfree(reserved);
    }
    ioas->recent = NO_RANGE;
}

bool ioas_usable(const struct ioas *ioas, uint64_t from, struct ioas_range *range)
{
    const struct ioas_reserved *reserved;
    uint64_t next = 0; /* everything below is dealt with */

    list_for_each_entry (reserved, &ioas->reserved, link) {
        if (reserved->range.first > next && reserved->range.first > from) {
            *range = (struct ioas_range){next, reserved->range.first - 1};
            return true;
        }
        if (reserved->range.last == UINT64_MAX)
            return false;
        next = MAX(next, reserved->range.last + 1);
    }
    *range = (struct ioas_range){next, UINT64_MAX};
    return true;
}

bool range_usable_slowly(struct ioas *ioas, uint64_t first, uint64_t last)
{
    struct ioas_range range;

    if (!ioas_usable(ioas, first, &range) || first < range.first || last > range.last)
        return false;
    ioas->recent = range;
    return true;
}

/* ---- Allowed -------------------------------------------------------------------------------- */

/* The ranges in order, in a new array, unless two of them overlap or one is none. */
static int sort_ranges(const struct ioas_range *ranges, size_t count, struct ioas_range **out)
{
    struct itree_node *nodes = kcalloc(count, sizeof(*nodes));
    struct ioas_range *sorted = kcalloc(count, sizeof(*sorted));
    struct itree_node *node;
    struct itree tree;
    size_t at = 0;
    int error = nodes && sorted ? 0 : -ENOMEM;

    itree_init(&tree);
    for (size_t i = 0; i < count && !error; i++) {
        nodes[i].first = ranges[i].first;
        nodes[i].last = ranges[i].last;
        if (ranges[i].first >= ranges[i].last || !itree_insert(&tree, &nodes[i]))
            error = -EINVAL;
    }
    if (error) {
        kfree(sorted);
        sorted = NULL;
    } else {
        for (node = itree_first(&tree); node; node = itree_next(node))
            sorted[at++] = (struct ioas_range){node->first, node->last};
    }
    kfree(nodes);
    *out = sorted;
    return error;
}

int ioas_allow(struct ioas *ioas, const struct ioas_range *ranges, size_t count)
{
    struct ioas_range *sorted = NULL;
    int error = count ? sort_ranges(ranges, count, &sorted) : 0;

    for (size_t i = 0; i < count && !error; i++)
        if (!range_usable(ioas, sorted[i].first, sorted[i].last))
            error = -EADDRINUSE;
    if (error) {
        kfree(sorted);
        return error;
    }
    kfree(ioas->allowed);
    ioas->allowed = sorted;
    ioas->allowed_count = count;
    return 0;
}

/* ---- Choosing an IOVA ----------------------------------------------------------------------- */

/* An IOVA is wanted that is `residue` modulo `modulus` (a power of two). */
struct request {
    uint64_t length;
    uint64_t modulus;
    uint64_t residue;
    uint64_t iova; /* the answer */
};

static bool fits(struct request *request, uint64_t first, uint64_t last)
{
    uint64_t skip = (request->residue - first) & (request->modulus - 1);

    if (last - first < skip || last - first - skip < request->length - 1)
        return false;
    request->iova = first + skip;
    return true;
}

/* Looks into the gaps between areas in [first, last], lowest first. */
static bool search_window(const struct ioas *ioas, struct request *request, uint64_t first,
                          uint64_t last)
{
    struct itree_node *node = itree_find(&ioas->areas, first, last);

    while (node && node->first <= last) {
        if (node->first > first && fits(request, first, node->first - 1))
            return true;
        if (node->last >= last)
            return false;
        first = node->last + 1;
        node = itree_next(node);
    }
    return fits(request, first, last);
}

/* The lowest range at or above `from` that IOVAs may be chosen from. */
static bool next_range(const struct ioas *ioas, uint64_t from, struct ioas_range *range)
{
    if (!ioas->allowed_count)
        return ioas_usable(ioas, from, range);
    for (size_t i = 0; i < ioas->allowed_count; i++) {
        *range = ioas->allowed[i];
        if (range->last >= from)
            return true;
    }
    return false;
}

static bool search(const struct ioas *ioas, struct request *request, uint64_t from)
{
    struct ioas_range range;

    while (next_range(ioas, from, &range)) {
        if (search_window(ioas, request, MAX(range.first, from), range.last))
            return true;
        if (range.last == UINT64_MAX)
            return false;
        from = range.last + 1;
    }
    return false;
}

/*
 * Goes round from where the last search ended, so that a series of requests does not walk the same
 * areas again and again. Address 0 is never chosen: too much software takes it for none.
 */
static bool search_round(struct ioas *ioas, struct request *request)
{
    if (!search(ioas, request, ioas->hint) && !search(ioas, request, PAGE_SIZE))
        return false;
    ioas->hint = request->iova + (request->length - 1);
    return true;
}

/* The largest leaf that memory can fill somewhere, or 0 if only the smallest will do. */
static uint64_t largest_block(const struct phys_run *run)
{
    static const uint64_t sizes[] = {SIZE_1G, SIZE_2M};

    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        uint64_t start = ALIGN_UP(run->base, sizes[i]);

        if (start >= run->base && start - run->base < run->length &&
            run->length - (start - run->base) >= sizes[i])
            return sizes[i];
    }
    return 0;
}

static bool find(struct ioas *ioas, uint64_t length, uint64_t modulus, uint64_t residue,
                 uint64_t *iova)
{
    struct request request = {length, modulus, residue & (modulus - 1), 0};

    if (!search_round(ioas, &request))
        return false;
    *iova = request.iova;
    return true;
}

int range_choose(struct ioas *ioas, uint64_t length, struct phys_run run, uint64_t at,
                 uint64_t *iova)
{
    uint64_t natural = length & -length;
    uint64_t distance = run.base - at; /* what memory and IOVA should have in common */
    uint64_t block = largest_block(&run);

    /* Natural alignment comes first; the rest of the bits may follow the memory. */
    if ((distance & (natural - 1)) == 0) {
        if (block > natural && find(ioas, length, block, distance, iova))
            return 0;
        if (block > SIZE_2M && SIZE_2M > natural && find(ioas, length, SIZE_2M, distance, iova))
            return 0;
    }
    if (find(ioas, length, natural, 0, iova))
        return 0;
    /* Of the largest requests no more is asked than a large leaf needs. */
    if (natural > SIZE_1G && find(ioas, length, SIZE_1G, 0, iova))
        return 0;
    return -ENOSPC;
}
