/* SPDX-License-Identifier: BSD-2-Clause */
/* Pieces of the payload layer that need no payload: start stack, clocks, signals, random bits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "kernel/cpu/port.h"
#include "kernel/lib/error.h"
#include "kernel/mm/heap.h"
#include "kernel/linux/calls/clock.h"
#include "kernel/linux/calls/random.h"
#include "kernel/linux/signals/signal.h"
#include "kernel/linux/program/start_stack.h"
#include "kernel/linux/threads/task.h"
#include "tests/unit/host_heap.h"
#include "tests/unit/host_thread.h"
#include "tests/unit/host_user.h"

struct payload payload;

/* ---- CMOS ---- */

static uint8_t cmos[128];
static uint8_t cmos_index;
static unsigned cmos_reads_updating;

void port_write8(uint16_t port, uint8_t value)
{
    if (port == 0x70)
        cmos_index = value & 127;
}

uint8_t port_read8(uint16_t port)
{
    if (cmos_index == 0x0a && cmos_reads_updating) {
        cmos_reads_updating--;
        return 0x80;
    }
    return cmos[cmos_index];
}

static void set_cmos(unsigned year, unsigned month, unsigned day, unsigned hour, uint8_t status)
{
    memset(cmos, 0, sizeof(cmos));
    cmos[9] = (uint8_t)year;
    cmos[8] = (uint8_t)month;
    cmos[7] = (uint8_t)day;
    cmos[4] = (uint8_t)hour;
    cmos[0x0b] = status;
}

static void the_clock_is_read_in_all_its_formats(void **state)
{
    const uint64_t expected = clock_from_date(2031, 12, 25, 22, 0, 0) * NS_PER_S;
    static const struct {
        unsigned year, month, day, hour;
        uint8_t status;
    } rows[] = {
        {0x31, 0x12, 0x25, 0x22, 2},        /* decimal digits, 24 hours */
        {31, 12, 25, 22, 6},                /* binary, 24 hours */
        {0x31, 0x12, 0x25, 0x10 | 0x80, 0}, /* decimal digits, 10 p.m. */
        {31, 12, 25, 10 | 0x80, 4},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        set_cmos(rows[i].year, rows[i].month, rows[i].day, rows[i].hour, rows[i].status);
        cmos_reads_updating = 3;
        clock_init();
        assert_int_equal(clock_boot_ns() + host_now_ns, expected);
    }
    set_cmos(0x99, 0x01, 0x01, 0, 2); /* 1999 */
    clock_init();
    assert_int_equal((clock_boot_ns() + host_now_ns) / NS_PER_S, 915148800);
    uint64_t before = clock_boot_ns();
    memset(cmos, 0xff, sizeof(cmos)); /* no clock there */
    cmos_reads_updating = UINT32_MAX;
    clock_init();
    assert_int_equal(clock_boot_ns(), before);
    cmos_reads_updating = 0;
}

/* Counts the days one by one. */
static void dates_follow_the_calendar(void **state)
{
    uint64_t days = 0;
    for (unsigned year = 1970; year < 2110; year++) {
        bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        const unsigned lengths[] = {31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
        for (unsigned month = 1; month <= 12; month++) {
            for (unsigned day = 1; day <= lengths[month - 1]; day++, days++)
                assert_int_equal(clock_from_date(year, month, day, 13, 14, 15),
                                 days * 86400 + 13 * 3600 + 14 * 60 + 15);
        }
    }
}

static void times_and_deadlines(void **state)
{
    uint64_t ns;
    struct user_time time = {1, 500};
    assert_int_equal(user_time_to_ns(&time, &ns), 0);
    assert_int_equal(ns, NS_PER_S + 500);
    assert_int_equal(user_time_to_ns(&(struct user_time){-1, 0}, &ns), -EINVAL);
    assert_int_equal(user_time_to_ns(&(struct user_time){0, -1}, &ns), -EINVAL);
    assert_int_equal(user_time_to_ns(&(struct user_time){0, 1000000000}, &ns), -EINVAL);
    assert_int_equal(user_time_to_ns(&(struct user_time){INT64_MAX, 999999999}, &ns), 0);
    assert_int_equal(ns, TIME_NEVER);
    assert_int_equal(deadline_from_user(0, &ns), 0);
    assert_int_equal(ns, TIME_NEVER);
    assert_int_equal(deadline_from_user(8, &ns), -EFAULT);
    assert_int_equal(deadline_from_user(user_address(&time), &ns), 0);
    assert_int_equal(ns, host_now_ns + NS_PER_S + 500);
    time = (struct user_time){0, 0};
    assert_int_equal(deadline_from_user(user_address(&time), &ns), 0);
    assert_int_equal(ns, 0);
    assert_int_equal(deadline_from_ms(-1), TIME_NEVER);
    assert_int_equal(deadline_from_ms(0), 0);
    assert_int_equal(deadline_from_ms(INT32_MAX), host_now_ns + INT32_MAX * NS_PER_MS);
    assert_int_equal(deadline_after(UINT64_MAX - 1), TIME_NEVER);
    assert_int_equal(clock_to_ns(CLOCK_PROCESS_CPUTIME, 5, &ns), -EINVAL);
    assert_int_equal(clock_to_ns(CLOCK_REALTIME, clock_boot_ns() + 7, &ns), 0);
    assert_int_equal(ns, 7);
    assert_int_equal(clock_to_ns(CLOCK_REALTIME, 5, &ns), 0); /* long before boot */
    assert_int_equal(ns, 0);
    assert_int_equal(clock_read(12, &ns), -EINVAL);
    assert_int_equal(clock_read(CLOCK_MONOTONIC, &ns), 0);
    assert_int_equal(ns, host_now_ns);
}

/* ---- start stack ---- */

#define TOP UINT64_C(0x7ffffffff000)

static uint8_t image[4096];

static uint64_t word_at(uaddr_t at)
{
    uint64_t value;
    assert_true(at >= TOP - sizeof(image) && at + 8 <= TOP);
    memcpy(&value, image + sizeof(image) - (TOP - at), sizeof(value));
    return value;
}

static const char *text_at(uaddr_t at)
{
    assert_true(at >= TOP - sizeof(image) && at < TOP);
    return (const char *)image + sizeof(image) - (TOP - at);
}

static uint64_t auxiliary(uaddr_t at, uint64_t type)
{
    for (; word_at(at) != AUX_NULL; at += 16) {
        if (word_at(at) == type)
            return word_at(at + 8);
    }
    fail_msg("auxiliary entry %llu is missing", (unsigned long long)type);
    return 0;
}

static void check_stack(size_t arg_count)
{
    static const char *const args[] = {"-x", "", "a long argument with blanks"};
    static const char *const env[] = {"HOME=/", "A=b"};
    static const struct start_auxiliary numbers[] = {{AUX_PAGESZ, 4096}, {AUX_ENTRY, 0x401000}};
    struct start_arguments arguments = {
        .name = "/payload.elf",
        .args = args,
        .arg_count = arg_count,
        .env = env,
        .env_count = 2,
        .auxiliary = numbers,
        .auxiliary_count = 2,
        .random = "0123456789abcde",
    };
    struct start_layout layout;
    int64_t length = start_stack_build(&arguments, TOP, image, sizeof(image), &layout);
    assert_true(length > 0);
    uaddr_t sp = TOP - (uint64_t)length;
    assert_int_equal(sp % 16, 0);
    assert_int_equal(word_at(sp), arg_count + 1);
    sp += 8;
    assert_string_equal(text_at(word_at(sp)), "/payload.elf");
    size_t args_size = sizeof("/payload.elf");
    for (size_t i = 0; i < arg_count; i++) {
        assert_string_equal(text_at(word_at(sp += 8)), args[i]);
        args_size += strlen(args[i]) + 1;
    }
    assert_int_equal(word_at(sp += 8), 0);
    assert_string_equal(text_at(word_at(sp += 8)), "HOME=/");
    assert_string_equal(text_at(word_at(sp += 8)), "A=b");
    assert_int_equal(word_at(sp += 8), 0);
    sp += 8;
    /* Strings lie one behind another, as /proc/self/cmdline and environ show them. */
    assert_string_equal(text_at(layout.args.from), "/payload.elf");
    assert_int_equal(layout.args.end - layout.args.from, args_size);
    assert_memory_equal(text_at(layout.env.from), "HOME=/\0A=b", layout.env.end - layout.env.from);
    assert_int_equal(layout.env.end - layout.env.from, sizeof("HOME=/\0A=b"));
    assert_int_equal(layout.auxiliary.from, sp);
    assert_int_equal(word_at(layout.auxiliary.end - 16), AUX_NULL);
    assert_int_equal(auxiliary(sp, AUX_PAGESZ), 4096);
    assert_int_equal(auxiliary(sp, AUX_ENTRY), 0x401000);
    assert_string_equal(text_at(auxiliary(sp, AUX_EXECFN)), "/payload.elf");
    assert_string_equal(text_at(auxiliary(sp, AUX_PLATFORM)), "x86_64");
    assert_memory_equal(text_at(auxiliary(sp, AUX_RANDOM)), "0123456789abcde", 16);
    /* In any smaller buffer it does not fit, and nothing is written outside. */
    for (size_t size = 0; size < (size_t)length; size += 8) {
        uint8_t *small = malloc(size ? size : 1);
        assert_int_equal(start_stack_build(&arguments, TOP, small, size, &layout), -E2BIG);
        free(small);
    }
}

static void the_first_stack_has_what_a_program_expects(void **state)
{
    for (size_t args = 0; args <= 3; args++)
        check_stack(args);
}

/* ---- signals ---- */

static struct siginfo info_of(int number, uint64_t value)
{
    struct siginfo info = {.number = number, .code = CODE_QUEUE};
    info.sender.value = value;
    return info;
}

static void add_signal(struct pending *pending, int number, uint64_t value, int expected)
{
    struct siginfo info = info_of(number, value);
    assert_int_equal(pending_add(pending, &info), expected);
}

static void take_signal(struct pending *pending, uint64_t allowed, int number, uint64_t value)
{
    struct siginfo info;
    assert_int_equal(pending_take(pending, allowed, &info), number);
    if (number) {
        assert_int_equal(info.number, number);
        assert_int_equal(info.sender.value, value);
    }
}

static void faults_come_first_then_by_number(void **state)
{
    struct pending pending;
    const uint64_t all = ~UINT64_C(0);
    pending_init(&pending);
    take_signal(&pending, all, 0, 0);
    add_signal(&pending, SIG_TERM, 1, 0);
    add_signal(&pending, SIG_TERM, 2, 0); /* classic: kept once */
    add_signal(&pending, 40, 3, 0);
    add_signal(&pending, 40, 4, 0); /* real-time: queued */
    add_signal(&pending, 34, 5, 0);
    add_signal(&pending, SIG_SEGV, 6, 0);
    add_signal(&pending, SIG_HUP, 7, 0);
    take_signal(&pending, all, SIG_SEGV, 6); /* faults first */
    take_signal(&pending, ~SIGNAL_BIT(SIG_HUP), SIG_TERM, 1);
    take_signal(&pending, all, SIG_HUP, 7);
    take_signal(&pending, all, 34, 5);
    take_signal(&pending, all, 40, 3);
    take_signal(&pending, all, 40, 4);
    take_signal(&pending, all, 0, 0);
    assert_int_equal(pending.set, 0);
    assert_int_equal(heap_used(), 0);
}

static void a_full_queue_refuses_and_loses_no_classic_signal(void **state)
{
    struct pending pending;
    pending_init(&pending);
    for (unsigned i = 0; i < SIGNAL_QUEUE; i++)
        add_signal(&pending, 50, i, 0);
    add_signal(&pending, 51, 0, -EAGAIN);
    add_signal(&pending, SIG_ALRM, 99, 0); /* never lost, though its value is */
    take_signal(&pending, SIGNAL_BIT(SIG_ALRM), SIG_ALRM, 0);
    pending_drop(&pending, SIGNAL_BIT(50));
    assert_int_equal(pending.set, 0);
    host_fail_nth(1);
    add_signal(&pending, 51, 0, -EAGAIN);
    host_fail_nth(1);
    add_signal(&pending, SIG_TERM, 0, 0);
    pending_clear(&pending);
    assert_int_equal(heap_used(), 0);
}

static void signals_have_names_and_defaults(void **state)
{
    assert_string_equal(signal_name(SIG_SEGV), "SIGSEGV");
    assert_string_equal(signal_name(16), "SIG?");
    assert_string_equal(signal_name(0), "SIG?");
    assert_string_equal(signal_name(34), "SIGRT");
    assert_string_equal(signal_name(65), "SIG?");
    assert_true(signal_default_ends(SIG_TERM));
    assert_false(signal_default_ends(SIG_CHLD));
}

/* ---- random: the example of RFC 8439, section 2.3.2 ---- */

static void chacha_meets_the_published_example(void **state)
{
    uint32_t key[8];
    uint8_t bytes[32], out[CHACHA_BLOCK];
    const uint32_t nonce[3] = {0x09000000, 0x4a000000, 0};
    static const uint8_t expected[CHACHA_BLOCK] = {
        0x10, 0xf1, 0xe7, 0xe4, 0xd1, 0x3b, 0x59, 0x15, 0x50, 0x0f, 0xdd, 0x1f, 0xa3,
        0x20, 0x71, 0xc4, 0xc7, 0xd1, 0xf4, 0xc7, 0x33, 0xc0, 0x68, 0x03, 0x04, 0x22,
        0xaa, 0x9a, 0xc3, 0xd4, 0x6c, 0x4e, 0xd2, 0x82, 0x64, 0x46, 0x07, 0x9f, 0xaa,
        0x09, 0x14, 0xc2, 0xd7, 0x05, 0xd9, 0x8b, 0x02, 0xa2, 0xb5, 0x12, 0x9c, 0xd1,
        0xde, 0x16, 0x4e, 0xb9, 0xcb, 0xd0, 0x83, 0xe8, 0xa2, 0x50, 0x3c, 0x4e,
    };
    for (unsigned i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)i;
    memcpy(key, bytes, sizeof(key));
    chacha_block(key, 1, nonce, out);
    assert_memory_equal(out, expected, sizeof(expected));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_clock_is_read_in_all_its_formats),
        cmocka_unit_test(dates_follow_the_calendar),
        cmocka_unit_test(times_and_deadlines),
        cmocka_unit_test(the_first_stack_has_what_a_program_expects),
        cmocka_unit_test(faults_come_first_then_by_number),
        cmocka_unit_test(a_full_queue_refuses_and_loses_no_classic_signal),
        cmocka_unit_test(signals_have_names_and_defaults),
        cmocka_unit_test(chacha_meets_the_published_example),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
