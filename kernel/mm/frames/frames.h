/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page frames: a buddy allocator over all usable RAM, with pins.
 *
 * A pin says that a device may reach the memory. Pins are counted on the largest naturally aligned
 * block (1 GiB, 2 MiB, 4 KiB) that a pinned run covers, so pinning a whole GiB is one count. A
 * frame that is released while some block over it (or inside it) is pinned becomes an orphan: it
 * is handed out again only after the last pin that covers it is gone. The last unpin of a block
 * costs the same however many they are; frames_settle() frees them piece by piece.
 *
 * Nothing here stores anything in the frames themselves: a device may still write to them.
 */
#ifndef KERNEL_MM_FRAMES_FRAMES_H
#define KERNEL_MM_FRAMES_FRAMES_H

#include "kernel/lib/types.h"

enum frame_order {
    ORDER_4K = 0,
    ORDER_2M = 9,
    ORDER_1G = 18,
};

enum frame_flags {
    FRAMES_ZERO = 1,    /* contents cleared */
    FRAMES_PAYLOAD = 2, /* memory of the payload's own: never the last, which the kernel needs */
};

/*
 * Takes the usable runs of the machine and those that are RAM in use now but may be released later
 * (`held`: boot data): each list page aligned, sorted, disjoint and without empty runs; the two
 * together disjoint. The metadata is carved from a usable run. RAM above 16 TiB, the first page,
 * and runs so far out that their metadata would not pay are left alone.
 * Returns -ENOMEM if no run can hold the metadata, -EINVAL if the runs break a rule above.
 */
int frames_init(const struct phys_run *usable, size_t count, const struct phys_run *held,
                size_t held_count);

/*
 * One naturally aligned block of 2^order frames (0 to ORDER_1G). PADDR_NONE when there is none, or
 * with FRAMES_PAYLOAD when less than the reserve would stay free: whatever the payload takes and
 * pins, there is memory left for the page tables and the objects of its next calls.
 */
paddr_t frames_alloc(unsigned order, unsigned flags);

/*
 * Gives `length` bytes from `base` back: whole frames, all handed out before, in blocks or parts of
 * blocks. Cannot fail. Frames that are pinned stay out of reach until their last unpin.
 */
void frames_release(paddr_t base, uint64_t length);

/*
 * Pins runs of frames (page aligned). -ENOMEM when a counter would overflow, nothing changed then;
 * -EINVAL when a run is not RAM this allocator owns. Unpin with the very same runs.
 */
int frames_pin_runs(const struct phys_run *runs, size_t count);
void frames_unpin_runs(const struct phys_run *runs, size_t count);

/*
 * Frees some of the orphans whose last pin over them is gone: about 30,000 instructions. Whoever
 * unpins calls it, between breaths, until it returns false, which means that none were left.
 */
bool frames_settle(void);

/* Is the whole range RAM that this allocator owns (free or not)? Costs one step per frame. */
bool frames_owned(paddr_t base, uint64_t length);

/* Bytes kept for whoever holds a frame, aligned to 8. Undefined after frames_alloc(). */
#define FRAMES_NOTE_SIZE 8u
void *frames_note(paddr_t frame);

struct frames_stats {
    uint64_t total;   /* frames owned */
    uint64_t free;    /* frames that can be allocated */
    uint64_t reserve; /* of these, what FRAMES_PAYLOAD does not get */
    uint64_t blocks;  /* whole blocks of 2 MiB in the free ones */
    uint64_t orphans; /* frames released but still pinned */
    uint64_t pins;    /* sum of all pin counts, in blocks */
};
void frames_stats(struct frames_stats *out);

#endif
