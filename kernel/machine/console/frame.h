/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames that carry the payload's input from the host (docs/terminal.md), in a ring of memory that
 * the host writes: a kind, the length of what follows as a little-endian number of 16 bits, and
 * what follows. Nothing there is trusted, nor to stay as it is while it is read.
 */
#ifndef KERNEL_MACHINE_CONSOLE_FRAME_H
#define KERNEL_MACHINE_CONSOLE_FRAME_H

#include "kernel/lib/types.h"

#define FRAME_RING       16384u /* bytes; a power of two */
#define FRAME_BODY_MAX   4096u  /* bytes that follow */
#define FRAME_SIGNAL_MAX 31     /* the highest number of a signal */

/* tools/bulkhead/line.py has the same numbers. */
enum frame_kind {
    FRAME_BAD = -1,   /* no such kind, or not its length */
    FRAME_NONE = 0,   /* no whole one is there yet */
    FRAME_DATA = 1,   /* bytes of standard input, 1 to FRAME_BODY_MAX */
    FRAME_END = 2,    /* there are no more */
    FRAME_SIZE = 3,   /* of the terminal: rows and columns, 16 bits each */
    FRAME_SIGNAL = 4, /* for the payload: its number */
};

/* Numbers of bytes count from the start, modulo 2^32. */
struct frame_ring {
    uint32_t put;   /* bytes that the host has put in */
    uint32_t taken; /* bytes that were taken out */
    uint32_t room;  /* bytes of data, of all frames together, that there has been room for */
    uint32_t unused[13];
    uint8_t bytes[FRAME_RING];
};

struct frame {
    uint16_t length;
    uint8_t body[FRAME_BODY_MAX];
};

/* Copies the frame behind *taken bytes, which then counts it too, and returns its kind. */
enum frame_kind frame_take(const struct frame_ring *ring, uint32_t *taken, struct frame *frame);

#endif
