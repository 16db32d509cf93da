/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Buys 275 of the 1,615 instructions that mapping and unmapping a page would cost without it,
 * 83,000 of the 115,000 of 512 blocks of 2 MiB, 250 of a GiB's 1,950; all works without it, if the
 * functions here say that they did no run.
 *
 * Scattered memory is one run per frame or per block, each pinned once. Millions of them go
 * through the functions below, so the case is decided by one comparison, they call nothing, which
 * would make them save registers, and the cost of the loop is shared by four runs. They stop at
 * the first run that is anything else (the first frame of a region among them) and return how many
 * they did.
 */
#include "kernel/lib/unroll.h"
#include "kernel/mm/frames/internal.h"

/* Offsets are in bytes of the table. */
#define OFFSET_SHIFT (PAGE_SHIFT - 4)
#define REGION_BYTES (FRAMES_PER_2M * sizeof(struct frame))

/* The status that frames or blocks are expected to have, and the one they get. */
struct change {
    uint64_t from;
    uint64_t to;
    uint32_t pinned; /* how many pinned frames more: 1, or -1 */
};

static const struct change pin_once = {STATUS_HELD, STATUS_PINNED_ONCE, 1};
static const struct change unpin_last = {STATUS_PINNED_ONCE, STATUS_HELD, (uint32_t)-1};

/* The frames, or the blocks of one size; copied, so that it can live in registers. */
struct table {
    char *entries;
    paddr_t first;  /* of the memory it stands for */
    uint64_t end;   /* offset, or number, behind the last */
    unsigned shift; /* of blocks: an entry stands for 2^shift bytes */
};

static inline struct frame *frame_at(const struct table *table, uint64_t offset)
{
    return (struct frame *)(void *)(table->entries + offset);
}

static inline bool change_frame(const struct table *table, const struct phys_run *run,
                                const struct change *change)
{
    uint64_t offset = (run->base - table->first) >> OFFSET_SHIFT;

    if (run->length != PAGE_SIZE || offset >= table->end ||
        frame_at(table, offset)->status != change->from)
        return false;
    frame_at(table, offset)->status = change->to;
    frame_at(table, ALIGN_DOWN(offset, REGION_BYTES))->pinned += change->pinned;
    return true;
}

static inline bool change_block(const struct table *table, const struct phys_run *run,
                                const struct change *change)
{
    struct pin_block *blocks = (struct pin_block *)(void *)table->entries;
    uint64_t inside = run->base - table->first;
    /* Huge if it does not start where a block does. */
    uint64_t number = inside >> table->shift | inside << (64 - table->shift);

    if (run->length != BIT(table->shift) || number >= table->end ||
        blocks[number].status != change->from)
        return false;
    blocks[number].status = change->to;
    return true;
}

static ALWAYS_INLINE size_t change_runs(bool (*one)(const struct table *, const struct phys_run *,
                                                    const struct change *),
                                        struct table table, const struct phys_run *runs,
                                        size_t count, struct change change)
{
    size_t done = 0;

#define STEP(i) one(&table, &runs[i], &change)
    for (; count - done >= 4; done += 4)
        DO_FOUR(done, STEP);
    while (done < count && STEP(done))
        done++;
#undef STEP
    return done;
}

static ALWAYS_INLINE size_t change_frames(const struct phys_run *runs, size_t count,
                                          struct change change)
{
    struct table table = {(char *)frames.frame, (paddr_t)frames.base << PAGE_SHIFT,
                          frames.count * sizeof(struct frame), 0};

    return change_runs(change_frame, table, runs, count, change);
}

static ALWAYS_INLINE size_t change_regions(const struct phys_run *runs, size_t count,
                                           struct change change)
{
    struct table table = {(char *)frames.region, (paddr_t)frames.origin << PAGE_SHIFT,
                          (frames.base - frames.origin + frames.count) / FRAMES_PER_2M,
                          PAGE_SHIFT + 9};

    return change_runs(change_block, table, runs, count, change);
}

/* One GiB: there are never many of them, but a mapping may well be just one. */
static ALWAYS_INLINE size_t change_giga(const struct phys_run *runs, size_t count,
                                        struct change change)
{
    struct table table = {(char *)frames.giga, (paddr_t)frames.origin << PAGE_SHIFT,
                          (frames.base - frames.origin + frames.count) / FRAMES_PER_1G,
                          PAGE_SHIFT + 18};

    return change_block(&table, runs, &change);
}

#define CHANGE_COUNTED(name, change_them, how, count_them)                                         \
    size_t name(const struct phys_run *runs, size_t count)                                         \
    {                                                                                              \
        size_t done = change_them(runs, count, how);                                               \
                                                                                                   \
        frames.stats.pins count_them done;                                                         \
        return done;                                                                               \
    }
CHANGE_COUNTED(pin_frames_fast, change_frames, pin_once, +=)
CHANGE_COUNTED(unpin_frames_fast, change_frames, unpin_last, -=)
CHANGE_COUNTED(pin_regions_fast, change_regions, pin_once, +=)
CHANGE_COUNTED(unpin_regions_fast, change_regions, unpin_last, -=)
CHANGE_COUNTED(pin_giga_fast, change_giga, pin_once, +=)
CHANGE_COUNTED(unpin_giga_fast, change_giga, unpin_last, -=)
