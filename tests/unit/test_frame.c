/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames of the host: what their bytes are taken for, and which are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "kernel/machine/console/frame.h"

/* The last answer of all these bytes; every one before has to be `before`. */
static int take_all(struct frame *frame, const uint8_t *bytes, size_t count, int before)
{
    for (size_t i = 0; i + 1 < count; i++)
        assert_int_equal(frame_take(frame, bytes[i]), before);
    return frame_take(frame, bytes[count - 1]);
}

static void short_frames_end_with_their_last_byte(void **state)
{
    static const uint8_t end[] = {FRAME_END, 0, 0}, size[] = {FRAME_SIZE, 4, 0, 0x34, 0x12, 80, 0},
                         number[] = {FRAME_SIGNAL, 1, 0, 15};
    struct frame frame = {.got = 0};

    for (unsigned round = 0; round < 2; round++) {
        assert_int_equal(take_all(&frame, end, sizeof(end), FRAME_PART), FRAME_END);
        assert_int_equal(take_all(&frame, size, sizeof(size), FRAME_PART), FRAME_SIZE);
        assert_int_equal(frame_number(&frame, 0), 0x1234);
        assert_int_equal(frame_number(&frame, 1), 80);
        assert_int_equal(take_all(&frame, number, sizeof(number), FRAME_PART), FRAME_SIGNAL);
        assert_int_equal(frame.body[0], 15);
    }
}

static void data_is_told_byte_by_byte(void **state)
{
    const uint8_t head[] = {FRAME_DATA, FRAME_DATA_MAX & 0xff, FRAME_DATA_MAX >> 8};
    struct frame frame = {.got = 0};

    assert_int_equal(take_all(&frame, head, sizeof(head), FRAME_PART), FRAME_PART);
    for (unsigned i = 0; i < FRAME_DATA_MAX; i++)
        assert_int_equal(frame_take(&frame, FRAME_END), FRAME_DATA);
    assert_int_equal(frame_take(&frame, FRAME_END), FRAME_PART);
}

static void wrong_heads_are_bad(void **state)
{
    static const uint8_t heads[][3] = {
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
        struct frame frame = {.got = 0};

        assert_int_equal(take_all(&frame, heads[i], 3, FRAME_PART), FRAME_BAD);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_frames_end_with_their_last_byte),
        cmocka_unit_test(data_is_told_byte_by_byte),
        cmocka_unit_test(wrong_heads_are_bad),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
