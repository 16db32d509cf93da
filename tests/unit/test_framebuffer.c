/* SPDX-License-Identifier: BSD-2-Clause */
/* The framebuffer console: what is drawn where, scrolling, and descriptions that make no sense. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "kernel/machine/console/font.h"
#include "kernel/machine/console/framebuffer.h"
#include "kernel/cpu/time.h"
#include "kernel/lib/log.h"
#include "tests/unit/host_thread.h"

#define INK    0x00ffffff
#define OLD    0xdeadbeef
#define WIDTH  (10 * FONT_WIDTH + 3)
#define HEIGHT (4 * FONT_HEIGHT + 5)
#define PITCH  (WIDTH + 7)

static uint32_t *pixels;

static struct boot_framebuffer description(void)
{
    return (struct boot_framebuffer){.base = 0x1000,
                                     .size = PITCH * HEIGHT * 4,
                                     .width = WIDTH,
                                     .height = HEIGHT,
                                     .pitch = PITCH * 4,
                                     .bits_red = 0xff0000,
                                     .bits_green = 0xff00,
                                     .bits_blue = 0xff};
}

/* The sink stays added for good, so every test starts the same screen anew. */
static int start(void **state)
{
    struct boot_framebuffer info = description();

    pixels = malloc(PITCH * HEIGHT * 4);
    for (size_t i = 0; i < PITCH * HEIGHT; i++)
        pixels[i] = OLD;
    return framebuffer_init(&info, pixels) ? 0 : -1;
}

static int end(void **state)
{
    framebuffer_move(NULL);
    free(pixels);
    return 0;
}

static void write(const char *text)
{
    log_raw(text, strlen(text));
}

/* The letter seen in a cell, by comparing it with every letter; 0 if it is none. */
static char read_cell(unsigned column, unsigned row)
{
    for (char letter = FONT_FIRST; letter <= FONT_LAST; letter++) {
        bool same = true;

        for (unsigned y = 0; y < FONT_HEIGHT; y++)
            for (unsigned x = 0; x < FONT_WIDTH; x++)
                same &= pixels[(row * FONT_HEIGHT + y) * PITCH + column * FONT_WIDTH + x] ==
                        (font_ink(letter, x, y) ? INK : 0);
        if (same)
            return letter;
    }
    return 0;
}

static void expect_row(unsigned row, const char *text)
{
    char seen[11] = {0};

    for (unsigned i = 0; i < 10; i++)
        seen[i] = read_cell(i, row);
    assert_string_equal(seen, text);
}

static void letters_are_drawn_and_different(void **state)
{
    for (char a = FONT_FIRST; a <= FONT_LAST; a++) {
        assert_int_equal(strlen(font_art[a - FONT_FIRST]), FONT_ART_SIZE - 1);
        for (char b = FONT_FIRST; b < a; b++)
            assert_string_not_equal(font_art[a - FONT_FIRST], font_art[b - FONT_FIRST]);
    }
    assert_true(font_ink('A', 3, 0));
    assert_true(font_ink('A', 3, 1));
    assert_false(font_ink('A', 0, 8));
    assert_true(font_ink('A', 1, 8));
    assert_true(font_ink('A', 5, 9));
    assert_false(font_ink('A', 6, 8));
    assert_false(font_ink('A', 7, 8));
}

static void the_screen_is_cleared_at_first(void **state)
{
    for (unsigned row = 0; row < 4; row++)
        expect_row(row, "          ");
    /* What is no whole cell is not ours. */
    assert_int_equal(pixels[10 * FONT_WIDTH], OLD);
    assert_int_equal(pixels[4 * FONT_HEIGHT * PITCH], OLD);
}

static void lines_and_wrapping(void **state)
{
    write("Hi\nyou\r-\n0123456789AB");
    expect_row(0, "Hi        ");
    expect_row(1, "-ou       ");
    expect_row(2, "0123456789");
    expect_row(3, "AB        ");
    write("\tx\x01\xff");
    expect_row(1, "AB      x?");
    expect_row(2, "?         ");
    expect_row(3, "          ");
}

static void a_full_line_does_not_leave_a_blank_one(void **state)
{
    write("0123456789\nab");
    expect_row(0, "0123456789");
    expect_row(1, "ab        ");
}

static void a_full_screen_scrolls(void **state)
{
    write("1\n2\n3\n4");
    expect_row(3, "4         ");
    write("\n5 five");
    expect_row(0, "3         ");
    expect_row(1, "4         ");
    expect_row(2, "5 five    ");
    expect_row(3, "          ");
    write("\n6\n7\n8\n9");
    expect_row(2, "9         ");
}

/* Equal cells are not drawn again: a mark put into one stays. */
static void draws_only_changes(void **state)
{
    write("same");
    pixels[0] = OLD;
    write(" more");
    assert_int_equal(pixels[0], OLD);
}

static void survives_a_move(void **state)
{
    uint32_t *old = pixels;

    write("abc");
    framebuffer_move(NULL);
    write("def");
    expect_row(0, "abc       ");
    pixels = malloc(PITCH * HEIGHT * 4);
    memcpy(pixels, old, PITCH * HEIGHT * 4);
    framebuffer_move(pixels);
    expect_row(0, "abcdef    ");
    free(old);
}

static void impossible_screens_are_refused(void **state)
{
    struct boot_framebuffer bad[9];

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        bad[i] = description();
    bad[0].base = 0;
    bad[1].width = FONT_WIDTH - 1;
    bad[2].height = FONT_HEIGHT - 1;
    bad[3].pitch = WIDTH * 4 - 4;
    bad[4].pitch += 1;
    bad[5].size = PITCH * HEIGHT * 4 - 1;
    bad[6].bits_red = bad[6].bits_green = bad[6].bits_blue = 0;
    bad[7].height = UINT32_MAX;
    bad[8].width = UINT32_MAX;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_false(framebuffer_init(&bad[i], pixels));
}

/* While a payload runs, a write draws little of a screen that changed, and a timer the rest. */
static void the_rest_comes_from_the_timer(void **state)
{
    const unsigned width = 800, height = 480, columns = width / FONT_WIDTH;
    struct boot_framebuffer info = description();
    uint32_t *large = calloc(width * height, 4);
    unsigned drawn = 0, left;

    info.width = width;
    info.height = height;
    info.pitch = width * 4;
    info.size = (uint64_t)width * height * 4;
    assert_true(framebuffer_init(&info, large));
    log_set_patient(false);
    for (unsigned i = 0; i < columns * 20; i++)
        write("#");
    for (size_t i = 0; i < width * height; i++)
        large[i] = OLD;
    write("\n\n\n\n\n\n\n\n\n\n\n\n");
    for (unsigned ticks = 0; ticks < 100; ticks++) {
        left = 0;
        for (unsigned cell = 0; cell < columns * 30; cell++)
            left +=
                large[cell / columns * FONT_HEIGHT * width + cell % columns * FONT_WIDTH] == OLD;
        assert_in_range(columns * 30 - left, drawn, drawn + 64);
        drawn = columns * 30 - left;
        host_time_to(host_now_ns + 5 * NS_PER_MS);
    }
    assert_in_range(drawn, columns * 10, columns * 20);
    log_set_patient(true); /* at once from here on */
    char many[100];
    memset(many, '?', sizeof(many));
    for (size_t i = 0; i < width * height; i++)
        large[i] = OLD;
    log_raw(many, sizeof(many));
    drawn = 0;
    for (unsigned cell = 0; cell < columns * 30; cell++)
        drawn += large[cell / columns * FONT_HEIGHT * width + cell % columns * FONT_WIDTH] != OLD;
    assert_int_equal(drawn, sizeof(many));
    framebuffer_move(NULL);
    free(large);
}

/* A screen larger than the tables: only the part that fits is used. */
static void a_screen_beyond_the_tables_is_used_in_part(void **state)
{
    const unsigned width = 4000, height = 2000;
    struct boot_framebuffer info = description();

    info.width = width;
    info.height = height;
    info.pitch = width * 4;
    info.size = (uint64_t)width * height * 4;
    uint32_t *large = calloc(width * height, 4);
    assert_true(framebuffer_init(&info, large));
    for (int i = 0; i < 300; i++)
        write("line of text that goes on and on\n");
    framebuffer_move(NULL);
    assert_int_equal(large[FRAMEBUFFER_COLUMNS_MAX * FONT_WIDTH], 0);
    free(large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(letters_are_drawn_and_different),
        cmocka_unit_test_setup_teardown(the_screen_is_cleared_at_first, start, end),
        cmocka_unit_test_setup_teardown(lines_and_wrapping, start, end),
        cmocka_unit_test_setup_teardown(a_full_line_does_not_leave_a_blank_one, start, end),
        cmocka_unit_test_setup_teardown(a_full_screen_scrolls, start, end),
        cmocka_unit_test_setup_teardown(draws_only_changes, start, end),
        cmocka_unit_test_setup_teardown(survives_a_move, start, end),
        cmocka_unit_test_setup_teardown(impossible_screens_are_refused, start, end),
        cmocka_unit_test(a_screen_beyond_the_tables_is_used_in_part),
        cmocka_unit_test(the_rest_comes_from_the_timer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
