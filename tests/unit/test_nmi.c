/* SPDX-License-Identifier: BSD-2-Clause */
/* Non-maskable interrupts: what the chipset's register says of them, and that it is let go on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "kernel/cpu/internal.h"
#include "kernel/cpu/port.h"
#include "kernel/lib/format.h"
#include "kernel/lib/log.h"

#define SERR  0x80
#define IOCHK 0x40

/* The chipset: a source that has raised an NMI raises none until its clear bit went up and down. */
static struct {
    uint8_t pending, settings;
    bool absent;
    unsigned writes;
} chipset;
static char line[512];
static bool admitted;
static unsigned asked;

uint8_t port_read8(uint16_t port)
{
    assert_int_equal(port, 0x61);
    return chipset.absent ? 0xff : chipset.pending | 0x30 | chipset.settings;
}

void port_write8(uint16_t port, uint8_t value)
{
    assert_int_equal(port, 0x61);
    assert_int_equal(value & 0xf0, 0);
    chipset.writes++;
    if (value & 4)
        chipset.pending &= (uint8_t)~SERR;
    if (value & 8)
        chipset.pending &= (uint8_t)~IOCHK;
    chipset.settings = value;
}

void log_print(enum log_level level, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    format_v(line, sizeof(line), fmt, args);
    va_end(args);
}

bool log_admit(struct log_limit *limit)
{
    return admitted;
}

static void bridges(void)
{
    asked++;
}

static int fresh(void **state)
{
    memset(&chipset, 0, sizeof(chipset));
    chipset.settings = 1; /* the speaker's timer */
    line[0] = 0;
    admitted = true;
    asked = 0;
    trap_set_nmi_teller(bridges);
    return 0;
}

static void the_source_is_told_and_let_go_on(void **state)
{
    static const struct {
        uint8_t pending;
        const char *words;
    } cases[] = {
        {0, "; the chipset names no source"},
        {SERR, "system error of PCI or its own (SERR)"},
        {IOCHK, "legacy device's error (IOCHK)"},
        {SERR | IOCHK, "system error (SERR) and a legacy device's error (IOCHK)"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        fresh(state);
        chipset.pending = cases[i].pending;
        nmi_arrived();
        nmi_arrived();
        trap_tell_nmis();
        assert_non_null(strstr(line, "2 non-maskable interrupts"));
        assert_non_null(strstr(line, cases[i].words));
        assert_int_equal(chipset.pending, 0);
        assert_int_equal(chipset.settings, 1); /* both are on again, the speaker as it was */
        assert_int_equal(chipset.writes, cases[i].pending ? 2 : 0);
        assert_int_equal(asked, 1);
    }
}

/* Nothing is asked without one, nor more often than the log admits. */
static void only_what_came_is_told(void **state)
{
    chipset.pending = SERR;
    trap_tell_nmis();
    assert_int_equal(asked, 0);
    nmi_arrived();
    admitted = false;
    trap_tell_nmis();
    assert_int_equal(asked + chipset.writes, 0);
    admitted = true;
    trap_tell_nmis();
    trap_tell_nmis();
    assert_int_equal(asked, 1);
}

static void a_machine_without_the_register_is_not_written_to(void **state)
{
    chipset.absent = true;
    nmi_arrived();
    trap_tell_nmis();
    assert_non_null(strstr(line, "names no source"));
    assert_int_equal(chipset.writes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_source_is_told_and_let_go_on, fresh),
        cmocka_unit_test_setup(only_what_came_is_told, fresh),
        cmocka_unit_test_setup(a_machine_without_the_register_is_not_written_to, fresh),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
