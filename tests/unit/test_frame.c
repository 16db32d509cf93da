/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames of the host: what their bytes are taken for, and which are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "kernel/machine/console/frame.h"

static struct frame_ring ring;
static struct frame frame;
static uint32_t taken;

static int start(void **state)
{
    ring.put = taken = UINT32_MAX - 5; /* a frame lies across the end of the ring, and of 32 bits */
    return 0;
}

static void put(const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        ring.bytes[(ring.put + i) % FRAME_RING] = bytes[i];
    ring.put += (uint32_t)count;
}

/* It is none before its last byte has come. */
static void expect(const uint8_t *bytes, size_t count, enum frame_kind kind)
{
    uint32_t before = taken;

    for (size_t i = 0; i < count; i++) {
        assert_int_equal(frame_take(&ring, &taken, &frame), FRAME_NONE);
        assert_int_equal(taken, before);
        put(bytes + i, 1);
    }
    assert_int_equal(frame_take(&ring, &taken, &frame), kind);
    assert_int_equal(taken - before, count);
    assert_int_equal(frame.length, count - 3);
    assert_memory_equal(frame.body, bytes + 3, count - 3);
}

static void a_frame_is_taken_whole(void **state)
{
    static const uint8_t end[] = {FRAME_END, 0, 0}, size[] = {FRAME_SIZE, 4, 0, 0x34, 0x12, 80, 0},
                         number[] = {FRAME_SIGNAL, 1, 0, 15}, data[] = {FRAME_DATA, 2, 0, 7, 8};

    for (unsigned round = 0; round < 2; round++) {
        expect(end, sizeof(end), FRAME_END);
        expect(size, sizeof(size), FRAME_SIZE);
        expect(number, sizeof(number), FRAME_SIGNAL);
        expect(data, sizeof(data), FRAME_DATA);
    }
}

static void the_longest_frame(void **state)
{
    static uint8_t data[3 + FRAME_BODY_MAX] = {FRAME_DATA, FRAME_BODY_MAX & 0xff,
                                               FRAME_BODY_MAX >> 8};

    for (size_t i = 3; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 7);
    expect(data, sizeof(data), FRAME_DATA);
}

static void wrong_heads_are_bad(void **state)
{
    static const uint8_t heads[][3] = {
        {0, 0, 0},
        {0, 1, 0},
        {FRAME_SIGNAL + 1, 1, 0},
        {255, 0, 0},
        {FRAME_DATA, 0, 0},
        {FRAME_DATA, 1, 16},
        {FRAME_END, 1, 0},
        {FRAME_SIZE, 3, 0},
        {FRAME_SIZE, 5, 0},
        {FRAME_SIGNAL, 0, 0},
        {FRAME_SIGNAL, 1, 1},
    };

    for (size_t i = 0; i < ARRAY_SIZE(heads); i++) {
        start(NULL);
        put(heads[i], 3);
        assert_int_equal(frame_take(&ring, &taken, &frame), FRAME_BAD);
    }
}

static void more_than_the_ring_holds_is_bad(void **state)
{
    ring.put += FRAME_RING + 1;
    assert_int_equal(frame_take(&ring, &taken, &frame), FRAME_BAD);
    ring.put = taken - 1;
    assert_int_equal(frame_take(&ring, &taken, &frame), FRAME_BAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_frame_is_taken_whole, start),
        cmocka_unit_test_setup(the_longest_frame, start),
        cmocka_unit_test_setup(wrong_heads_are_bad, start),
        cmocka_unit_test_setup(more_than_the_ring_holds_is_bad, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
