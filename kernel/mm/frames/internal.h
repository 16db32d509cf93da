/* SPDX-License-Identifier: BSD-2-Clause */
/* What frames.c (free lists) and frames_pin.c (pins and orphans) share; nobody else includes it. */
#ifndef KERNEL_MM_FRAMES_INTERNAL_H
#define KERNEL_MM_FRAMES_INTERNAL_H

#include "kernel/mm/frames/frames.h"

#define FRAMES_PER_2M 512u
#define FRAMES_PER_1G 262144u
#define ORDER_COUNT   (ORDER_1G + 1)

/* Frame number 0 is never owned, so it ends lists. */
#define FRAME_NONE 0u

/* Zero must be FRAME_HELD: clearing the metadata is then most of the initialisation. */
enum frame_state {
    FRAME_HELD = 0,       /* handed out, or inside a block whose first frame tells more */
    FRAME_ORPHAN_RUN = 1, /* first frame of a run in the orphan list of a pinned large block */
    FRAME_ORPHAN_ONE = 2, /* released while this frame itself was pinned */
    FRAME_FREE = 4,       /* first frame of a free block of `order` */
    FRAME_CACHED = 5,     /* in the stack of single frames */
    FRAME_HOLE = 6,       /* not ours */
};
#define FRAME_STATE_PINNABLE_MAX FRAME_ORPHAN_ONE

struct frame {
    union {
        struct {
            uint32_t next; /* free or orphan list: a frame number */
            union {
                uint32_t prev;   /* FRAME_FREE */
                uint32_t length; /* FRAME_ORPHAN_RUN: frames in the run */
            };
        };
        uint8_t note[FRAMES_NOTE_SIZE]; /* FRAME_HELD: the holder's */
    };
    union {
        struct {
            uint32_t pins; /* of this one frame */
            uint8_t state;
            uint8_t order;   /* FRAME_FREE, else 0 */
            uint16_t pinned; /* first frame of a 2 MiB region: frames in the region with pins */
        };
        uint64_t status; /* all four: tells the usual cases apart in one comparison */
    };
};
#define STATUS_HELD        UINT64_C(0) /* and not pinned */
#define STATUS_PINNED_ONCE UINT64_C(1) /* and held */
_Static_assert(sizeof(struct frame) == 16, "metadata budget: 16 bytes per frame");

/* A 2 MiB or 1 GiB block as far as pins are concerned. */
struct pin_block {
    union {
        struct {
            uint32_t pins;
            uint32_t orphans; /* first frame of the last orphan run, FRAME_NONE, BLOCK_PARTIAL */
        };
        uint64_t status; /* both, as in struct frame */
    };
};
/* Some of it is not ours. It is never pinned as a whole, so it can have no orphans. */
#define BLOCK_PARTIAL UINT32_MAX

struct frames {
    struct frame *frame;      /* [count], of frame number `base` on */
    struct pin_block *region; /* one per 2 MiB, from the GiB that holds `base` on */
    struct pin_block *giga;   /* one per 1 GiB, likewise */
    uint32_t base;            /* a multiple of FRAMES_PER_2M */
    uint32_t origin;          /* the first frame of the first GiB */
    uint32_t count;
    uint32_t unsettled; /* first orphan run that no pinned block has any more; FRAME_NONE */
    struct frames_stats stats;
};
extern struct frames frames;

/* Forgets everything: the state before frames_init(). */
void frames_reset(void);
/* Gives unpinned frames to the free lists. */
void frames_put_free(uint32_t first, uint32_t count);
/* The same for one frame: goes to the stack of single frames. */
void frames_put_one(uint32_t number);

/* ---- frames_pin.c: any run ---- */

/* Pins a run once, as frames_pin(). */
int pin_run_slowly(struct phys_run run);
/* Takes the pins of a run off. */
void unpin_run_slowly(struct phys_run run);

/* ---- frames_pin_fast.c: runs of one frame or block that are pinned once ---- */

/* Each does runs from the first one on, as long as they are of its kind, and returns how many. */
size_t pin_frames_fast(const struct phys_run *runs, size_t count);
size_t unpin_frames_fast(const struct phys_run *runs, size_t count);
size_t pin_regions_fast(const struct phys_run *runs, size_t count);
size_t unpin_regions_fast(const struct phys_run *runs, size_t count);
/* The same, but no more than the first, of a GiB. */
size_t pin_giga_fast(const struct phys_run *runs, size_t count);
size_t unpin_giga_fast(const struct phys_run *runs, size_t count);

static inline struct frame *frame_of(uint32_t number)
{
    return &frames.frame[number - frames.base];
}

static inline struct pin_block *region_of(uint32_t number)
{
    return &frames.region[(number - frames.origin) / FRAMES_PER_2M];
}

static inline struct pin_block *giga_of(uint32_t number)
{
    return &frames.giga[(number - frames.origin) / FRAMES_PER_1G];
}

#endif
