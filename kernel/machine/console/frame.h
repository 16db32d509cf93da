/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames on the line that carries the payload's input from the host (docs/terminal.md): a kind, the
 * length of what follows as a little-endian number of 16 bits, and what follows. Nothing in them is
 * trusted.
 */
#ifndef KERNEL_MACHINE_CONSOLE_FRAME_H
#define KERNEL_MACHINE_CONSOLE_FRAME_H

#include "kernel/lib/types.h"

#define FRAME_DATA_MAX   4096 /* bytes of one frame of data */
#define FRAME_SIGNAL_MAX 31   /* the highest number of a signal */

/* tools/bulkhead/terminal.py has the same numbers. */
enum frame_kind {
    FRAME_DATA = 1,   /* bytes of standard input, 1 to FRAME_DATA_MAX */
    FRAME_END = 2,    /* there are no more */
    FRAME_SIZE = 3,   /* of the terminal: rows and columns, 16 bits each */
    FRAME_SIGNAL = 4, /* for the payload: its number */
};

/* What a byte was, beside a kind: the last byte of a frame, or of data any. */
enum frame_step {
    FRAME_PART = 0,
    FRAME_BAD = -1, /* no such kind, or not its length */
};

struct frame {
    uint8_t head[3]; /* as it arrived */
    uint8_t body[4]; /* what follows, but for data */
    unsigned got;    /* bytes of the head */
    unsigned left;   /* bytes that are still to follow */
};

/* Takes the next byte: a kind or FRAME_PART or FRAME_BAD, and then the next ones mean nothing. */
int frame_take(struct frame *frame, uint8_t byte);
/* The number of 16 bits at `index` of the body. */
uint16_t frame_number(const struct frame *frame, unsigned index);

#endif
