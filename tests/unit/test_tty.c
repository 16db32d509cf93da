/* SPDX-License-Identifier: BSD-2-Clause */
/* The line discipline: what is typed, what is shown of it, and what a read gets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "kernel/file/tty.h"
#include "kernel/cpu/time.h"

static struct tty tty;
static char shown[4096];
static size_t shown_length;
static int signals[8];
static unsigned signal_count;

static void show(const char *text, size_t length)
{
    assert_true(shown_length + length < sizeof(shown));
    memcpy(shown + shown_length, text, length);
    shown_length += length;
    shown[shown_length] = 0;
}

static void note_signal(int number)
{
    signals[signal_count++ % 8] = number;
}

static int start(void **state)
{
    memset(&tty, 0, sizeof(tty));
    tty.terminal = true;
    tty.echo = show;
    tty.signal = note_signal;
    tty_reset(&tty);
    shown_length = signal_count = 0;
    shown[0] = 0;
    return 0;
}

static bool type(const char *text)
{
    return tty_input(&tty, (const uint8_t *)text, strlen(text));
}

/* What a read of `length` gets; it has to be `wanted`. */
static void expect_read(size_t length, const char *wanted)
{
    uint8_t got[TTY_RING];
    size_t n = tty_peek(&tty, got, length);

    assert_int_equal(n, strlen(wanted));
    assert_memory_equal(got, wanted, n);
    tty_take(&tty, n);
}

static void set_local(uint32_t off, uint32_t on)
{
    struct tty_modes modes = tty.modes;

    modes.local = (modes.local & ~off) | on;
    tty_set_modes(&tty, &modes);
}

static void a_line_is_read_when_it_ends(void **state)
{
    type("abc");
    assert_int_equal(tty_waiting(&tty), 0);
    type("\rde\nf");
    assert_int_equal(tty_waiting(&tty), 7);
    expect_read(2, "ab");
    expect_read(100, "c\n");
    expect_read(100, "de\n");
    assert_int_equal(tty_waiting(&tty), 0);
    assert_string_equal(shown, "abc\nde\nf");
}

static void editing(void **state)
{
    static const struct {
        const char *typed, *read, *shown;
    } cases[] = {
        {"abx\177c\n", "abc\n", "abx\b \bc\n"},
        {"\177\177a\n", "a\n", "a\n"},
        {"abc\25d\n", "d\n", "abc\b \b\b \b\b \bd\n"},
        {"a\26\177\n", "a\n", "a^V\b \b\b \b\n"},
        {"ab\tc\n", "ab\tc\n", "ab^Ic\n"},
        {"\303\244\177b\n", "b\n", "\303\244\b \bb\n"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        start(NULL);
        type(cases[i].typed);
        expect_read(100, cases[i].read);
        assert_string_equal(shown, cases[i].shown);
    }
}

static void end_of_file_is_no_byte(void **state)
{
    type("\4ab\4cd\n\4");
    expect_read(100, "");
    assert_int_equal(tty_waiting(&tty) > 0, 1);
    expect_read(2, "ab");
    expect_read(100, "cd\n");
    assert_int_equal(tty_least(&tty, 100), 1);
    expect_read(100, "");
    assert_int_equal(tty_waiting(&tty), 0);
}

static void keys_that_are_signals(void **state)
{
    type("lost\3\34\32kept\n");
    assert_int_equal(signal_count, 3);
    assert_int_equal(signals[0], TTY_SIGINT);
    assert_int_equal(signals[1], TTY_SIGQUIT);
    assert_int_equal(signals[2], TTY_SIGTSTP);
    expect_read(100, "kept\n");
    assert_string_equal(shown, "lost^C^\\^Zkept\n");
    set_local(TTY_ISIG, 0);
    type("\3\n");
    expect_read(100, "\3\n");
    assert_int_equal(signal_count, 3);
}

/* No key, and no end of a line, but a byte that a line may hold. */
static void zero_is_a_byte(void **state)
{
    static const uint8_t typed[] = {'a', 0, 'b', '\n'};
    uint8_t got[8];

    assert_true(tty_input(&tty, typed, sizeof(typed)));
    assert_int_equal(tty_peek(&tty, got, sizeof(got)), sizeof(typed));
    assert_memory_equal(got, typed, sizeof(typed));
}

static void raw_bytes_pass(void **state)
{
    struct tty_modes raw = {.characters = {[TTY_VMIN] = 3, [TTY_VTIME] = 5}};

    type("abc");
    tty_set_modes(&tty, &raw);
    shown_length = 0;
    shown[0] = 0;
    assert_int_equal(tty_waiting(&tty), 3);
    type("\3\r\4");
    assert_int_equal(tty_least(&tty, 100), 3);
    assert_int_equal(tty_least(&tty, 2), 2);
    assert_int_equal(tty_patience_ns(&tty), 500 * NS_PER_MS);
    expect_read(4, "abc\3");
    expect_read(2, "\r\4");
    assert_int_equal(tty_patience_ns(&tty), 0); /* the first byte has time */
    raw.characters[TTY_VMIN] = 0;
    tty_set_modes(&tty, &raw);
    assert_int_equal(tty_least(&tty, 100), 1);
    assert_int_equal(tty_patience_ns(&tty), 500 * NS_PER_MS);
    raw.characters[TTY_VTIME] = 0;
    tty_set_modes(&tty, &raw);
    assert_int_equal(tty_least(&tty, 100), 0);
    type("\r\4");
    tty_reset(&tty);
    assert_int_equal(tty_patience_ns(&tty), 0);
    expect_read(100, "\r\4");
    assert_string_equal(shown, "");
    assert_int_equal(signal_count, 0);
}

static void without_echo_nothing_is_shown(void **state)
{
    set_local(TTY_ECHO, 0);
    type("secret\177\n\3");
    assert_string_equal(shown, "");
}

/* A full ring drops what is typed, and hears what is acted upon at once; a line can still end. */
static void a_full_terminal_listens(void **state)
{
    static char much[TTY_LINE_MAX];

    memset(much, 'x', sizeof(much) - 1);
    set_local(TTY_ECHO, 0);
    for (unsigned i = 0; i < TTY_RING / (TTY_LINE_MAX + 1); i++) {
        assert_int_equal(tty_waiting(&tty), i * (TTY_LINE_MAX + 1));
        assert_true(type(much) && type("yz\n"));
    }
    assert_true(type("more\n\4"));
    assert_int_equal(tty_waiting(&tty), TTY_RING);
    type("\3");
    assert_int_equal(signals[0], TTY_SIGINT);
    assert_int_equal(tty_waiting(&tty), 0);
}

/* The longest line is as long as on Linux, and goes from the screen without all of it being shown.
 */
static void a_long_line(void **state)
{
    static char much[TTY_LINE_MAX], line[TTY_LINE_MAX + 2];

    memset(much, 'x', sizeof(much) - 1);
    set_local(TTY_ECHO, 0);
    type(much);
    type("yz\n");
    snprintf(line, sizeof(line), "%sy\n", much);
    expect_read(sizeof(line), line);
    type(much);
    set_local(0, TTY_ECHO);
    type("\25a\n");
    assert_string_equal(shown + shown_length - 6, "\b \b\na\n");
    assert_int_equal(shown_length, 3 * 80 + 3);
    expect_read(100, "a\n");
}

static void counting_bytes(void **state)
{
    type("ab\4\4cd\ne");
    assert_int_equal(tty_waiting(&tty), 7);
    assert_int_equal(tty_bytes(&tty), 5);
}

/* What is no terminal changes nothing, wherever in the ring it is, and takes all or nothing. */
static void bytes_of_a_pipe(void **state)
{
    uint8_t bytes[700], got[333];

    tty.terminal = false;
    for (unsigned round = 0; round < 100; round++) {
        for (size_t i = 0; i < sizeof(bytes); i++)
            bytes[i] = (uint8_t)(i * 7 + round);
        assert_true(tty_input(&tty, bytes, sizeof(bytes)));
        for (size_t done = 0; done < sizeof(bytes);) {
            size_t n = tty_peek(&tty, got, sizeof(got));

            assert_memory_equal(got, bytes + done, n);
            tty_take(&tty, n);
            done += n;
        }
    }
    while (tty_input(&tty, bytes, sizeof(bytes)))
        ;
    tty_flush(&tty);
    assert_int_equal(tty_waiting(&tty), TTY_RING / sizeof(bytes) * sizeof(bytes));
    assert_int_equal(shown_length + signal_count, 0);
    tty.ended = true;
    assert_false(tty_input(&tty, bytes, 1));
}

static void a_new_size_is_told_once(void **state)
{
    const struct tty_size size = {.rows = 10, .columns = 20};

    tty_set_size(&tty, size);
    tty_set_size(&tty, size);
    assert_int_equal(signal_count, 1);
    assert_int_equal(signals[0], TTY_SIGWINCH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_line_is_read_when_it_ends, start),
        cmocka_unit_test_setup(editing, start),
        cmocka_unit_test_setup(end_of_file_is_no_byte, start),
        cmocka_unit_test_setup(keys_that_are_signals, start),
        cmocka_unit_test_setup(zero_is_a_byte, start),
        cmocka_unit_test_setup(raw_bytes_pass, start),
        cmocka_unit_test_setup(without_echo_nothing_is_shown, start),
        cmocka_unit_test_setup(a_full_terminal_listens, start),
        cmocka_unit_test_setup(a_long_line, start),
        cmocka_unit_test_setup(counting_bytes, start),
        cmocka_unit_test_setup(bytes_of_a_pipe, start),
        cmocka_unit_test_setup(a_new_size_is_told_once, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
