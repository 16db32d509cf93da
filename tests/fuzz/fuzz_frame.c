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

/* A read gets at most what is there, and takes something of it. */
static void read_some(size_t length)
{
    static uint8_t bytes[TTY_RING];
    size_t before = tty_waiting(&tty), n = tty_peek(&tty, bytes, length);

    if (before > TTY_RING || n > before || n > length)
        abort();
    tty_take(&tty, n);
    if (before && tty_waiting(&tty) >= before)
        abort();
}

static void take(const struct frame *frame, enum frame_kind kind)
{
    const uint8_t *body = frame->body;
    const struct tty_size window = {.rows = (uint16_t)(body[0] | body[1] << 8),
                                    .columns = (uint16_t)(body[2] | body[3] << 8)};
    struct tty_modes modes = tty.modes;

    if (kind == FRAME_DATA && !tty_input(&tty, body, frame->length))
        read_some(TTY_RING);
    if (kind == FRAME_END)
        read_some(100);
    if (kind == FRAME_SIZE)
        tty_set_size(&tty, window);
    if (kind == FRAME_SIZE) { /* and, for the fuzzer, the modes */
        modes.local = window.rows;
        modes.input = window.columns;
        tty_set_modes(&tty, &modes);
    }
    if (kind == FRAME_SIGNAL)
        modes.characters[body[0] % sizeof(modes.characters)] = body[0];
    if (kind == FRAME_SIGNAL)
        tty_set_modes(&tty, &modes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct frame_ring ring;
    static struct frame frame;
    uint32_t taken, before;

    if (!size)
        return 0;
    memset(&tty, 0, sizeof(tty));
    tty.terminal = data[0] & 1;
    tty.echo = echo;
    tty.signal = take_signal;
    tty_reset(&tty);
    ring.put = taken = 0u - data[0];
    for (size_t i = 1; i < size; i++) {
        enum frame_kind kind;

        ring.bytes[ring.put++ % FRAME_RING] = data[i];
        before = taken;
        kind = frame_take(&ring, &taken, &frame);
        if (kind == FRAME_BAD)
            break;
        if (kind > FRAME_SIGNAL || (kind && frame.length > FRAME_BODY_MAX) ||
            taken - before != (kind ? 3u + frame.length : 0))
            abort();
        take(&frame, kind);
    }
    while (tty_waiting(&tty))
        read_some(TTY_RING);
    return 0;
}
