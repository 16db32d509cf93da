/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pins and orphans. Three levels have counters: 1 GiB blocks, 2 MiB regions, single frames. A frame
 * is out of reach while any of the three that cover it is pinned. What is released meanwhile waits:
 * under a pinned large block as a run in that block's list (the link and the length live in the
 * metadata of the run's first frame), under its own pin as a state. The last unpin hands a block's
 * list over whole to the list of runs to be settled, which frames_settle() releases anew: that
 * sorts them to a smaller pinned block or to the free lists.
 */
#include "kernel/lib/error.h"
#include "kernel/lib/panic.h"
#include "kernel/mm/frames/internal.h"

#define PINS_MAX UINT32_MAX
/* What frames_settle() does at most: runs, and frames of a long one. */
#define SETTLE_RUNS   256u
#define SETTLE_FRAMES (16 * FRAMES_PER_2M)

/* A block's list is a ring, and the block names its last run: it can be joined to another whole. */
static void orphan_run(struct pin_block *block, uint32_t first, uint32_t count)
{
    struct frame *frame = frame_of(first);

    frame->state = FRAME_ORPHAN_RUN;
    frame->length = count;
    frames.stats.orphans += count;
    if (block->orphans == FRAME_NONE) {
        frame->next = first;
        block->orphans = first;
    } else {
        frame->next = frame_of(block->orphans)->next;
        frame_of(block->orphans)->next = first;
    }
}

/* Frames of one region in which single frames are pinned. */
static void release_among_pinned(uint32_t first, uint32_t count)
{
    struct frame *frame = &frames.frame[first - frames.base];
    uint32_t clear = 0; /* unpinned frames just before `i` */

    for (uint32_t i = 0; i < count; i++) {
        if (frame[i].pins == 0) {
            clear++;
            continue;
        }
        frames_put_free(first + i - clear, clear);
        clear = 0;
        frame[i].state = FRAME_ORPHAN_ONE;
        frames.stats.orphans++;
    }
    frames_put_free(first + count - clear, clear);
}

/* Frames of one GiB that is not pinned itself. Unpinned neighbours are freed in one piece. */
static void release_regions(uint32_t first, uint32_t count)
{
    uint32_t start = first; /* [start, first) is to be freed */

    while (count > 0) {
        uint32_t part = MIN(count, FRAMES_PER_2M - first % FRAMES_PER_2M);
        struct pin_block *region = region_of(first);
        uint32_t head = (first - frames.base) & ~(FRAMES_PER_2M - 1);

        if (region->pins != 0 || frames.frame[head].pinned != 0) {
            frames_put_free(start, first - start);
            start = first + part;
            if (region->pins != 0)
                orphan_run(region, first, part);
            else
                release_among_pinned(first, part);
        }
        first += part;
        count -= part;
    }
    frames_put_free(start, first - start);
}

static void release_run(uint32_t first, uint32_t count)
{
    while (count > 0) {
        uint32_t part = MIN(count, FRAMES_PER_1G - first % FRAMES_PER_1G);
        struct pin_block *giga = giga_of(first);

        if (giga->pins != 0)
            orphan_run(giga, first, part);
        else if (frames.stats.pins != 0)
            release_regions(first, part);
        else
            frames_put_free(first, part);
        first += part;
        count -= part;
    }
}

void frames_release(paddr_t base, uint64_t length)
{
    uint32_t first = (uint32_t)(base >> PAGE_SHIFT);
    uint32_t index = first - frames.base;

    ASSERT(index < frames.count);
    if (length == PAGE_SIZE && frames.frame[index].pins == 0 && region_of(first)->pins == 0 &&
        giga_of(first)->pins == 0)
        frames_put_one(first);
    else
        release_run(first, (uint32_t)(length >> PAGE_SHIFT));
}

static void hand_over_orphans(struct pin_block *block)
{
    struct frame *last;
    uint32_t first;

    if (block->orphans == FRAME_NONE)
        return;
    last = frame_of(block->orphans);
    first = last->next;
    last->next = frames.unsettled;
    frames.unsettled = first;
    block->orphans = FRAME_NONE;
}

/* Releases the first run to be settled, or the first part of it. */
static void settle_one(void)
{
    uint32_t first = frames.unsettled;
    struct frame *frame = frame_of(first);
    uint32_t part = MIN(frame->length, SETTLE_FRAMES);

    frames.unsettled = frame->next;
    if (part < frame->length) {
        struct frame *rest = frame_of(first + part);

        rest->state = FRAME_ORPHAN_RUN;
        rest->length = frame->length - part;
        rest->next = frame->next;
        frames.unsettled = first + part;
    }
    frame->state = FRAME_HELD;
    frames.stats.orphans -= part;
    release_run(first, part);
}

static APART void settle_some(void)
{
    uint32_t frames_left = SETTLE_FRAMES;

    for (unsigned i = 0; i < SETTLE_RUNS && frames_left && frames.unsettled != FRAME_NONE; i++) {
        frames_left -= MIN(frames_left, frame_of(frames.unsettled)->length);
        settle_one();
    }
}

bool frames_settle(void)
{
    if (frames.unsettled == FRAME_NONE)
        return false;
    settle_some();
    return true;
}

/* The first frame of a region counts the pinned frames in it. */
static struct frame *head_of(uint32_t index)
{
    return &frames.frame[index & ~(FRAMES_PER_2M - 1)];
}

static int pin_frame(uint32_t index)
{
    struct frame *frame = &frames.frame[index];

    if (frame->state > FRAME_STATE_PINNABLE_MAX)
        return -EINVAL;
    if (frame->pins == PINS_MAX)
        return -ENOMEM;
    if (frame->pins++ == 0)
        head_of(index)->pinned++;
    return 0;
}

static void unpin_frame(uint32_t index)
{
    struct frame *frame = &frames.frame[index];

    ASSERT(frame->pins != 0);
    if (--frame->pins != 0)
        return;
    head_of(index)->pinned--;
    if (frame->state != FRAME_ORPHAN_ONE)
        return;
    frame->state = FRAME_HELD;
    frames.stats.orphans--;
    release_run(frames.base + index, 1);
}

static int pin_block(struct pin_block *block)
{
    if (block->orphans == BLOCK_PARTIAL)
        return -EINVAL;
    if (block->pins == PINS_MAX)
        return -ENOMEM;
    block->pins++;
    return 0;
}

/* The last pin: what waited for it is to be settled. */
static void unpin_block(struct pin_block *block)
{
    ASSERT(block->pins != 0);
    block->pins--;
    if (block->pins == 0)
        hand_over_orphans(block);
}

/* Frames in the largest block that starts at `first` and does not pass `count`. */
static uint32_t block_frames(uint32_t first, uint32_t count)
{
    if (first % FRAMES_PER_2M != 0 || count < FRAMES_PER_2M)
        return 1;
    if (first % FRAMES_PER_1G != 0 || count < FRAMES_PER_1G)
        return FRAMES_PER_2M;
    return FRAMES_PER_1G;
}

/* Takes the pins of the first `done` frames of a run off; the whole run tells the block sizes. */
static void unpin_blocks(uint32_t first, uint32_t count, uint32_t done)
{
    uint32_t end = first + done;

    while (first != end) {
        uint32_t block = block_frames(first, count);

        if (block == 1)
            unpin_frame(first - frames.base);
        else if (block == FRAMES_PER_2M)
            unpin_block(region_of(first));
        else
            unpin_block(giga_of(first));
        frames.stats.pins--;
        first += block;
        count -= block;
    }
}

static int pin_at(uint32_t first, uint32_t block)
{
    if (block == 1)
        return pin_frame(first - frames.base);
    if (block == FRAMES_PER_2M)
        return pin_block(region_of(first));
    return pin_block(giga_of(first));
}

int pin_run_slowly(struct phys_run run)
{
    uint64_t index = (run.base >> PAGE_SHIFT) - frames.base;
    uint64_t count = run.length >> PAGE_SHIFT;
    uint32_t first = (uint32_t)(run.base >> PAGE_SHIFT);
    uint32_t done = 0;

    if (index >= frames.count || count > frames.count - index)
        return -EINVAL;
    while (done < count) {
        uint32_t block = block_frames(first + done, (uint32_t)count - done);
        int error = pin_at(first + done, block);

        if (error) {
            unpin_blocks(first, (uint32_t)count, done);
            return error;
        }
        frames.stats.pins++;
        done += block;
    }
    return 0;
}

void unpin_run_slowly(struct phys_run run)
{
    uint32_t count = (uint32_t)(run.length >> PAGE_SHIFT);

    unpin_blocks((uint32_t)(run.base >> PAGE_SHIFT), count, count);
}

static APART void unpin_rest(const struct phys_run *runs, size_t done, size_t count)
{
    while (done < count) {
        size_t regions = unpin_regions_fast(runs + done, count - done);

        if (regions == 0)
            unpin_run_slowly(runs[done]);
        done += MAX(regions, 1);
        done += unpin_frames_fast(runs + done, count - done);
    }
}

static APART void unpin_large(const struct phys_run *runs, size_t done, size_t count)
{
    done += unpin_giga_fast(runs + done, count - done);
    if (done != count)
        unpin_rest(runs, done, count);
}

void frames_unpin_runs(const struct phys_run *runs, size_t count)
{
    size_t done = unpin_frames_fast(runs, count);

    if (done != count)
        unpin_large(runs, done, count);
}

static APART int pin_rest(const struct phys_run *runs, size_t done, size_t count)
{
    while (done < count) {
        size_t regions = pin_regions_fast(runs + done, count - done);
        int error = regions == 0 ? pin_run_slowly(runs[done]) : 0;

        if (error) {
            frames_unpin_runs(runs, done);
            return error;
        }
        done += MAX(regions, 1);
        done += pin_frames_fast(runs + done, count - done);
    }
    return 0;
}

static APART int pin_large(const struct phys_run *runs, size_t done, size_t count)
{
    done += pin_giga_fast(runs + done, count - done);
    return done == count ? 0 : pin_rest(runs, done, count);
}

int frames_pin_runs(const struct phys_run *runs, size_t count)
{
    size_t done = pin_frames_fast(runs, count);

    return done == count ? 0 : pin_large(runs, done, count);
}
