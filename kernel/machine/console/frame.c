/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/machine/console/frame.h"

static const struct {
    uint16_t least, most;
} lengths[] = {
    [FRAME_DATA] = {1, FRAME_BODY_MAX},
    [FRAME_END] = {0, 0},
    [FRAME_SIZE] = {4, 4},
    [FRAME_SIGNAL] = {1, 1},
};

static void copy(const struct frame_ring *ring, uint32_t from, uint8_t *to, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++)
        to[i] = __atomic_load_n(&ring->bytes[(from + i) % FRAME_RING], __ATOMIC_RELAXED);
}

enum frame_kind frame_take(const struct frame_ring *ring, uint32_t *taken, struct frame *frame)
{
    uint32_t bytes = __atomic_load_n(&ring->put, __ATOMIC_ACQUIRE) - *taken;
    uint8_t head[3];
    uint8_t kind;

    if (bytes > FRAME_RING)
        return FRAME_BAD;
    if (bytes < sizeof(head))
        return FRAME_NONE;
    copy(ring, *taken, head, sizeof(head));
    kind = head[0];
    frame->length = (uint16_t)(head[1] | head[2] << 8);
    if (!kind || kind >= ARRAY_SIZE(lengths) || frame->length < lengths[kind].least ||
        frame->length > lengths[kind].most)
        return FRAME_BAD;
    if (bytes < sizeof(head) + frame->length)
        return FRAME_NONE;
    copy(ring, *taken + sizeof(head), frame->body, frame->length);
    *taken += sizeof(head) + frame->length;
    return kind;
}
