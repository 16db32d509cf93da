/* SPDX-License-Identifier: BSD-2-Clause */
/* The local APIC, as registers in memory and in x2APIC mode: how other CPUs are stopped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "kernel/cpu/apic.h"
#include "kernel/cpu/cpu.h"
#include "kernel/cpu/internal.h"
#include "kernel/cpu/mmio.h"
#include "kernel/cpu/port.h"
#include "kernel/cpu/time.h"
#include "kernel/mm/paging/paging.h"
#include "tests/unit/host_msr.h"

#define BASE      UINT64_C(0xfee00000)
#define FIRST     UINT64_C(0x100)
#define X2APIC    UINT64_C(0x400)
#define ENABLED   UINT64_C(0x800)
#define VERSION   0x30
#define CORRECTED 0x2f0
#define COMMAND   0x300
#define PENDING   0x1000u
#define INIT_ALL  0xc4500u /* SDM volume 3, 9.4.4.1 */
#define INITIAL   0x380
#define CURRENT   0x390

struct cpu_features cpu_features = {.physical_bits = 39};

/* The machine: how long a command is on its way, and what was written. */
static struct {
    uint64_t base, now, busy_ns;
    uint64_t sent; /* when */
    uint64_t registers;
    uint32_t written[4096 / 16];
    unsigned writes, vectors; /* vectors: the number of the last local one */
    bool mapped;              /* by mmio_map() */
} machine;

uint64_t time_ns(void)
{
    return machine.now += 100;
}

/* So many of the CPU's counter from now, since the test runs on the host's. */
uint64_t time_to_tsc(uint64_t ns)
{
    return tsc_read() + ns;
}

void time_delay_ns(uint64_t ns)
{
    machine.now += ns;
}

static uint32_t read_register(unsigned at)
{
    if (at == COMMAND && machine.now - machine.sent < machine.busy_ns)
        return machine.written[at / 16] | PENDING;
    if (at == VERSION)
        return machine.vectors << 16;
    /* The timer counts down, once in 16 of the CPU's counter. */
    return at == CURRENT ? UINT32_MAX - (uint32_t)(tsc_read() / 16) : 0;
}

static void write_register(unsigned at, uint32_t value)
{
    machine.written[at / 16] = value;
    machine.writes++;
    if (at == COMMAND)
        machine.sent = machine.now;
}

uint32_t mmio_read32(const volatile void *at)
{
    return read_register((unsigned)((uintptr_t)at - machine.registers));
}

void mmio_write32(volatile void *at, uint32_t value)
{
    write_register((unsigned)((uintptr_t)at - machine.registers), value);
}

uint64_t host_msr_read(uint32_t msr)
{
    if (msr == MSR_APIC_BASE)
        return machine.base;
    assert_in_range(msr, MSR_X2APIC_BASE, MSR_X2APIC_BASE + 0xff);
    /* The delivery status is none of x2APIC mode's. */
    return read_register((msr - MSR_X2APIC_BASE) * 16) & ~PENDING;
}

void host_msr_write(uint32_t msr, uint64_t value)
{
    assert_in_range(msr, MSR_X2APIC_BASE, MSR_X2APIC_BASE + 0xff);
    assert_int_equal(value >> 32, 0);
    write_register((msr - MSR_X2APIC_BASE) * 16, (uint32_t)value);
}

void *mmio_map(paddr_t base, uint64_t length)
{
    static char window[4096];

    assert_int_equal(base, machine.base & ~UINT64_C(0xfff));
    machine.mapped = true;
    machine.registers = (uintptr_t)window;
    return window;
}

void port_write8(uint16_t port, uint8_t value)
{
}

void vector_own(unsigned vector, vector_handler handler)
{
}

static int fresh(void **state)
{
    memset(&machine, 0, sizeof(machine));
    machine.base = machine.registers = BASE;
    machine.base |= FIRST | ENABLED;
    return 0;
}

/* On the door's page tables: nothing is mapped for it, nor is anything else of the APIC touched. */
static void every_other_cpu_gets_init(void **state)
{
    host_msr_start();
    machine.busy_ns = 20 * NS_PER_US;
    assert_null(apic_stop_others());
    assert_int_equal(machine.written[COMMAND / 16], INIT_ALL);
    assert_int_equal(machine.writes, 1);
    assert_true(machine.now > machine.sent + machine.busy_ns);
    assert_false(machine.mapped);
    assert_false(apic_in_service(40)); /* the door's mapping is not used again */
    assert_null(apic_init());
    assert_true(machine.mapped);
    assert_false(apic_is_x2apic());
}

static void in_x2apic_mode_too(void **state)
{
    host_msr_start();
    machine.base |= X2APIC;
    machine.registers = 0; /* an access to memory would be far off */
    assert_null(apic_stop_others());
    assert_int_equal(machine.written[COMMAND / 16], INIT_ALL);
    assert_true(machine.now > machine.sent);
    assert_null(apic_init());
    assert_true(apic_is_x2apic());
    assert_false(machine.mapped);
}

static void an_apic_that_sends_nothing_is_waited_for_with_a_bound(void **state)
{
    host_msr_start();
    machine.busy_ns = NS_PER_S;
    assert_non_null(apic_stop_others());
    assert_true(machine.now < 2 * NS_PER_MS);
}

/* INIT to the CPU that the firmware started with would restart the machine. */
static void nothing_is_sent_where_it_cannot_be(void **state)
{
    static const uint64_t bases[] = {BASE | ENABLED, BASE | FIRST, BIT(32) | FIRST | ENABLED,
                                     BASE | X2APIC | ENABLED};

    host_msr_start();
    for (size_t i = 0; i < ARRAY_SIZE(bases); i++) {
        machine.base = bases[i];
        assert_non_null(apic_stop_others());
        assert_int_equal(machine.writes, 0);
    }
}

/* Nobody asked for messages of corrected errors, and the register is not in every APIC. */
static void corrected_machine_checks_do_not_interrupt(void **state)
{
    host_msr_start();
    for (machine.vectors = 5; machine.vectors <= 6; machine.vectors++) {
        machine.written[CORRECTED / 16] = 0x200;
        assert_null(apic_stop_others());
        assert_null(apic_init());
        assert_int_equal(machine.written[CORRECTED / 16], machine.vectors == 6 ? 0x10000 : 0x200);
        machine.registers = BASE;
    }
}

/* What is set is by the CPU's counter, at the rate that was measured, and as far as it reaches. */
static void the_timer_counts_what_is_left(void **state)
{
    host_msr_start();
    assert_null(apic_stop_others());
    assert_null(apic_init());
    apic_timer_set(UINT64_C(1) << 35);
    assert_in_range(machine.written[INITIAL / 16], 0x78000000, 0x88000000);
    apic_timer_set(UINT64_C(1) << 40);
    assert_true(machine.written[INITIAL / 16] == UINT32_MAX);
    apic_timer_set(0);
    assert_int_equal(machine.written[INITIAL / 16], 1);
    apic_timer_set(TIME_NEVER);
    assert_int_equal(machine.written[INITIAL / 16], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_other_cpu_gets_init, fresh),
        cmocka_unit_test_setup(in_x2apic_mode_too, fresh),
        cmocka_unit_test_setup(an_apic_that_sends_nothing_is_waited_for_with_a_bound, fresh),
        cmocka_unit_test_setup(nothing_is_sent_where_it_cannot_be, fresh),
        cmocka_unit_test_setup(corrected_machine_checks_do_not_interrupt, fresh),
        cmocka_unit_test_setup(the_timer_counts_what_is_left, fresh),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
