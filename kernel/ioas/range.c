/* SPDX-License-Identifier: BSD-2-Clause */
/* Where areas may lie: reserved, usable and allowed ranges, and the choice of a free IOVA. */
#include "kernel/cpu/thread.h"
#include "kernel/ioas/internal.h"
#include "kernel/lib/error.h"
#include "kernel/lib/panic.h"
#include "kernel/mm/heap.h"

/* Work (breathe_after()): an entry of a list, a neighbour in a tree, a search in it, a new node. */
#define LOOK_WORK   6
#define STEP_WORK   40
#define FIND_WORK   120
#define INSERT_WORK 250

/* Holds nothing. */
static const struct ioas_range no_range = {1, 0};

/* The number of the first allowed range that ends at `from` or above. */
static size_t allowed_from(const struct ioas *ioas, uint64_t from)
{
    size_t low = 0, high = ioas->allowed_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (ioas->allowed[middle].last < from)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* ---- reserved and usable ---- */

static void insert_sorted(struct ioas *ioas, struct ioas_reserved *reserved)
{
    struct ioas_reserved *at;

    list_for_each_entry (at, &ioas->reserved, link) {
        breathe_deaf_after(LOOK_WORK, "reserving iova");
        if (at->range.first > reserved->range.first)
            break;
    }
    list_push_back(&at->link, &reserved->link); /* in front of `at`, or at the end */
}

int ioas_reserve(struct ioas *ioas, const void *owner, uint64_t first, uint64_t last)
{
    size_t next = allowed_from(ioas, first);
    struct ioas_reserved *reserved;

    ASSERT(mutex_held(ioas->lock));
    if (itree_find(&ioas->areas, first, last))
        return -EADDRINUSE;
    if (next < ioas->allowed_count && ioas->allowed[next].first <= last)
        return -EADDRINUSE;
    reserved = kmalloc(sizeof(*reserved));
    if (!reserved)
        return -ENOMEM;
    *reserved = (struct ioas_reserved){.range = {first, last}, .owner = owner};
    insert_sorted(ioas, reserved);
    ioas->recent = no_range;
    return 0;
}

void ioas_unreserve(struct ioas *ioas, const void *owner)
{
    struct ioas_reserved *reserved, *next;

    ASSERT(mutex_held(ioas->lock));
    list_for_each_entry_safe (reserved, next, &ioas->reserved, link) {
        breathe_deaf_after(LOOK_WORK, "unreserving iova");
        if (reserved->owner != owner)
            continue;
        list_remove(&reserved->link);
        kfree(reserved);
    }
    ioas->recent = no_range;
}

bool ioas_usable(const struct ioas *ioas, uint64_t from, struct ioas_range *range)
{
    const struct ioas_reserved *reserved;
    uint64_t next = 0; /* everything below is dealt with */

    list_for_each_entry (reserved, &ioas->reserved, link) {
        breathe_deaf_after(LOOK_WORK, "usable iova");
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

/* ---- allowed ---- */

/* The ranges in order, in a new array, unless two of them overlap or one is none. */
static int sort_ranges(const struct ioas_range *ranges, size_t count, struct ioas_range **out)
{
    struct itree_node *nodes = kmalloc(count * sizeof(*nodes));
    struct ioas_range *sorted = kmalloc(count * sizeof(*sorted));
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
        else
            error = breathe_after(INSERT_WORK, "sorting allowed ranges");
    }
    for (node = itree_first(&tree); node && !error; node = itree_next(node)) {
        sorted[at++] = (struct ioas_range){node->first, node->last};
        error = breathe_after(STEP_WORK, "sorting allowed ranges");
    }
    if (error) {
        kfree(sorted);
        sorted = NULL;
    }
    kfree(nodes);
    *out = sorted;
    return error;
}

int ioas_allow(struct ioas *ioas, const struct ioas_range *ranges, size_t count)
{
    struct ioas_range *sorted = NULL;
    int error;

    ASSERT(mutex_held(ioas->lock));
    error = count ? sort_ranges(ranges, count, &sorted) : 0;
    for (size_t i = 0; i < count && !error; i++)
        error = range_usable(ioas, sorted[i].first, sorted[i].last)
                    ? breathe_after(STEP_WORK, "checking allowed ranges")
                    : -EADDRINUSE;
    if (error) {
        kfree(sorted);
        return error;
    }
    kfree(ioas->allowed);
    ioas->allowed = sorted;
    ioas->allowed_count = count;
    return 0;
}

/* ---- choosing an IOVA ---- */

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

/* Looks into the gaps between areas in [first, last], lowest first. -ENOSPC, -EINTR. */
static int search_window(const struct ioas *ioas, struct request *request, uint64_t first,
                         uint64_t last)
{
    struct itree_node *node = itree_find(&ioas->areas, first, last);

    while (node && node->first <= last) {
        int error = breathe_after(STEP_WORK, "free iova");

        if (error)
            return error;
        if (node->first > first && fits(request, first, node->first - 1))
            return 0;
        if (node->last >= last)
            return -ENOSPC;
        first = node->last + 1;
        node = itree_next(node);
    }
    return fits(request, first, last) ? 0 : -ENOSPC;
}

/* The allowed ranges from `from` on: one pass over them, and over the areas in them. */
static int search_allowed(const struct ioas *ioas, struct request *request, uint64_t from)
{
    int error = -ENOSPC;

    for (size_t i = allowed_from(ioas, from); i < ioas->allowed_count && error == -ENOSPC; i++) {
        const struct ioas_range *range = &ioas->allowed[i];

        error = breathe_after(FIND_WORK, "free iova");
        if (!error)
            error = search_window(ioas, request, MAX(range->first, from), range->last);
    }
    return error;
}

static int search_usable(const struct ioas *ioas, struct request *request, uint64_t from)
{
    struct ioas_range range;
    int error = -ENOSPC;

    while (error == -ENOSPC && ioas_usable(ioas, from, &range)) {
        error = search_window(ioas, request, MAX(range.first, from), range.last);
        if (range.last == UINT64_MAX)
            break;
        from = range.last + 1;
    }
    return error;
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

/*
 * An IOVA that is `residue` modulo `modulus`. -ENOSPC, -EINTR. Goes round from where the last
 * search ended, so that a series of requests does not walk the same areas again and again. Address
 * 0 is never chosen: too much software takes it for none.
 */
static int find(struct ioas *ioas, uint64_t length, uint64_t modulus, uint64_t residue,
                uint64_t *iova)
{
    int (*search)(const struct ioas *, struct request *, uint64_t) =
        ioas->allowed_count ? search_allowed : search_usable;
    struct request request = {length, modulus, residue & (modulus - 1), 0};
    int error = search(ioas, &request, ioas->hint);

    if (error == -ENOSPC)
        error = search(ioas, &request, PAGE_SIZE);
    if (error)
        return error;
    *iova = request.iova;
    ioas->hint = request.iova + (length - 1);
    return 0;
}

int range_choose(struct ioas *ioas, uint64_t length, struct phys_run run, uint64_t at,
                 uint64_t *iova)
{
    uint64_t natural = length & -length;
    uint64_t distance = run.base - at; /* what memory and IOVA should have in common */
    uint64_t block = largest_block(&run);
    int error = -ENOSPC;

    /* Natural alignment comes first; the rest of the bits may follow the memory. */
    if ((distance & (natural - 1)) == 0) {
        if (block > natural)
            error = find(ioas, length, block, distance, iova);
        if (error == -ENOSPC && block > SIZE_2M && SIZE_2M > natural)
            error = find(ioas, length, SIZE_2M, distance, iova);
    }
    if (error == -ENOSPC)
        error = find(ioas, length, natural, 0, iova);
    /* Of the largest requests no more is asked than a large leaf needs. */
    if (error == -ENOSPC && natural > SIZE_1G)
        error = find(ioas, length, SIZE_1G, 0, iova);
    return error;
}
