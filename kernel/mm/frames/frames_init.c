/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the metadata of the frames goes, and what it says at the start. */
#include "kernel/lib/error.h"
#include "kernel/lib/string.h"
#include "kernel/mm/direct.h"
#include "kernel/mm/frames/internal.h"

/* Frame numbers have 32 bits. */
#define RAM_END (PAGE_SIZE << 32)
/* A run must be worth at least this many times the metadata that the hole before it costs. */
#define HOLE_WORTH 8
/* The kernel's reserve: this part of all frames, within these bounds (1 MiB to 16 MiB). */
#define RESERVE_PART 64
#define RESERVE_MIN  256u
#define RESERVE_MAX  4096u

/* [first, end) of frame numbers. */
struct span {
    uint64_t first;
    uint64_t end;
};

static bool runs_valid(const struct phys_run *runs, size_t count)
{
    uint64_t end = 0;

    for (size_t i = 0; i < count; i++) {
        if (!IS_ALIGNED(runs[i].base | runs[i].length, PAGE_SIZE) || runs[i].length == 0 ||
            runs[i].base < end || !range_end(runs[i].base, runs[i].length, &end))
            return false;
    }
    return true;
}

/* The part of a run that can be owned; empty (first == end) if there is none. */
static struct span run_span(const struct phys_run *run)
{
    struct span s = {MAX(run->base, PAGE_SIZE) >> PAGE_SHIFT,
                     MIN(run->base + run->length, RAM_END) >> PAGE_SHIFT};

    if (s.first >= s.end || (frames.count != 0 && (s.first < frames.base ||
                                                   s.end > (uint64_t)frames.base + frames.count)))
        s.end = s.first;
    return s;
}

/*
 * Which frame numbers the flat table covers. It also spends metadata on holes, so a run that lies
 * far out must pay for the hole before it.
 */
static struct span table_span(const struct phys_run *usable, size_t count)
{
    struct span all = {0, 0};

    for (size_t i = 0; i < count; i++) {
        struct span s = run_span(&usable[i]);
        uint64_t hole = (s.first - all.end) * sizeof(struct frame) / PAGE_SIZE;

        if (s.first == s.end)
            continue;
        if (all.end == 0)
            all.first = ALIGN_DOWN(s.first, FRAMES_PER_2M);
        else if (hole * HOLE_WORTH > s.end - s.first)
            break;
        all.end = s.end;
    }
    return all;
}

static uint64_t blocks_within(uint64_t first, uint64_t end, uint64_t block)
{
    uint64_t low = ALIGN_UP(first, block);
    uint64_t high = ALIGN_DOWN(end, block);

    return high > low ? (high - low) / block : 0;
}

/* What taking [at, at + need) out of a run destroys: whole 1 GiB blocks, then whole 2 MiB ones. */
static uint64_t carve_cost(struct span s, uint64_t at, uint64_t need)
{
    static const uint64_t size[] = {FRAMES_PER_1G, FRAMES_PER_2M};
    uint64_t cost = 0;

    for (size_t i = 0; i < ARRAY_SIZE(size); i++)
        cost = (cost << 32) + blocks_within(s.first, s.end, size[i]) -
               blocks_within(s.first, at, size[i]) - blocks_within(at + need, s.end, size[i]);
    return cost;
}

/* The cheapest place for `need` frames at either end of a run; first == end if none is large
 * enough. */
static struct span carve(const struct phys_run *usable, size_t count, uint64_t need)
{
    struct span best = {0, 0};
    uint64_t best_cost = UINT64_MAX;

    for (size_t i = 0; i < count; i++) {
        struct span s = run_span(&usable[i]);
        uint64_t at[2] = {s.first, s.end - need};

        if (s.end - s.first < need)
            continue;
        for (size_t j = 0; j < ARRAY_SIZE(at); j++) {
            uint64_t cost = carve_cost(s, at[j], need);

            if (cost < best_cost) {
                best_cost = cost;
                best = (struct span){at[j], at[j] + need};
            }
        }
    }
    return best;
}

/* Lays the three tables out in `place` (or just measures them, when place is NULL): bytes used. */
static uint64_t lay_out(char *place)
{
    uint64_t end = (uint64_t)frames.base + frames.count;
    uint64_t gigas = (end - frames.origin + FRAMES_PER_1G - 1) / FRAMES_PER_1G;
    uint64_t regions = gigas * FRAMES_PER_1G / FRAMES_PER_2M;
    uint64_t frame_bytes = frames.count * sizeof(struct frame);
    uint64_t region_bytes = regions * sizeof(struct pin_block);

    if (place) {
        frames.frame = (struct frame *)place;
        frames.region = (struct pin_block *)(place + frame_bytes);
        frames.giga = (struct pin_block *)(place + frame_bytes + region_bytes);
    }
    return frame_bytes + region_bytes + gigas * sizeof(struct pin_block);
}

/* What remains of a run beside the metadata, which lies at one of its ends if in it at all. */
static struct span rest_span(const struct phys_run *run, struct span metadata)
{
    struct span s = run_span(run);

    if (s.first == metadata.first && metadata.end <= s.end)
        s.first = metadata.end;
    else if (s.end == metadata.end && metadata.first > s.first)
        s.end = metadata.first;
    return s;
}

/* The blocks that have a frame of [first, end), which is not ours. */
static void mark_partial(uint64_t first, uint64_t end)
{
    if (first == end)
        return;
    for (uint64_t n = ALIGN_DOWN(first, FRAMES_PER_2M); n < end; n += FRAMES_PER_2M) {
        region_of((uint32_t)n)->orphans = BLOCK_PARTIAL;
        giga_of((uint32_t)n)->orphans = BLOCK_PARTIAL;
    }
}

static void mark_holes(uint64_t first, uint64_t end)
{
    for (uint64_t n = first; n < end; n++)
        frames.frame[n - frames.base].state = FRAME_HOLE;
    mark_partial(first, end);
}

/* Walks both lists in address order: everything between the runs is a hole. */
static void mark_all(const struct phys_run *usable, size_t count, const struct phys_run *held,
                     size_t held_count, struct span metadata)
{
    uint64_t at = frames.base, table_end = at + frames.count;
    size_t u = 0, h = 0;

    while (u < count || h < held_count) {
        bool from_usable = h == held_count || (u < count && usable[u].base < held[h].base);
        struct span s = rest_span(from_usable ? &usable[u++] : &held[h++], metadata);

        if (s.first == s.end)
            continue;
        mark_holes(at, s.first);
        at = s.end;
        frames.stats.total += s.end - s.first;
    }
    mark_holes(at, table_end);
    mark_partial(frames.origin, frames.base);
    mark_partial(table_end, ALIGN_UP(table_end, FRAMES_PER_1G));
}

int frames_init(const struct phys_run *usable, size_t count, const struct phys_run *held,
                size_t held_count)
{
    struct span all, metadata;
    uint64_t bytes;

    frames_reset();
    if (!runs_valid(usable, count) || !runs_valid(held, held_count))
        return -EINVAL;
    all = table_span(usable, count);
    if (all.end == 0)
        return -ENOMEM;
    frames.base = (uint32_t)all.first;
    frames.origin = ALIGN_DOWN(frames.base, FRAMES_PER_1G);
    frames.count = (uint32_t)(all.end - all.first);
    bytes = ALIGN_UP(lay_out(NULL), PAGE_SIZE);
    metadata = carve(usable, count, bytes >> PAGE_SHIFT);
    if (metadata.end == 0)
        return -ENOMEM;
    lay_out(phys_to_virt(metadata.first << PAGE_SHIFT));
    memset(frames.frame, 0, bytes);
    mark_all(usable, count, held, held_count, metadata);
    frames.stats.reserve = MAX(MIN(frames.stats.total / RESERVE_PART, RESERVE_MAX), RESERVE_MIN);
    for (size_t i = 0; i < count; i++) {
        struct span s = rest_span(&usable[i], metadata);

        frames_put_free((uint32_t)s.first, (uint32_t)(s.end - s.first));
    }
    return 0;
}
