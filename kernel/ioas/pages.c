/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/cpu/thread.h"
#include "kernel/ioas/internal.h"
#include "kernel/lib/error.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "kernel/mm/frames/frames.h"
#include "kernel/mm/heap.h"

/* Work (breathe_after()): a run that is looked up and pinned, unpinned, looked at; a leaf; a call;
 * a call of frames_settle().
 */
#define PIN_WORK    40
#define UNPIN_WORK  15
#define LOOK_WORK   6
#define LEAF_WORK   5
#define MAP_WORK    200
#define SETTLE_WORK 30000

/* What is mapped between two breaths, where leaves may be small and where all are large. */
#define PIECE_BYTES (128 * SIZE_2M)
#define LARGE_BYTES (128 * SIZE_1G)

/* How many runs there is room for at a time: what is expected, within these bounds. */
#define CHUNK_RUNS_MIN 6u
#define CHUNK_RUNS_MAX ((4 * PAGE_SIZE - sizeof(struct run_chunk)) / sizeof(struct phys_run))

void pages_destroy(struct ioas_pages *pages)
{
    ASSERT(pages->users == 0);
    pages->source.ops->put(pages->source.context);
    kfree(pages);
}

/* ---- device memory ---- */

static void device_revoked(struct memobj_watcher *watcher)
{
    struct ioas_pages *pages = container_of(watcher, struct device_watch, watcher)->pages;
    struct ioas_area *area;

    pages->revoked = true;
    list_for_each_entry (area, &pages->areas, link)
        area_revoked(area); /* breathes; the lock keeps the list as it is */
}

static APART int watch_device(struct ioas_pages *pages, struct memobj *object)
{
    struct device_watch *watch;

    if (pages->flags & IOAS_RAM_ONLY)
        return -EFAULT;
    for (watch = pages->watches; watch; watch = watch->next)
        if (watch->object == object)
            return 0;
    watch = kmalloc(sizeof(*watch));
    if (!watch)
        return -ENOMEM;
    /* Not `restore`: what a device lost stays lost, its translations do not come back. */
    *watch = (struct device_watch){
        .watcher.revoke = device_revoked,
        .watcher.lock = pages->lock,
        .object = memobj_get(object),
        .pages = pages,
        .next = pages->watches,
    };
    pages->watches = watch;
    memobj_watch(object, &watch->watcher);
    return 0;
}

static APART void forget_devices(struct ioas_pages *pages)
{
    struct device_watch *watch;

    while ((watch = pages->watches) != NULL) {
        pages->watches = watch->next;
        memobj_unwatch(&watch->watcher);
        memobj_put(watch->object);
        kfree(watch);
    }
}

/* ---- pins and charge ---- */

static void uncharge(struct ioas_pages *pages, uint64_t bytes)
{
    pages->account->used -= bytes;
    pages->charged -= bytes;
}

/* Makes what the source handed out safe to map: watched, or charged and pinned. */
static int hold_runs(struct ioas_pages *pages, const struct phys_run *runs, size_t count,
                     uint64_t bytes, struct memobj *device)
{
    int error;

    if (device)
        return watch_device(pages, device);
    if (!ioas_account_allows(pages->account, bytes))
        return -ENOMEM;
    pages->account->used += bytes;
    pages->charged += bytes;
    error = frames_pin_runs(runs, count);
    if (error)
        uncharge(pages, bytes);
    /* Not RAM that can be pinned: as good as no memory at all. */
    return error == -EINVAL ? -EFAULT : error;
}

static APART void release_chunks(struct ioas_pages *pages)
{
    struct run_chunk *chunk;

    while ((chunk = pages->chunks) != NULL) {
        pages->chunks = chunk->next;
        if (!pages->stuck && !chunk->device)
            frames_unpin_runs(chunk->runs, chunk->count);
        breathe_deaf_after(chunk->count * UNPIN_WORK, "unpinning");
        kfree(chunk);
    }
}

/* Lets go of everything that was held; the first run must have been. */
static ALWAYS_INLINE void release_runs(struct ioas_pages *pages)
{
    if (!pages->stuck && !pages->first_device)
        frames_unpin_runs(&pages->first, 1);
    if (pages->chunks)
        release_chunks(pages);
    while (frames_settle()) /* memory that was given back before is free from now on */
        breathe_deaf_after(SETTLE_WORK, "unpinning");
    if (pages->watches)
        forget_devices(pages);
    if (!pages->stuck)
        uncharge(pages, pages->charged);
}

/* ---- runs ---- */

/* What the source gave at one time. */
struct batch {
    struct phys_run *runs;
    size_t count;
    uint64_t bytes;
    struct memobj *device;
};

static uint64_t runs_bytes(const struct phys_run *runs, size_t count)
{
    uint64_t bytes = 0;

#pragma clang loop unroll_count(8)
    for (size_t i = 0; i < count; i++)
        bytes += runs[i].length;
    return bytes;
}

/* Asks the source for at most `room` runs. One that breaks its contract is not believed. */
static int fetch(struct ioas_pages *pages, uint64_t done, size_t room, struct batch *batch)
{
    uint64_t left = pages->length - done;
    int count =
        pages->source.ops->runs(pages->source.context, pages->offset + done, left,
                                pages->flags & IOAS_WRITE, batch->runs, room, &batch->device);

    if (count < 0)
        return count == -EIO ? -EFAULT : count; /* -EIO is for invalidations */
    batch->count = (size_t)count;
    ASSERT(batch->count != 0 && batch->count <= room);
    batch->bytes = runs_bytes(batch->runs, batch->count);
    ASSERT(batch->bytes != 0 && batch->bytes <= left);
    return 0;
}

/* For at least `least` runs, better `room`. */
static struct run_chunk *add_chunk(struct ioas_pages *pages, size_t room, size_t least)
{
    size_t size = sizeof(struct run_chunk) + room * sizeof(struct phys_run);
    struct run_chunk *chunk = kmalloc_most(&size, sizeof(*chunk) + least * sizeof(struct phys_run));

    if (!chunk)
        return NULL;
    chunk->next = NULL;
    chunk->bytes = 0;
    chunk->count = 0;
    chunk->room = (uint32_t)((size - sizeof(*chunk)) / sizeof(struct phys_run));
    chunk->device = false;
    if (pages->chunks)
        /* NOLINTNEXTLINE(*NullDereference): where there are chunks, one is the last. */
        pages->last_chunk->next = chunk;
    else
        pages->chunks = chunk;
    pages->last_chunk = chunk;
    return chunk;
}

/* How many runs there may be behind `done` bytes, if they are like the first one. */
static size_t expected_runs(const struct ioas_pages *pages, uint64_t done)
{
    uint64_t runs = (pages->length - done) / pages->first.length + 1;

    return MAX(MIN(runs, CHUNK_RUNS_MAX), CHUNK_RUNS_MIN);
}

/* Adds the next batch of runs after `done` bytes. Returns the bytes added, or an error. */
static int64_t add_batch(struct ioas_pages *pages, uint64_t done)
{
    struct run_chunk *chunk = pages->chunks ? pages->last_chunk : NULL;
    struct batch batch;
    int error;

    if (!chunk || chunk->count == chunk->room)
        chunk = add_chunk(pages, expected_runs(pages, done), CHUNK_RUNS_MIN);
    if (!chunk)
        return -ENOMEM;
    batch.runs = &chunk->runs[chunk->count];
    error = fetch(pages, done, chunk->room - chunk->count, &batch);
    if (error)
        return error;
    if (chunk->count && chunk->device != (batch.device != NULL)) {
        /* Another kind of memory: it starts a chunk of its own. */
        chunk = add_chunk(pages, batch.count, batch.count);
        if (!chunk)
            return -ENOMEM;
        memcpy(chunk->runs, batch.runs, batch.count * sizeof(*batch.runs));
        batch.runs = chunk->runs;
    }
    error = hold_runs(pages, batch.runs, batch.count, batch.bytes, batch.device);
    if (error)
        return error;
    chunk->device = batch.device != NULL;
    chunk->count += (uint32_t)batch.count;
    chunk->bytes += batch.bytes;
    return (int64_t)batch.bytes;
}

/* Everything behind the first run, which is held already. */
static APART int add_rest(struct ioas_pages *pages)
{
    uint64_t done = pages->first.length;

    while (done < pages->length) {
        int64_t bytes = add_batch(pages, done);
        int error =
            bytes < 0 ? (int)bytes : breathe_after(PIN_WORK * pages->last_chunk->count, "pinning");

        if (error) {
            release_runs(pages);
            pages->users = 0;
            return error;
        }
        done += (uint64_t)bytes;
    }
    return 0;
}

/* The limit is asked before memory is made for what it refuses, as far as it is known to be RAM. */
ALWAYS_INLINE int pages_pin_all(struct ioas_pages *pages)
{
    struct memobj *device;
    int error;

    if ((pages->flags & IOAS_RAM_ONLY) && !ioas_account_allows(pages->account, pages->length))
        return -ENOMEM;
    error = pages->source.ops->runs(pages->source.context, pages->offset, pages->length,
                                    pages->flags & IOAS_WRITE, &pages->first, 1, &device);

    if (error < 0)
        return error == -EIO ? -EFAULT : error;
    pages->first_device = device != NULL;
    error = hold_runs(pages, &pages->first, 1, pages->first.length, device);
    if (error)
        return error;
    pages->users = 1;
    return pages->first.length == pages->length ? 0 : add_rest(pages);
}

void pages_unpin_all(struct ioas_pages *pages)
{
    release_runs(pages);
    /* Pinned anew, it would not be the same memory that is stuck, nor that was revoked. */
    pages->charged = 0;
    pages->stuck = false;
    pages->revoked = false;
}

/* ---- mapping ---- */

/* Where the next byte goes, and how many are still wanted. */
struct placement {
    struct iommu_domain *domain;
    uint64_t iova;
    uint64_t skip;
    uint64_t left;
    unsigned permissions;
    unsigned flags;
    bool large; /* leaves of 2 MiB may be used */
};

/* Maps runs that are one piece of work, whose leaves are of at least `leaf` bytes but for a few. */
static int place(struct placement *at, const struct phys_run *runs, size_t count, uint64_t bytes,
                 uint64_t leaf)
{
    int error = iommu_map(at->domain, at->iova, runs, count, at->permissions, at->flags);

    at->iova += bytes;
    at->left -= bytes;
    if (error)
        return error;
    return breathe_after(MAP_WORK + (uint32_t)(bytes / leaf) * LEAF_WORK, "mapping iova");
}

/* One run of any length, in pieces that are cut where no leaf becomes smaller for it. */
static int place_long(struct placement *at, struct phys_run run)
{
    int error = 0;

    while (run.length && !error) {
        bool large = at->large && IS_ALIGNED(at->iova | run.base, SIZE_2M);
        uint64_t most = large ? LARGE_BYTES : PIECE_BYTES;
        struct phys_run piece = {run.base, MIN(run.length, most - at->iova % most)};

        error = place(at, &piece, 1, piece.length, large ? SIZE_2M : PAGE_SIZE);
        run.base += piece.length;
        run.length -= piece.length;
    }
    return error;
}

/* Do leaves of 2 MiB fit all runs? */
static bool all_large(const struct placement *at, const struct phys_run *runs, size_t count)
{
    uint64_t bits = at->iova;

#pragma clang loop unroll_count(8)
    for (size_t i = 0; i < count; i++)
        bits |= runs[i].base | runs[i].length;
    return at->large && IS_ALIGNED(bits, SIZE_2M);
}

/* Runs of `bytes` in all, all of them wanted. */
static int place_all(struct placement *at, const struct phys_run *runs, size_t count,
                     uint64_t bytes)
{
    int error = 0;

    if (bytes <= PIECE_BYTES)
        return place(at, runs, count, bytes, PAGE_SIZE);
    if (bytes <= LARGE_BYTES && all_large(at, runs, count))
        return place(at, runs, count, bytes, SIZE_2M);
    for (size_t i = 0; i < count && !error; i++)
        error = place_long(at, runs[i]);
    return error;
}

/* Consecutive runs of `bytes` in all, of which the placement may want only a part. */
static int place_runs(struct placement *at, const struct phys_run *runs, size_t count,
                      uint64_t bytes)
{
    int error = 0;

    if (at->skip >= bytes) {
        at->skip -= bytes;
        return breathe_after(LOOK_WORK, "mapping iova");
    }
    if (at->skip == 0 && at->left >= bytes)
        return place_all(at, runs, count, bytes);
    for (size_t i = 0; i < count && at->left && !error; i++) {
        struct phys_run run = runs[i];

        if (at->skip >= run.length) {
            at->skip -= run.length;
            error = breathe_after(LOOK_WORK, "mapping iova");
            continue;
        }
        run.base += at->skip;
        run.length = MIN(run.length - at->skip, at->left);
        at->skip = 0;
        error = place_all(at, &run, 1, run.length);
    }
    return error;
}

static APART int map_part(const struct ioas_pages *pages, struct iommu_domain *domain,
                          uint64_t iova, uint64_t offset, uint64_t length, unsigned permissions,
                          unsigned flags)
{
    struct placement at = {domain, iova, offset, length, permissions, flags, false};
    const struct run_chunk *chunk;
    struct iommu_geometry geometry;
    int error;

    iommu_domain_geometry(domain, &geometry);
    at.large = (geometry.page_sizes & SIZE_2M) && !(flags & IOMMU_SMALL_LEAVES);
    error = place_runs(&at, &pages->first, 1, pages->first.length);
    for (chunk = pages->chunks; chunk && at.left && !error; chunk = chunk->next)
        error = place_runs(&at, chunk->runs, chunk->count, chunk->bytes);
    return error;
}

ALWAYS_INLINE int pages_map(const struct ioas_pages *pages, struct iommu_domain *domain,
                            uint64_t iova, uint64_t offset, uint64_t length, unsigned permissions,
                            unsigned flags)
{
    if (pages->revoked)
        return 0;
    /* Nearly always everything is wanted, and often it is one short run. */
    if (length == pages->first.length && offset == 0 && length <= SIZE_2M)
        return iommu_map(domain, iova, &pages->first, 1, permissions, flags);
    return map_part(pages, domain, iova, offset, length, permissions, flags);
}

struct phys_run pages_longest_run(const struct ioas_pages *pages, uint64_t *at)
{
    struct phys_run longest = pages->first;
    const struct run_chunk *chunk;
    uint64_t offset = pages->first.length;

    *at = 0;
    for (chunk = pages->chunks; chunk; chunk = chunk->next) {
        breathe_deaf_after(chunk->count * LOOK_WORK, "choosing an iova");
        for (uint32_t i = 0; i < chunk->count; i++) {
            if (chunk->runs[i].length > longest.length) {
                longest = chunk->runs[i];
                *at = offset;
            }
            offset += chunk->runs[i].length;
        }
    }
    return longest;
}
