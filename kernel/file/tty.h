/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What becomes of input on its way to the payload: a ring of bytes, and the line discipline of a
 * terminal (termios(3)) in front of it: editing of lines, echo, signals. What is no terminal has
 * the ring alone.
 */
#ifndef KERNEL_FILE_TTY_H
#define KERNEL_FILE_TTY_H

#include "kernel/lib/types.h"

#define TTY_RING        16384u /* bytes; a power of two */
#define TTY_END_OF_FILE 0x100u /* in the ring: no byte, Ctrl-D ended the line here */
#define TTY_LINE_MAX    4095u  /* bytes of a line that is edited, but what ends it */

/* struct termios2 of the kernel interface, and the flags of it that mean something here. */
struct tty_modes {
    uint32_t input, output, control, local;
    uint8_t line;
    uint8_t characters[19];
    uint32_t speed[2]; /* baud, behind the end of struct termios */
};
_Static_assert(sizeof(struct tty_modes) == 44, "layout of the Linux interface");

enum tty_flags {
    TTY_ICRNL = 0400, /* of input */
    TTY_OPOST = 01,   /* of output */
    TTY_ONLCR = 04,
    TTY_ISIG = 01, /* local */
    TTY_ICANON = 02,
    TTY_ECHO = 010,
};

enum tty_character {
    TTY_VINTR = 0,
    TTY_VQUIT = 1,
    TTY_VERASE = 2,
    TTY_VKILL = 3,
    TTY_VEOF = 4,
    TTY_VTIME = 5,
    TTY_VMIN = 6,
    TTY_VSUSP = 10,
};

/* What characters and a new size send. */
enum tty_signal {
    TTY_SIGINT = 2,
    TTY_SIGQUIT = 3,
    TTY_SIGTSTP = 20,
    TTY_SIGWINCH = 28,
};

/* struct winsize of the interface. */
struct tty_size {
    uint16_t rows, columns, x_pixels, y_pixels;
};

struct tty {
    bool terminal; /* else bytes pass as they are */
    bool ended;    /* nothing comes behind what is in the ring */
    struct tty_modes modes;
    struct tty_size size;
    void (*echo)(const char *text, size_t length); /* shows what is typed */
    void (*signal)(int number);
    uint32_t first, end; /* bytes taken out and put in; modulo the size where they are */
    uint32_t ready;      /* where what may be read ends: behind is a line being edited */
    uint16_t ring[TTY_RING];
};

/* The modes that a terminal starts with; what is in the ring stays. */
void tty_reset(struct tty *tty);
/* New modes. What was typed so far can be read when canonical mode changes. */
void tty_set_modes(struct tty *tty, const struct tty_modes *modes);
/* Tells the payload by a signal, if it is another. */
void tty_set_size(struct tty *tty, struct tty_size size);
/* Drops all that was typed and not read; what is no terminal keeps it. */
void tty_flush(struct tty *tty);
/*
 * Takes bytes as they arrive. False: there was no room for them, and none is taken. A terminal
 * goes on listening for keys that mean something, and drops the rest.
 */
bool tty_input(struct tty *tty, const uint8_t *bytes, size_t count);

/* What can be read now, be it in several reads; each Ctrl-D counts as one. */
size_t tty_waiting(const struct tty *tty);
/* How many bytes that are: FIONREAD. */
uint32_t tty_bytes(const struct tty *tty);
/* How many of them a read of `length` waits for, unless its time is over: a line counts as one. */
size_t tty_least(const struct tty *tty, size_t length);
/* How long it waits for the next byte, now; 0: for ever. */
uint64_t tty_patience_ns(const struct tty *tty);
/* Copies what a read of `length` gets now, no more than a line; returns how many bytes. */
size_t tty_peek(const struct tty *tty, uint8_t *bytes, size_t length);
/* Takes out what was read, and a Ctrl-D that ended it. */
void tty_take(struct tty *tty, size_t length);

#endif
