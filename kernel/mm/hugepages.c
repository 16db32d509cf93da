/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/mm/hugepages.h"
#include "kernel/lib/panic.h"
#include "kernel/mm/frames/frames.h"

#define FRAMES_PER_PAGE (SIZE_2M / PAGE_SIZE)

static uint64_t used, limit;

/* Whole blocks that the payload could get. */
static uint64_t blocks_free(void)
{
    struct frames_stats frames;

    frames_stats(&frames);
    return MIN(frames.blocks, (frames.free - MIN(frames.free, frames.reserve)) / FRAMES_PER_PAGE);
}

void hugepages_set_limit(uint64_t pages)
{
    limit = MIN(pages, used + blocks_free());
}

void hugepages_default_limit(void)
{
    struct frames_stats frames;

    frames_stats(&frames);
    hugepages_set_limit(frames.total / FRAMES_PER_PAGE / 2);
}

void hugepages_charge(uint64_t bytes)
{
    used += bytes / SIZE_2M;
}

void hugepages_uncharge(uint64_t bytes)
{
    ASSERT(used >= bytes / SIZE_2M);
    used -= bytes / SIZE_2M;
}

void hugepages_stats(struct hugepages_stats *out)
{
    out->free = limit > used ? MIN(limit - used, blocks_free()) : 0;
    out->total = used + out->free;
    out->surplus = used > limit ? used - limit : 0;
}

bool hugepages_room(uint64_t bytes)
{
    struct hugepages_stats stats;

    hugepages_stats(&stats);
    return bytes / SIZE_2M <= stats.free;
}
