/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What becomes of input on its way to the payload: a ring of bytes, and the line discipline of a
 * terminal (termios(3)) in front of it: editing of lines, echo, signals. What is no terminal has
 * the ring alone.
 */
#ifndef KERNEL_FILE_TTY_H
#define KERNEL_FILE_TTY_H

#include "kernel/lib/types.h"

#define TTY_RING 16384u /* bytes; a power of two */

/* struct termios of the kernel interface, and the flags of it that mean something here. */
struct tty_modes {
    uint32_t input, output, control, local;
    uint8_t line;
    uint8_t characters[19];
};
_Static_assert(sizeof(struct tty_modes) == 36, "layout of the Linux interface");

enum tty_input {
    TTY_ISTRIP = 0040,
    TTY_INLCR = 0100,
    TTY_IGNCR = 0200,
    TTY_ICRNL = 0400,
    TTY_IXON = 02000,
    TTY_IUTF8 = 040000,
};

enum tty_output {
    TTY_OPOST = 01,
    TTY_ONLCR = 04,
};

enum tty_local {
    TTY_ISIG = 01,
    TTY_ICANON = 02,
    TTY_ECHO = 010,
    TTY_ECHOE = 020,
    TTY_ECHOK = 040,
    TTY_ECHONL = 0100,
    TTY_NOFLSH = 0200,
    TTY_ECHOCTL = 01000,
    TTY_ECHOKE = 04000,
    TTY_IEXTEN = 0100000,
};

enum tty_character {
    TTY_VINTR,
    TTY_VQUIT,
    TTY_VERASE,
    TTY_VKILL,
    TTY_VEOF,
    TTY_VTIME,
    TTY_VMIN,
    TTY_VSTART = 8,
    TTY_VSTOP,
    TTY_VSUSP,
    TTY_VEOL,
    TTY_VREPRINT,
    TTY_VWERASE = 14,
    TTY_VLNEXT,
    TTY_VEOL2,
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
    bool stopped;  /* output, by Ctrl-S */
    bool literal;  /* the next byte means nothing but itself */
    struct tty_modes modes;
    struct tty_size size;
    void (*echo)(const char *text, size_t length); /* shows what is typed */
    void (*signal)(int number);
    uint32_t first, end;         /* bytes taken out and put in; modulo the size where they are */
    uint32_t ready;              /* where what may be read ends: behind is a line being edited */
    uint8_t ring[TTY_RING];      /* with a 0 where Ctrl-D ended a line */
    uint8_t ends[TTY_RING / 8u]; /* a bit for each byte that ends a line */
};

/* The modes that a terminal starts with; what is in the ring stays. */
void tty_reset(struct tty *tty);
/* New modes. What was typed so far becomes a line, or can be read, when canonical mode changes. */
void tty_set_modes(struct tty *tty, const struct tty_modes *modes);
/* Tells the payload by a signal, if it is another. */
void tty_set_size(struct tty *tty, struct tty_size size);
/* Drops all that was not read. */
void tty_flush(struct tty *tty);
/*
 * Takes bytes as they arrive. False: there was no room for all of them. A terminal goes on
 * listening for what it acts upon at once, and drops the rest.
 */
bool tty_input(struct tty *tty, const uint8_t *bytes, size_t count);

/* How many bytes can be read now, be it in several reads. */
size_t tty_waiting(const struct tty *tty);
/* How many of them a read of `length` waits for, unless its time is over: a line counts as one. */
size_t tty_least(const struct tty *tty, size_t length);
/* How long it waits for the first byte or, where it waits for several, between two; 0: for ever. */
uint64_t tty_patience_ns(const struct tty *tty);
/* How many bytes a read of `length` gets now: no more than a line. */
size_t tty_next(const struct tty *tty, size_t length);
/* The bytes from the one with number `from` on, counted from the next: *length of them, or fewer.
 */
const uint8_t *tty_piece(const struct tty *tty, size_t from, size_t *length);
/* Takes out what was read, and a Ctrl-D that ended it. */
void tty_take(struct tty *tty, size_t length);

#endif
