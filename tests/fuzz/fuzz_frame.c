/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whatever bytes the host sends as frames, into a terminal or a pipe in any modes: only whole
 * frames with their lengths come out, the ring holds what it can, and reads end.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/file/tty.h"
#include "kernel/machine/console/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct tty tty;
static size_t echoed;

static void echo(const char *text, size_t length)
{
    echoed += length + (text[0] == 0);
}

static void take_signal(int number)
{
    if (number < 1 || number > FRAME_SIGNAL_MAX)
        abort();
}

/* A read gets at most what is there, and all of it lies in the ring. */
static void read_some(size_t length)
{
    size_t before = tty_waiting(&tty), n = tty_next(&tty, length);
    unsigned sum = 0;

    if (before > TTY_RING || n > before || n > length)
        abort();
    for (size_t done = 0; done < n;) {
        size_t part = n - done;
        const uint8_t *piece = tty_piece(&tty, done, &part);

        if (!part)
            abort();
        for (size_t i = 0; i < part; i++)
            sum += piece[i];
        done += part;
    }
    echoed += sum & 1;
    tty_take(&tty, n);
    if (before && tty_waiting(&tty) >= before)
        abort();
}

static void take(const struct frame *frame, int kind, uint8_t byte)
{
    const struct tty_size window = {.rows = frame_number(frame, 0),
                                    .columns = frame_number(frame, 1)};
    struct tty_modes modes = tty.modes;

    if (kind == FRAME_DATA && !tty_input(&tty, &byte, 1) && !tty.terminal)
        tty_flush(&tty);
    if (kind == FRAME_END)
        read_some(100);
    if (kind == FRAME_SIZE)
        tty_set_size(&tty, window);
    if (kind == FRAME_SIZE) { /* and, for the fuzzer, the modes */
        modes.local = window.rows | (uint32_t)(window.rows & 0x8000) << 1;
        modes.input = window.columns;
        tty_set_modes(&tty, &modes);
    }
    if (kind == FRAME_SIGNAL)
        modes.characters[frame->body[0] % sizeof(modes.characters)] = frame->body[0];
    if (kind == FRAME_SIGNAL)
        tty_set_modes(&tty, &modes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct frame frame = {.got = 0};

    if (!size)
        return 0;
    memset(&tty, 0, sizeof(tty));
    tty.terminal = data[0] & 1;
    tty.echo = echo;
    tty.signal = take_signal;
    tty_reset(&tty);
    for (size_t i = 1; i < size; i++) {
        int kind = frame_take(&frame, data[i]);

        if (kind == FRAME_BAD)
            break;
        if (kind < FRAME_PART || kind > FRAME_SIGNAL || frame.left > FRAME_DATA_MAX)
            abort();
        take(&frame, kind, data[i]);
    }
    while (tty_waiting(&tty))
        read_some(TTY_RING);
    return 0;
}
