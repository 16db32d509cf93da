/* SPDX-License-Identifier: BSD-2-Clause */
/* Measuring a clock on a machine that stops between any two reads of a clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "kernel/cpu/calibrate.h"

#define NS_PER_S UINT64_C(1000000000)
#define TICKS_HZ UINT64_C(2400000000)
#define STOP_MAX (200 * UINT64_C(1000000))
#define NEVER    UINT64_MAX

/* The machine: what a look costs, when it stops, and for how long. */
static struct {
    uint64_t now; /* ns */
    uint64_t looks;
    uint64_t counter_hz, counter_cost;
    uint32_t mask;
    uint64_t stop_at, stop_ns;   /* at this look */
    uint64_t runs_ns, next_stop; /* between stops at random, on average; 0: none */
    uint64_t longest_ns;         /* of these */
    uint64_t seed;
    bool dead;
} machine;

static uint64_t random_below(uint64_t limit)
{
    machine.seed = machine.seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (machine.seed >> 33) % limit;
}

static void pass(uint64_t ns)
{
    machine.now += ns + random_below(ns / 8 + 2);
    if (machine.looks++ == machine.stop_at)
        machine.now += machine.stop_ns;
    if (machine.runs_ns && machine.now >= machine.next_stop) {
        machine.now += random_below(machine.longest_ns);
        machine.next_stop = machine.now + random_below(2 * machine.runs_ns);
    }
}

static uint64_t ticks(void)
{
    pass(20);
    return (uint64_t)((unsigned __int128)machine.now * TICKS_HZ / NS_PER_S);
}

static uint32_t counts(void)
{
    uint64_t value;

    pass(machine.counter_cost / 2);
    value = machine.dead
                ? 5
                : (uint64_t)((unsigned __int128)machine.now * machine.counter_hz / NS_PER_S);
    pass(machine.counter_cost / 2);
    return (uint32_t)value & machine.mask;
}

static const struct kind {
    const char *name;
    uint64_t hz, cost;
    uint32_t mask;
    struct calibrate_length length;
} kinds[] = {
    {"PIT", 1193182, 3000, 0xffff, {0, 240}},
    {"power management timer", 3579545, 1000, 0xffffff, {0, 90}},
    {"local APIC", 1000000000, 100, 0xffffffff, {TICKS_HZ / 20000, 1}},
    {"local APIC, slow bus", 24000000, 100, 0xffffffff, {TICKS_HZ / 20000, 1}},
};

static void start(const struct kind *kind)
{
    machine.now = random_below(NS_PER_S);
    machine.looks = 0;
    machine.counter_hz = kind->hz;
    machine.counter_cost = kind->cost;
    machine.mask = kind->mask;
    machine.stop_at = NEVER;
    machine.runs_ns = machine.next_stop = 0;
    machine.longest_ns = STOP_MAX;
    machine.dead = false;
}

/* Parts in 10,000 by which a measurement was wrong. */
static uint64_t measure(const struct kind *kind, struct calibrate_result *r)
{
    const struct calibrate_clocks clocks = {ticks, counts, kind->mask};
    uint64_t found, off;

    assert_true(calibrate(&clocks, kind->length, r));
    found = (uint64_t)((unsigned __int128)r->ticks * kind->hz / r->counts);
    off = found > TICKS_HZ ? found - TICKS_HZ : TICKS_HZ - found;
    assert_true((unsigned __int128)off * r->ticks / TICKS_HZ <= r->error + 1);
    return off * 10000 / TICKS_HZ;
}

static void a_quiet_machine_is_measured_in_less_than_a_millisecond(void **state)
{
    for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
        for (unsigned i = 0; i < 500; i++) {
            struct calibrate_result r;
            uint64_t from;

            start(&kinds[k]);
            from = machine.now;
            assert_true(measure(&kinds[k], &r) <= 50);
            assert_true(machine.now - from < 1000000);
        }
    }
}

/* One stop at each look in turn, so short that it hides, so long that the counter wraps. */
static void one_stop_anywhere_does_no_harm(void **state)
{
    static const uint64_t lengths[] = {5000, 50000, 300000, 3000000, 54924000, 60000000, 200000000};

    for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
        for (size_t l = 0; l < ARRAY_SIZE(lengths); l++) {
            struct calibrate_result r;

            for (uint64_t at = 0;; at++) {
                start(&kinds[k]);
                machine.stop_at = at;
                machine.stop_ns = lengths[l];
                assert_true(measure(&kinds[k], &r) <= 100);
                if (machine.looks <= at)
                    break;
            }
        }
    }
}

/* A machine that seldom runs for longer than one measurement takes. */
static void many_stops_do_no_harm(void **state)
{
    for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
        for (unsigned i = 0; i < 500; i++) {
            struct calibrate_result r;

            start(&kinds[k]);
            machine.runs_ns = 300000 * (1 + i % 5);
            assert_true(measure(&kinds[k], &r) <= 200);
        }
    }
}

/* A machine that never runs for as long as one sample takes is measured all the same. */
static void stops_without_end_are_survived(void **state)
{
    for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
        for (unsigned i = 0; i < 500; i++) {
            struct calibrate_result r;

            start(&kinds[k]);
            machine.runs_ns = 2 * kinds[k].cost + 1000;
            machine.longest_ns = 5000000;
            assert_true(measure(&kinds[k], &r) <= 500);
        }
    }
}

/* Looks that leave the machine, as under a hypervisor: few of them in a sample, but even. */
static void slow_looks_are_no_stops(void **state)
{
    struct calibrate_result r;

    for (unsigned i = 0; i < 500; i++) {
        start(&kinds[0]);
        machine.counter_cost = 40000;
        assert_true(measure(&kinds[0], &r) <= 1000);
    }
}

static void a_counter_that_stands_still_is_noticed(void **state)
{
    const struct calibrate_clocks clocks = {ticks, counts, 0xffff};
    struct calibrate_result r;

    start(&kinds[0]);
    machine.dead = true;
    assert_false(calibrate(&clocks, kinds[0].length, &r));
    assert_true(machine.looks < 1000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quiet_machine_is_measured_in_less_than_a_millisecond),
        cmocka_unit_test(one_stop_anywhere_does_no_harm),
        cmocka_unit_test(many_stops_do_no_harm),
        cmocka_unit_test(stops_without_end_are_survived),
        cmocka_unit_test(slow_looks_are_no_stops),
        cmocka_unit_test(a_counter_that_stands_still_is_noticed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
