/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What arrives for the payload: from the host that runs the machine, in frames
 * (kernel/machine/console/frame.h) that it writes into a ring in the kernel's memory, or what is
 * typed at the serial console. Both are looked at from a timer, and by who waits for input.
 */
#ifndef KERNEL_MACHINE_CONSOLE_INPUT_H
#define KERNEL_MACHINE_CONSOLE_INPUT_H

#include "kernel/machine/console/frame.h"

enum input_source {
    INPUT_NONE,
    INPUT_CONSOLE,
    INPUT_HOST,
};

/* Which side of the console is a terminal to the payload. */
enum console_terminal {
    CONSOLE_NO_TERMINAL,
    CONSOLE_OUTPUT, /* what it writes; input comes from a file or a pipe */
    CONSOLE_TERMINAL,
};

/* What the host is told by a record STREAM_INPUT: where the ring is, in physical memory. */
struct input_place {
    uint64_t address; /* of a struct frame_ring */
    uint32_t size;    /* of its bytes */
    uint32_t unused;
};

/*
 * Called with what arrives, in the timer interrupt or in input_look(); FRAME_END perhaps more than
 * once. False: there is no room, which the host was told, or it means nothing.
 */
typedef bool input_taker(enum frame_kind kind, const uint8_t *bytes, size_t count);

/* Takes what arrives there from now on; there is room for so many bytes of data. Once. */
void input_start(enum input_source from, input_taker *to, uint32_t bytes);
/* Takes what is there now, and looks more often for a while: somebody wants it. */
void input_look(void);
/* There is room for so many bytes of data more. */
void input_grant(size_t bytes);

#endif
