/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page frames: a buddy allocator over all usable RAM, with pins.
 *
 * A pin says that a device may reach the memory. Pins are counted on the largest naturally aligned
 * block (1 GiB, 2 MiB, 4 KiB) that a pinned run covers, so pinning a whole GiB is one count. A
 * frame that is released while some block over it (or inside it) is pinned becomes an orphan: it
 * is handed out again only after the last pin that covers it is gone. The last unpin of a block
 * costs the number of orphaned runs, never the number of frames.
 *
 * Nothing here stores anything in the frames themselves: a device may still write to them.
 */
#ifndef KERNEL_MM_FRAMES_H
#define KERNEL_MM_FRAMES_H

#include "kernel/lib/types.h"

enum frame_order {
    ORDER_4K = 0,
    ORDER_2M = 9,
    ORDER_1G = 18,
};

enum frame_flags {
    FRAMES_ZERO = 1, /* contents cleared */
};

/*
 * Takes the usable runs of the machine: page aligned, sorted, disjoint, not empty. The metadata is
 * carved from them. Returns -ENOMEM if no run can hold it, -EINVAL if the runs break a rule above.
 */
int frames_init(const struct phys_run *usable, size_t count);

/* One naturally aligned block of 2^order frames (0 to ORDER_1G). PADDR_NONE when there is none. */
paddr_t frames_alloc(unsigned order, unsigned flags);

/*
 * Gives `length` bytes from `base` back: whole frames, all handed out before, in blocks or parts of
 * blocks. Cannot fail. Frames that are pinned stay out of reach until their last unpin.
 */
void frames_release(paddr_t base, uint64_t length);

/*
 * Pins a run of frames (page aligned). -ENOMEM when a counter would overflow, nothing changed then;
 * -EINVAL when the run is not RAM this allocator owns. Unpin with the very same run.
 */
int frames_pin(paddr_t base, uint64_t length);
void frames_unpin(paddr_t base, uint64_t length);

/* Is the whole range RAM that this allocator owns (free or not)? */
bool frames_owned(paddr_t base, uint64_t length);

struct frames_stats {
    uint64_t total;   /* frames owned */
    uint64_t free;    /* frames that can be allocated */
    uint64_t orphans; /* frames released but still pinned */
    uint64_t pins;    /* sum of all pin counts, in blocks */
};
void frames_stats(struct frames_stats *out);

#endif
