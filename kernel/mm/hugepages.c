/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/mm/hugepages.h"
#include "kernel/lib/panic.h"
#include "kernel/mm/frames/frames.h"

static uint64_t used, limit;

/* Whole blocks that the payload could get. */
static uint64_t blocks_free(void)
{
    struct frames_stats frames;

    frames_stats(&frames);
    return MIN(frames.blocks, (frames.free - MIN(frames.free, frames.reserve)) >> ORDER_2M);
}

uint64_t hugepages(enum hugepages_figure figure)
{
    uint64_t free = MIN(limit - MIN(limit, used), blocks_free());
    const uint64_t figures[] = {used + free, free, used - MIN(limit, used), 0};

    return figures[figure];
}

void hugepages_set_limit(uint64_t pages)
{
    limit = MIN(pages, used + blocks_free());
}

void hugepages_charge(int64_t bytes)
{
    used += (uint64_t)(bytes / (int64_t)SIZE_2M);
    ASSERT(used <= INT64_MAX);
}
