/* SPDX-License-Identifier: BSD-2-Clause */
/* The port's reset protocol against a simulated port that acknowledges late, or never. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "drivers/afu/dfl.h"
#include "drivers/afu/port_reset.h"
#include "kernel/cpu/mmio.h"
#include "kernel/cpu/thread.h"
#include "kernel/cpu/time.h"
#include "kernel/lib/error.h"

#define NEVER     UINT64_MAX
#define OTHER_BIT BIT(2) /* of the control register: whether latency is told */

static uint64_t header[DFL_PORT_CTRL / 8 + 1];
static uint64_t now;
static uint64_t delay;      /* from the request to its acknowledge */
static uint64_t changed_at; /* when the request bit last changed */

static uint64_t *control(void)
{
    return &header[DFL_PORT_CTRL / 8];
}

uint64_t time_ns(void)
{
    return now;
}

void thread_nap(const char *point, uint64_t ns)
{
    now += ns;
}

uint64_t mmio_read64(const volatile void *at)
{
    assert_ptr_equal(at, control());
    if (delay != NEVER && now - changed_at >= delay) {
        if (*control() & DFL_PORT_CTRL_SFTRST)
            *control() |= DFL_PORT_CTRL_SFTRST_ACK;
        else
            *control() &= ~DFL_PORT_CTRL_SFTRST_ACK;
    }
    return *control();
}

void mmio_write64(volatile void *at, uint64_t value)
{
    assert_ptr_equal(at, control());
    if ((value ^ *control()) & DFL_PORT_CTRL_SFTRST)
        changed_at = now;
    *control() = value;
}

static void begin(uint64_t control_value, uint64_t acknowledge_delay)
{
    *control() = control_value;
    delay = acknowledge_delay;
    changed_at = now;
}

static void waits_for_the_acknowledge_both_ways(void **state)
{
    (void)state;
    begin(OTHER_BIT, 300000);
    uint64_t start = now;

    assert_int_equal(port_reset(header, PORT_RESET_CARD_NS), 0);
    assert_true(now - start >= 600000);
    assert_int_equal(*control(), OTHER_BIT);
}

static void pitfall_37_hold_waits_for_the_ports_bit_not_for_our_own(void **state)
{
    (void)state;
    begin(0, NEVER);
    assert_int_equal(port_reset_hold(header, true, PORT_RESET_CARD_NS), -ETIMEDOUT);
    assert_true(port_reset_held(header));
}

static void pitfall_37_release_waits_until_the_acknowledge_is_gone(void **state)
{
    (void)state;
    begin(DFL_PORT_CTRL_SFTRST | DFL_PORT_CTRL_SFTRST_ACK, NEVER);
    assert_int_equal(port_reset_hold(header, false, PORT_RESET_CARD_NS), -ETIMEDOUT);
    assert_false(port_reset_held(header));
}

static void a_port_that_does_not_acknowledge_stays_held(void **state)
{
    (void)state;
    begin(0, NEVER);
    uint64_t start = now;

    assert_int_equal(port_reset(header, PORT_RESET_CARD_NS), -ETIMEDOUT);
    assert_true(port_reset_held(header));
    assert_true(now - start <= PORT_RESET_CARD_NS + 20000);
}

static void is_usable_again_after_the_port_recovers(void **state)
{
    (void)state;
    begin(0, NEVER);
    assert_int_equal(port_reset(header, PORT_RESET_CARD_NS), -ETIMEDOUT);
    delay = 0;
    assert_int_equal(port_reset(header, PORT_RESET_CARD_NS), 0);
    assert_int_equal(*control(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_for_the_acknowledge_both_ways),
        cmocka_unit_test(pitfall_37_hold_waits_for_the_ports_bit_not_for_our_own),
        cmocka_unit_test(pitfall_37_release_waits_until_the_acknowledge_is_gone),
        cmocka_unit_test(a_port_that_does_not_acknowledge_stays_held),
        cmocka_unit_test(is_usable_again_after_the_port_recovers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
