/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What arrives for the payload: from the host that runs the machine, in frames
 * (kernel/machine/console/frame.h) that it writes into a ring in the kernel's memory, or what is
 * typed at the serial console. Both are looked at from a timer, and by who waits for input.
 */
#ifndef KERNEL_MACHINE_CONSOLE_INPUT_H
#define KERNEL_MACHINE_CONSOLE_INPUT_H

#include "kernel/lib/types.h"

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
    uint64_t address; /* of a struct input_ring */
    uint32_t size;    /* of its bytes */
    uint32_t unused;
};

#define INPUT_RING 16384u /* a power of two */

/* Numbers of bytes count from the start, modulo 2^32. Nothing that the host writes is trusted. */
struct input_ring {
    uint32_t put;   /* bytes that the host has put in */
    uint32_t taken; /* bytes that were taken out */
    uint32_t room;  /* bytes of data, of all frames together, that there has been room for */
    uint32_t unused[13];
    uint8_t bytes[INPUT_RING];
};

/* Called in the timer interrupt or in input_look(). */
struct input_taker {
    /* False: there is no room, which the host was told. */
    bool (*data)(const uint8_t *bytes, size_t count);
    void (*end)(void); /* nothing else comes; perhaps more than once */
    void (*size)(uint16_t rows, uint16_t columns);
    void (*signal)(int number);
};

/* Takes what arrives there from now on; there is room for so many bytes of data. Once. */
void input_start(enum input_source from, const struct input_taker *to, uint32_t bytes);
/* Takes what is there now, and looks more often for a while: somebody wants it. */
void input_look(void);
/* Has something arrived so lately that more is worth a moment's wait? */
bool input_moves(void);
/* There is room for so many bytes of data more. */
void input_grant(size_t bytes);

#endif
