/* SPDX-License-Identifier: BSD-2-Clause */
/* Map, copy, unmap, cut: each prepares everything that can fail and undoes it in reverse. */
#include "kernel/ioas/internal.h"
#include "kernel/lib/error.h"
#include "kernel/mm/heap.h"

#define PERMISSIONS (IOAS_READ | IOAS_WRITE)

/* Areas that come to lie one after the other, as one operation. */
struct batch {
    struct ioas_area **areas;
    size_t count;
    uint64_t length; /* of all together */
};

/* ---- Map ------------------------------------------------------------------------------------ */

/* What a mapping of `length` bytes from `start` of its source must keep to. */
static int check_request(const struct ioas *ioas, uint64_t start, uint64_t length, unsigned flags)
{
    uint64_t last;

    if (!(flags & PERMISSIONS) || length == 0)
        return -EINVAL;
    if (__builtin_add_overflow(start, length - 1, &last))
        return -EOVERFLOW;
    if ((start | length) & (ioas->alignment - 1))
        return -EINVAL;
    return 0;
}

/* Memory that tells what alignment the IOVA should have. Not pinned: the source's own addresses. */
static int choose_iova(struct ioas *ioas, const struct batch *batch, uint64_t *iova)
{
    const struct ioas_area *area = batch->areas[0];
    const struct ioas_pages *pages = area->pages;
    struct phys_run run = {pages->offset + area->offset, batch->length};
    uint64_t at = area->offset; /* where in the pages the run starts */

    if (pages->users)
        run = pages_longest_run(pages, &at);
    return range_choose(ioas, batch->length, run, at - area->offset, iova);
}

/* Puts the areas into the tree from `iova` on. */
static int insert(struct ioas *ioas, struct batch *batch, uint64_t iova)
{
    for (size_t i = 0; i < batch->count; i++) {
        struct itree_node *node = &batch->areas[i]->node;

        node->last += iova - node->first;
        node->first = iova;
        if (!itree_insert(&ioas->areas, node)) {
            while (i-- > 0)
                itree_remove(&ioas->areas, &batch->areas[i]->node);
            return -EEXIST;
        }
        iova = node->last + 1;
    }
    return 0;
}

static int insert_fixed(struct ioas *ioas, struct batch *batch, uint64_t iova)
{
    uint64_t last;

    if (iova & (ioas->alignment - 1))
        return -EINVAL;
    if (__builtin_add_overflow(iova, batch->length - 1, &last))
        return -EOVERFLOW;
    if (!range_usable(ioas, iova, last))
        return -EINVAL;
    return insert(ioas, batch, iova);
}

static int pin_batch(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        int error = pages_pin(batch->areas[i]->pages);

        if (error) {
            while (i-- > 0)
                pages_unpin(batch->areas[i]->pages);
            return error;
        }
    }
    return 0;
}

static int map_batch(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        int error = area_map(batch->areas[i]);

        if (error) {
            if (i > 0)
                areas_unmap(batch->areas[0], batch->areas[i - 1]->node.last);
            return error;
        }
    }
    return 0;
}

static void remove_batch(struct ioas *ioas, struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        itree_remove(&ioas->areas, &batch->areas[i]->node);
}

static void unpin_batch(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        pages_unpin(batch->areas[i]->pages);
}

/*
 * Makes a batch of new areas part of the ioas. A fixed place is looked at before the memory is; a
 * place of our own choice follows the memory.
 */
static int install(struct ioas *ioas, struct batch *batch, unsigned flags, uint64_t *iova)
{
    bool populate = !list_empty(&ioas->domains);
    bool fixed = flags & IOAS_FIXED;
    int error = fixed ? insert_fixed(ioas, batch, *iova) : 0;

    if (error)
        return error;
    error = populate ? pin_batch(batch) : 0;
    if (error)
        goto remove;
    if (!fixed) {
        error = choose_iova(ioas, batch, iova);
        if (error)
            goto unpin;
        error = insert(ioas, batch, *iova);
        if (error)
            goto unpin;
        fixed = true;
    }
    error = populate ? map_batch(batch) : 0;
    if (!error)
        return 0;
unpin:
    if (populate)
        unpin_batch(batch);
remove:
    if (fixed)
        remove_batch(ioas, batch);
    return error;
}

int ioas_map(struct ioas *ioas, const struct ioas_source *source, uint64_t offset, uint64_t length,
             unsigned flags, uint64_t *iova)
{
    int error = check_request(ioas, offset, length, flags);
    struct ioas_pages *pages;
    struct ioas_area *area;
    struct batch batch = {&area, 1, length};
    uint64_t in_page;

    if (error)
        return error;
    /* Pages are whole, whatever the area has of the first and the last one. */
    in_page = offset % PAGE_SIZE;
    pages = pages_create(source, offset - in_page, ALIGN_UP(in_page + length, PAGE_SIZE), flags,
                         ioas->account);
    if (!pages)
        return -ENOMEM;
    area = area_create(ioas, pages, in_page, length, flags & PERMISSIONS);
    if (!area) {
        pages_put(pages);
        return -ENOMEM;
    }
    error = install(ioas, &batch, flags, iova);
    if (error)
        area_destroy(area);
    return error;
}

/* ---- Copy ----------------------------------------------------------------------------------- */

static void destroy_batch(struct batch *batch)
{
    while (batch->count > 0)
        area_destroy(batch->areas[--batch->count]);
    kfree(batch->areas);
}

/* How many areas the range [first, last] runs through, or -ENOENT if it meets a hole. */
static int64_t count_parts(const struct ioas *from, uint64_t first, uint64_t last)
{
    const struct ioas_area *area = area_of(itree_find(&from->areas, first, first));
    int64_t count = 0;

    while (area && area->node.first <= first) {
        count++;
        if (area->node.last >= last)
            return count;
        first = area->node.last + 1;
        area = area_next(area, last);
    }
    return -ENOENT;
}

/* A new area for what [first, last] and an area of the source have in common. */
static int copy_part(struct ioas *to, const struct ioas_area *area, uint64_t first, uint64_t last,
                     unsigned flags, struct ioas_area **out)
{
    uint64_t start = MAX(first, area->node.first);
    uint64_t length = MIN(last, area->node.last) - start + 1;
    uint64_t offset = area->offset + (start - area->node.first);
    int error = check_request(to, area->pages->offset + offset, length, flags);

    if (error)
        return error;
    if ((flags & IOAS_WRITE) && !area->pages->writable)
        return -EPERM;
    *out = area_create(to, area->pages, offset, length, flags & PERMISSIONS);
    if (!*out)
        return -ENOMEM;
    area->pages->references++;
    return 0;
}

static int copy_parts(struct ioas *to, const struct ioas *from, uint64_t first, uint64_t last,
                      unsigned flags, struct batch *batch)
{
    const struct ioas_area *area = area_of(itree_find(&from->areas, first, last));
    int error = 0;

    for (; area && !error; area = area_next(area, last)) {
        error = copy_part(to, area, first, last, flags, &batch->areas[batch->count]);
        if (!error)
            batch->count++;
    }
    return error;
}

int ioas_copy(struct ioas *to, struct ioas *from, uint64_t from_iova, uint64_t length,
              unsigned flags, uint64_t *iova)
{
    struct batch batch = {NULL, 0, length};
    uint64_t last;
    int64_t count;
    int error;

    if (length == 0 || !(flags & PERMISSIONS))
        return -EINVAL;
    if (__builtin_add_overflow(from_iova, length - 1, &last))
        return -EOVERFLOW;
    count = count_parts(from, from_iova, last);
    if (count < 0)
        return (int)count;
    batch.areas = kcalloc((size_t)count, sizeof(*batch.areas));
    if (!batch.areas)
        return -ENOMEM;
    error = copy_parts(to, from, from_iova, last, flags, &batch);
    if (!error)
        error = install(to, &batch, flags, iova);
    if (error)
        destroy_batch(&batch);
    else
        kfree(batch.areas);
    return error;
}

/* ---- Unmap ---------------------------------------------------------------------------------- */

int ioas_unmap(struct ioas *ioas, uint64_t iova, uint64_t last, uint64_t *unmapped)
{
    struct ioas_area *start = area_of(itree_find(&ioas->areas, iova, last));
    bool populated = !list_empty(&ioas->domains);
    struct ioas_area *area, *next;
    uint64_t bytes = 0;
    int error;

    *unmapped = 0;
    if (!start)
        return -ENOENT;
    if (start->node.first < iova)
        return -EINVAL;
    for (area = start; area; area = area_next(area, last)) {
        if (area->node.last > last)
            return -EINVAL;
        bytes += area_length(area);
    }
    error = areas_unmap(start, last);
    for (area = start; area; area = next) {
        next = area_next(area, last);
        itree_remove(&ioas->areas, &area->node);
        if (populated)
            pages_unpin(area->pages);
        area_destroy(area);
    }
    *unmapped = bytes;
    return error;
}

int ioas_unmap_all(struct ioas *ioas, uint64_t *unmapped)
{
    int error = ioas_unmap(ioas, 0, UINT64_MAX, unmapped);

    return error == -ENOENT ? 0 : error;
}

/* ---- Cut ------------------------------------------------------------------------------------ */

/*
 * Prepares the upper part of the area that holds both `iova` - 1 and `iova`; NULL if there is none.
 */
static int prepare_cut(struct ioas *ioas, uint64_t iova, struct ioas_area **part)
{
    struct ioas_area *area = area_of(itree_find(&ioas->areas, iova, iova));

    *part = NULL;
    if (!area || area->node.first == iova)
        return 0;
    if (!ioas->small_leaves || (iova & (ioas->alignment - 1)))
        return -EINVAL;
    *part = area_create(ioas, area->pages, area->offset + (iova - area->node.first),
                        area->node.last - iova + 1, area->permissions);
    if (!*part)
        return -ENOMEM;
    area->pages->references++;
    return 0;
}

static void finish_cut(struct ioas *ioas, uint64_t iova, struct ioas_area *part)
{
    struct ioas_area *area = area_of(itree_find(&ioas->areas, iova, iova));

    part->node.first = iova;
    part->node.last = area->node.last;
    area->node.last = iova - 1;
    itree_insert(&ioas->areas, &part->node);
    /* The memory is pinned already if it has to be: one more user cannot fail. */
    if (!list_empty(&ioas->domains))
        pages_pin(part->pages);
}

int ioas_cut(struct ioas *ioas, uint64_t iova, uint64_t last)
{
    struct ioas_area *low, *high = NULL;
    int error = prepare_cut(ioas, iova, &low);

    if (error)
        return error;
    if (last != UINT64_MAX)
        error = prepare_cut(ioas, last + 1, &high);
    if (error) {
        if (low)
            area_destroy(low);
        return error;
    }
    if (high)
        finish_cut(ioas, last + 1, high);
    if (low)
        finish_cut(ioas, iova, low);
    return 0;
}
