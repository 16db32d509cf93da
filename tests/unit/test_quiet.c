/* SPDX-License-Identifier: BSD-2-Clause */
/* Timers, events and clock of the platform, as registers that firmware left running. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "kernel/cpu/mmio.h"
#include "kernel/cpu/port.h"
#include "kernel/lib/log.h"
#include "kernel/machine/quiet.h"
#include "kernel/mm/paging/paging.h"

#define HPET   UINT64_C(0xfed00400)
#define TIMERS 32u

static uint32_t hpet[0x500 / 4];
static unsigned mapped, writes;
static uint8_t ports[0x10000];
static uint8_t cmos[128];
static unsigned acknowledged;
static char log_text[1024];
static struct acpi_info acpi;

/* ---- the machine ---- */

void *mmio_map(paddr_t base, uint64_t length)
{
    assert_int_equal(base, HPET);
    assert_int_equal(length, sizeof(hpet));
    mapped++;
    return hpet;
}

void mmio_unmap(void *at, uint64_t length)
{
    assert_ptr_equal(at, hpet);
    assert_int_equal(length, sizeof(hpet));
    mapped--;
}

uint32_t mmio_read32(const volatile void *at)
{
    return *(const volatile uint32_t *)at;
}

void mmio_write32(volatile void *at, uint32_t value)
{
    writes++;
    *(volatile uint32_t *)at = value;
}

uint8_t port_read8(uint16_t port)
{
    if (port != 0x71)
        return ports[port];
    acknowledged += ports[0x70] == 0x0c;
    return cmos[ports[0x70] & 127];
}

uint16_t port_read16(uint16_t port)
{
    return (uint16_t)(ports[port] | ports[port + 1] << 8);
}

void port_write8(uint16_t port, uint8_t value)
{
    writes++;
    if (port == 0x71)
        cmos[ports[0x70] & 127] = value;
    else
        ports[port] = value;
}

void port_write16(uint16_t port, uint16_t value)
{
    port_write8(port, (uint8_t)value);
    port_write8(port + 1, (uint8_t)(value >> 8));
}

static void log_write(const char *text, size_t length)
{
    strncat(log_text, text, length);
}

static struct log_sink sink = {.write = log_write};

/* All of it runs, and every bit that is nobody's business is set. */
static int build(void **state)
{
    static const struct acpi_events events[] = {
        {{ACPI_SPACE_IO, 0x600}, 4, true},
        {{ACPI_SPACE_MEMORY, 0x610}, 4, true},
        {{ACPI_SPACE_IO, 0x620}, 16, false},
        {{ACPI_SPACE_NONE, 0}, 0, false},
    };

    memset(hpet, 0xff, sizeof(hpet));
    hpet[0] = 0x8086a001 | (TIMERS - 1) << 8;
    hpet[1] = 10000000;
    memset(ports, 0xff, sizeof(ports));
    memset(cmos, 0xff, sizeof(cmos));
    cmos[0x0b] = 0x7f;
    ports[0x604] = 1;
    acpi = (struct acpi_info){.hpet = HPET, .pm_control[0] = {ACPI_SPACE_IO, 0x604}};
    memcpy(acpi.events, events, sizeof(events));
    mapped = writes = acknowledged = 0;
    log_text[0] = 0;
    return 0;
}

static bool timers_run(void)
{
    for (unsigned timer = 0; timer < TIMERS; timer++)
        if (hpet[(0x100 + timer * 0x20) / 4] & 0x4004)
            return true;
    return hpet[4] & 3;
}

/* ---- tests ---- */

static void timers_stop_and_nothing_else_changes(void **state)
{
    uint32_t before[ARRAY_SIZE(hpet)];

    memcpy(before, hpet, sizeof(hpet));
    before[4] &= ~3u;
    for (unsigned timer = 0; timer < TIMERS; timer++)
        before[(0x100 + timer * 0x20) / 4] &= ~0x4004u;
    machine_quiet(&acpi, NULL, 0);
    assert_memory_equal(hpet, before, sizeof(hpet));
    assert_int_equal(mapped, 0);
    assert_non_null(strstr(log_text, "firmware left the HPET running"));
}

/* As many as there are: behind the last one may be anything. */
static void only_timers_that_exist_are_touched(void **state)
{
    hpet[0] = 0x8086a001 | 2 << 8;
    hpet[4] = 0;
    machine_quiet(&acpi, NULL, 0);
    assert_int_equal(hpet[0x140 / 4], ~0x4004u);
    assert_int_equal(hpet[0x160 / 4], ~0u);
    assert_null(strstr(log_text, "HPET"));
}

static void what_is_no_hpet_is_left_alone(void **state)
{
    static const uint32_t periods[] = {0, 100000001, UINT32_MAX};
    const struct phys_run ram[] = {{0, 0x1000}, {HPET + 0x4ff, 1}};

    for (size_t i = 0; i < ARRAY_SIZE(periods); i++) {
        build(state);
        hpet[1] = periods[i];
        machine_quiet(&acpi, NULL, 0);
        assert_true(timers_run());
        assert_int_equal(mapped, 0);
        assert_non_null(strstr(log_text, "no HPET at 0xfed00400, where the firmware says it is"));
    }
    build(state);
    machine_quiet(&acpi, ram, 2);
    assert_true(timers_run());
    build(state);
    machine_quiet(&acpi, ram, 1);
    assert_false(timers_run());
    build(state);
    acpi.hpet = 0;
    machine_quiet(&acpi, NULL, 0);
    assert_true(timers_run());
}

static void events_are_switched_off_in_acpi_mode(void **state)
{
    machine_quiet(&acpi, NULL, 0);
    assert_int_equal(port_read16(0x600), 0xffff); /* status: writing would clear it */
    assert_int_equal(port_read16(0x602), 0xfcde);
    assert_int_equal(port_read16(0x612), 0xffff); /* not a port */
    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(ports[0x620 + i], 0xff);
        assert_int_equal(ports[0x628 + i], 0);
    }
    assert_int_equal(ports[0x630], 0xff);
}

/* There they are SMI. */
static void events_of_the_firmware_stay(void **state)
{
    ports[0x604] = 0;
    machine_quiet(&acpi, NULL, 0);
    assert_int_equal(port_read16(0x602), 0xffff);
    assert_int_equal(ports[0x628], 0xff);
    build(state);
    acpi.pm_control[0].space = ACPI_SPACE_NONE;
    machine_quiet(&acpi, NULL, 0);
    assert_int_equal(port_read16(0x602), 0xffff);
}

static void the_clock_keeps_its_alarm_only(void **state)
{
    machine_quiet(&acpi, NULL, 0);
    assert_int_equal(cmos[0x0b], 0x2f);
    assert_int_equal(acknowledged, 1);
    build(state);
    cmos[0x0b] = 0xff; /* there is none */
    machine_quiet(&acpi, NULL, 0);
    assert_int_equal(cmos[0x0b], 0xff);
    assert_int_equal(acknowledged, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(timers_stop_and_nothing_else_changes, build),
        cmocka_unit_test_setup(only_timers_that_exist_are_touched, build),
        cmocka_unit_test_setup(what_is_no_hpet_is_left_alone, build),
        cmocka_unit_test_setup(events_are_switched_off_in_acpi_mode, build),
        cmocka_unit_test_setup(events_of_the_firmware_stay, build),
        cmocka_unit_test_setup(the_clock_keeps_its_alarm_only, build),
    };

    log_add_sink(&sink);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
