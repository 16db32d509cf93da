/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/machine/console/frame.h"

static const struct {
    uint16_t least, most;
} lengths[] = {
    [FRAME_DATA] = {1, FRAME_DATA_MAX},
    [FRAME_END] = {0, 0},
    [FRAME_SIZE] = {4, 4},
    [FRAME_SIGNAL] = {1, 1},
};

static int take_head(struct frame *frame, uint8_t byte)
{
    unsigned kind = frame->head[0];

    frame->head[frame->got++] = byte;
    if (frame->got < sizeof(frame->head))
        return FRAME_PART;
    frame->left = frame->head[1] | (unsigned)frame->head[2] << 8;
    if (kind < FRAME_DATA || kind >= ARRAY_SIZE(lengths) || frame->left < lengths[kind].least ||
        frame->left > lengths[kind].most)
        return FRAME_BAD;
    if (frame->left)
        return FRAME_PART;
    frame->got = 0;
    return (int)kind;
}

int frame_take(struct frame *frame, uint8_t byte)
{
    unsigned kind = frame->head[0];

    if (frame->got < sizeof(frame->head))
        return take_head(frame, byte);
    if (kind != FRAME_DATA)
        frame->body[lengths[kind].most - frame->left] = byte;
    if (--frame->left == 0)
        frame->got = 0;
    return kind == FRAME_DATA || !frame->left ? (int)kind : FRAME_PART;
}

uint16_t frame_number(const struct frame *frame, unsigned index)
{
    return (uint16_t)(frame->body[2 * index] | frame->body[2 * index + 1] << 8);
}
