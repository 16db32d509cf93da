/* SPDX-License-Identifier: BSD-2-Clause */
/* Map and copy: everything that can fail is undone in reverse. */
#include "kernel/ioas/internal.h"
#include "kernel/lib/error.h"
#include "kernel/lib/panic.h"
#include "kernel/mm/heap.h"

/* Work (breathe_after()): an area that is looked at, made, put in place. */
#define LOOK_WORK    20
#define CREATE_WORK  250
#define INSTALL_WORK 500

#define PERMISSIONS (IOAS_READ | IOAS_WRITE)

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

/* What a place that the caller chose must keep to. */
static int check_place(struct ioas *ioas, uint64_t iova, uint64_t length)
{
    uint64_t last;

    if (iova & (ioas->alignment - 1))
        return -EINVAL;
    if (__builtin_add_overflow(iova, length - 1, &last))
        return -EOVERFLOW;
    return range_usable(ioas, iova, last) ? 0 : -EINVAL;
}

static void move(struct ioas_area *area, uint64_t iova)
{
    area->node.last += iova - area->node.first;
    area->node.first = iova;
}

/*
 * Chooses where `length` bytes go that begin with an area: like the memory, if it can be looked at
 * (the caller has pinned it), or else like the addresses in the source.
 */
static int choose_place(struct ioas *ioas, const struct ioas_area *area, uint64_t length,
                        uint64_t *iova)
{
    const struct ioas_pages *pages = area->pages;
    struct phys_run run = {pages->offset + area->offset, length};
    uint64_t at = area->offset; /* where in the pages the run starts */

    if (pages->users)
        run = pages_longest_run(pages, &at);
    return range_choose(ioas, length, run, at - area->offset, iova);
}

/* ---- map ---- */

/* Pins the memory for the moment of choosing, so that it is looked up once. */
static APART int install_anywhere(struct ioas_area *area, uint64_t *iova)
{
    struct ioas *ioas = area->ioas;
    bool pin = populated(ioas);
    int error = pin ? pages_pin(area->pages) : 0;

    if (error)
        return error;
    error = choose_place(ioas, area, area_length(area), iova);
    if (!error) {
        move(area, *iova);
        error = area_install(area);
    }
    if (pin)
        pages_unpin(area->pages);
    return error;
}

/*
 * Pages over [offset, offset + length) of the source, with an area of the very same range at
 * `iova`. They are whole pages, whatever the area has of the first and the last one. NULL when out
 * of memory.
 */
static struct ioas_pages *create_pages(struct ioas *ioas, const struct ioas_source *source,
                                       uint64_t iova, uint64_t offset, uint64_t length,
                                       unsigned flags)
{
    struct ioas_pages *pages = kmalloc(sizeof(*pages));
    uint64_t in_page = offset % PAGE_SIZE;

    if (!pages)
        return NULL;
    pages->source = *source;
    pages->offset = offset - in_page;
    pages->length = ALIGN_UP(in_page + length, PAGE_SIZE);
    pages->account = ioas->account;
    pages->lock = ioas->lock;
    pages->references = 1;
    pages->users = 0;
    pages->flags = flags;
    pages->revoked = false;
    pages->stuck = false;
    pages->chunks = NULL;
    pages->watches = NULL;
    pages->charged = 0;
    list_init(&pages->areas);
    area_init(&pages->own, ioas, pages, iova, in_page, length, flags & PERMISSIONS);
    source->ops->get(source->context);
    return pages;
}

int ioas_map(struct ioas *ioas, const struct ioas_source *source, uint64_t offset, uint64_t length,
             unsigned flags, uint64_t *iova)
{
    struct ioas_pages *pages;
    int error;

    ASSERT(mutex_held(ioas->lock));
    error = check_request(ioas, offset, length, flags);
    if (!error && (flags & IOAS_FIXED))
        error = check_place(ioas, *iova, length);
    if (error)
        return error;
    pages = create_pages(ioas, source, flags & IOAS_FIXED ? *iova : 0, offset, length, flags);
    if (!pages)
        return -ENOMEM;
    if (flags & IOAS_FIXED)
        error = area_install(&pages->own);
    else
        error = install_anywhere(&pages->own, iova);
    if (error)
        area_destroy(&pages->own);
    return error;
}

/* ---- copy ---- */

/* New areas that come to lie one after the other. */
struct batch {
    struct ioas_area **areas;
    size_t count;
    uint64_t length; /* of all together */
};

/* How many areas the range [first, last] runs through, or -ENOENT if it meets a hole; -EINTR. */
static int64_t count_parts(const struct ioas *from, uint64_t first, uint64_t last)
{
    const struct ioas_area *area = area_of(itree_find(&from->areas, first, first));
    int64_t count = 0;

    while (area && area->node.first <= first) {
        count++;
        if (area->node.last >= last)
            return count;
        if (breathe_after(LOOK_WORK, "looking at areas"))
            return -EINTR;
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
    if ((flags & IOAS_WRITE) && !(area->pages->flags & IOAS_WRITE))
        return -EPERM;
    *out = area_create(to, area->pages, offset, length, flags & PERMISSIONS);
    return *out ? 0 : -ENOMEM;
}

static int copy_parts(struct ioas *to, const struct ioas *from, uint64_t first, uint64_t last,
                      unsigned flags, struct batch *batch)
{
    const struct ioas_area *area = area_of(itree_find(&from->areas, first, last));
    int error = 0;

    for (; area && !error; area = area_next(area, last)) {
        error = copy_part(to, area, first, last, flags, &batch->areas[batch->count]);
        if (error)
            break;
        batch->count++;
        error = breathe_after(CREATE_WORK, "copying areas");
    }
    return error;
}

static void destroy_areas(struct batch *batch, size_t first)
{
    for (size_t i = first; i < batch->count; i++) {
        area_destroy(batch->areas[i]);
        breathe_deaf_after(CREATE_WORK, "giving areas up");
    }
}

/* Installs the areas from `iova` on, all or none. Destroys them on failure. */
static int install_batch(struct ioas *to, struct batch *batch, uint64_t iova)
{
    size_t done = 0;
    int error = 0;

    /* An overlap is found before anything is pinned. */
    if (itree_find(&to->areas, iova, iova + (batch->length - 1)))
        error = -EEXIST;
    while (!error && done < batch->count) {
        struct ioas_area *area = batch->areas[done];

        move(area, iova);
        iova = area->node.last + 1;
        error = area_install(area);
        if (error)
            break;
        done++;
        if (done < batch->count)
            error = breathe_after(INSTALL_WORK, "copying areas");
    }
    if (!error)
        return 0;
    destroy_areas(batch, done);
    if (done)
        ioas_unmap_deaf(to, batch->areas[0]->node.first, batch->areas[done - 1]->node.last);
    return error;
}

/* As install_anywhere(), for a batch; destroys it on failure. */
static int install_batch_anywhere(struct ioas *to, struct batch *batch, uint64_t *iova)
{
    struct ioas_pages *pages = batch->areas[0]->pages;
    bool pin = populated(to);
    int error = pin ? pages_pin(pages) : 0;

    if (error) {
        destroy_areas(batch, 0);
        return error;
    }
    pages->references++; /* the areas may be gone afterwards */
    error = choose_place(to, batch->areas[0], batch->length, iova);
    if (error)
        destroy_areas(batch, 0);
    else
        error = install_batch(to, batch, *iova);
    if (pin)
        pages_unpin(pages);
    pages_put(pages);
    return error;
}

/* Finds a place and installs the batch there; destroys it on failure. */
static int place_batch(struct ioas *to, struct batch *batch, unsigned flags, uint64_t *iova)
{
    int error;

    if (!(flags & IOAS_FIXED))
        return install_batch_anywhere(to, batch, iova);
    error = check_place(to, *iova, batch->length);
    if (!error)
        return install_batch(to, batch, *iova);
    destroy_areas(batch, 0);
    return error;
}

int ioas_copy(struct ioas *to, struct ioas *from, uint64_t from_iova, uint64_t length,
              unsigned flags, uint64_t *iova)
{
    struct batch batch = {NULL, 0, length};
    uint64_t last;
    int64_t count;
    int error;

    ASSERT(to->lock == from->lock && mutex_held(to->lock));
    if (length == 0 || !(flags & PERMISSIONS))
        return -EINVAL;
    if (__builtin_add_overflow(from_iova, length - 1, &last))
        return -EOVERFLOW;
    count = count_parts(from, from_iova, last);
    if (count < 0)
        return (int)count;
    batch.areas = kmalloc((size_t)count * sizeof(*batch.areas));
    if (!batch.areas)
        return -ENOMEM;
    error = copy_parts(to, from, from_iova, last, flags, &batch);
    if (error)
        destroy_areas(&batch, 0);
    else
        error = place_batch(to, &batch, flags, iova);
    kfree(batch.areas);
    return error;
}
