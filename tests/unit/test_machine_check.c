/* SPDX-License-Identifier: BSD-2-Clause */
/* The banks of machine checks: how they are set up, and what their codes mean in words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "kernel/cpu/cpu.h"
#include "kernel/cpu/machine_check.h"
#include "kernel/lib/format.h"
#include "kernel/lib/log.h"
#include "tests/unit/host_msr.h"

#define CAP    0x179
#define CTL    0x17b
#define BANK   0x400
#define STATUS 1
#define BANKS  4
#define VALID  BIT(63)
#define UC     BIT(61)
#define EN     BIT(60)
#define MISCV  BIT(59)
#define ADDRV  BIT(58)

struct cpu_features cpu_features;

static uint64_t cap, ctl, banks[256][4];
static bool ctl_written[256];
static char log[4096];

static const char *between(const char *text, const char *from, const char *to)
{
    static char found[256];
    const char *start = strstr(text, from);

    assert_non_null(start);
    start += strlen(from);
    assert_non_null(strstr(start, to));
    snprintf(found, sizeof(found), "%.*s", (int)(strstr(start, to) - start), start);
    return found;
}

void log_print(enum log_level level, const char *fmt, ...)
{
    size_t used = strlen(log);
    va_list args;

    va_start(args, fmt);
    format_v(log + used, sizeof(log) - used, fmt, args);
    va_end(args);
    strncat(log, "\n", sizeof(log) - strlen(log) - 1);
}

uint64_t host_msr_read(uint32_t msr)
{
    if (msr == CAP)
        return cap;
    if (msr == CTL - 1)
        return 5;
    assert_in_range(msr, BANK, BANK + 4 * (cap & 0xff) - 1);
    /* These two exist only where the status says so. */
    assert_true((msr & 3) != 2 || banks[(msr - BANK) / 4][STATUS] & ADDRV);
    assert_true((msr & 3) != 3 || banks[(msr - BANK) / 4][STATUS] & MISCV);
    return banks[(msr - BANK) / 4][msr & 3];
}

void host_msr_write(uint32_t msr, uint64_t value)
{
    if (msr == CTL) {
        assert_true(cap & BIT(8));
        ctl = value;
        return;
    }
    assert_in_range(msr, BANK, BANK + 4 * (cap & 0xff) - 1);
    assert_in_range(msr & 3, 0, 1);
    /* Anything but 0 in a status faults. */
    assert_true((msr & 3) != STATUS || value == 0);
    banks[(msr - BANK) / 4][msr & 3] = value;
    ctl_written[(msr - BANK) / 4] |= (msr & 3) == 0;
}

static int fresh(void **state)
{
    memset(banks, 0, sizeof(banks));
    memset(ctl_written, 0, sizeof(ctl_written));
    log[0] = 0;
    cap = BANKS;
    ctl = 0;
    cpu_features = (struct cpu_features){.mca = true, .signature = 0x506e3};
    return 0;
}

static void every_bank_reports_and_forgets_what_was_before(void **state)
{
    host_msr_start();
    cap |= BIT(8);
    banks[2][STATUS] = VALID | EN | ADDRV | 0x0e0b;
    banks[2][2] = 0xabcd000;
    banks[3][STATUS] = 0x0e0b; /* not valid */
    machine_check_start();
    assert_true(ctl == UINT64_MAX);
    for (unsigned i = 0; i < BANKS; i++) {
        assert_true(banks[i][0] == UINT64_MAX);
        assert_true(banks[i][STATUS] == 0);
    }
    assert_string_equal(log, "the firmware left a machine check in bank 2: corrected: I/O (status "
                             "9400000000000e0b, address abcd000, misc 0)\n");
    log[0] = 0;
    machine_check_tell();
    assert_string_equal(log, "machine check: 0 banks tell of one, status of the CPU 5\n");
}

/* Without the register for all banks; with more banks than there are registers for. */
static void only_registers_that_exist_are_touched(void **state)
{
    host_msr_start();
    cap = 255;
    machine_check_start();
    for (unsigned i = 0; i < 255; i++)
        assert_int_equal(ctl_written[i], i < 32);
    fresh(state);
    cpu_features.mca = false;
    cap = 0;
    machine_check_start();
    machine_check_tell();
    assert_string_equal(log, "");
}

static void bank_0_of_old_cpus_is_left_alone(void **state)
{
    static const struct {
        uint32_t signature;
        bool written;
    } cpus[] = {{0x6fb, false}, {0x10676, false}, {0x106a5, true}, {0x90672, true}, {0xf43, true}};

    host_msr_start();
    for (size_t i = 0; i < ARRAY_SIZE(cpus); i++) {
        fresh(state);
        cpu_features.signature = cpus[i].signature;
        banks[0][STATUS] = VALID;
        machine_check_start();
        assert_int_equal(ctl_written[0], cpus[i].written);
        assert_true(ctl_written[1] && banks[0][STATUS] == 0);
    }
}

/* SDM volume 3, 17.9: each code with its place among the families. */
static void codes_are_told_in_words(void **state)
{
    static const struct {
        uint64_t status;
        const char *words;
    } cases[] = {
        {EN, "corrected: no error"},
        {0, "corrected, not enabled: no error"},
        {UC | EN | BIT(57) | 1, "uncorrected, processor context corrupt: an error of no class"},
        {UC | EN | BIT(62) | 5, "uncorrected, overflow: others are lost: internal parity"},
        {UC | EN | 0x0400, "uncorrected: internal timer"},
        {UC | EN | 0x0405, "uncorrected: internal"},
        {UC | EN | 0x0e0b, "uncorrected: I/O"},
        {EN | 0x000f, "corrected: cache, any level"},
        {EN | 0x0015, "corrected: TLB, data, level 1"},
        {EN | 0x1015, "corrected: TLB, data, level 1"},
        {EN | 0x009f, "corrected: memory controller, read, channel unknown"},
        {EN | 0x00c2, "corrected: memory controller, scrubbing, channel 2"},
        {EN | 0x00f0, "corrected: memory controller, work 7, channel 0"},
        {EN | 0x0152, "corrected: cache, instruction fetch, instruction, level 2"},
        {EN | 0x02a1, "corrected: memory as cache, write, channel 1"},
        {UC | EN | 0x0f0f, "uncorrected: bus or interconnect, any role, time-out, any request, "
                           "elsewhere, any level"},
        {UC | EN | 0x0833, "uncorrected: bus or interconnect, this CPU asked, no time-out, data "
                           "read, memory, any level"},
        {UC | EN | 0x0007, "uncorrected: unknown"},
        {UC | EN | 0x2000, "uncorrected: unknown"},
        {UC | EN | 0x8800, "uncorrected: unknown"},
    };

    host_msr_start();
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        log[0] = 0;
        banks[1][STATUS] = cases[i].status | VALID | (UINT64_C(0x5a5a) << 16);
        machine_check_tell();
        assert_string_equal(between(log, "bank 1: ", " (status "), cases[i].words);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_bank_reports_and_forgets_what_was_before, fresh),
        cmocka_unit_test_setup(only_registers_that_exist_are_touched, fresh),
        cmocka_unit_test_setup(bank_0_of_old_cpus_is_left_alone, fresh),
        cmocka_unit_test_setup(codes_are_told_in_words, fresh),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
