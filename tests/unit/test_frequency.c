/* SPDX-License-Identifier: BSD-2-Clause */
/* The frequency of the time-stamp counter: as CPUID tells it, and refined by a second clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "kernel/cpu/frequency.h"
#include "kernel/cpu/timer.h"
#include "kernel/lib/log.h"

#define TICKS_HZ UINT64_C(2400000000)
#define LATE_MAX (5 * NS_PER_S)

/* The machine: both clocks run on its own time; where it stops, both go on. */
static struct {
    uint64_t now;                               /* ns, true ones */
    uint64_t counter_cost, stop_every, stop_ns; /* a stop at each so many looks */
    uint64_t looks, seed;
    uint64_t glitch; /* counts that the second clock is off by from now on */
    uint32_t mask;
    uint64_t counter_hz;
    bool absent;
} machine;
static struct timeline line;
static struct frequency known;
static struct timer *pending;
static uint64_t last_ns;

static uint64_t random_below(uint64_t limit)
{
    machine.seed = machine.seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (machine.seed >> 33) % limit;
}

static uint64_t at_rate(uint64_t hz)
{
    return (uint64_t)((unsigned __int128)machine.now * hz / NS_PER_S);
}

static void pass(uint64_t ns)
{
    machine.now += ns + random_below(ns / 8 + 2);
    if (machine.stop_every && ++machine.looks % machine.stop_every == 0)
        machine.now += random_below(machine.stop_ns);
}

static uint64_t ticks(void)
{
    pass(20);
    return at_rate(TICKS_HZ);
}

static uint32_t counts(void)
{
    uint64_t value;

    pass(machine.counter_cost / 2);
    value = at_rate(machine.counter_hz) + machine.glitch;
    pass(machine.counter_cost / 2);
    return (uint32_t)value & machine.mask;
}

const struct calibrate_clocks *time_second_clock(void)
{
    static struct calibrate_clocks clocks = {ticks, counts, 0};

    clocks.mask = machine.mask;
    return machine.absent ? NULL : &clocks;
}

const struct frequency *time_known(void)
{
    return &known;
}

uint64_t time_ns(void)
{
    uint64_t ns = timeline_ns(&line, at_rate(TICKS_HZ));

    assert_true(ns >= last_ns);
    return last_ns = ns;
}

void time_set_frequency(struct frequency better)
{
    uint64_t before = time_ns();

    known = better;
    timeline_bend(&line, at_rate(TICKS_HZ), better.hz);
    assert_true(time_ns() == before); /* no step, neither way */
}

void timer_init(struct timer *timer, void (*expired)(struct timer *timer))
{
    timer->expired = expired;
}

void timer_set(struct timer *timer, uint64_t deadline_ns)
{
    timer->deadline_ns = deadline_ns;
    pending = timer;
}

void log_print(enum log_level level, const char *fmt, ...)
{
}

/* The first value is wrong by so many parts in a million. */
static void start(int64_t ppm)
{
    memset(&machine, 0, sizeof(machine));
    machine.seed = 1;
    machine.now = NS_PER_S + (uint64_t)(ppm + 20000) * 1000003;
    machine.counter_cost = 1000;
    machine.mask = 0xffffff;
    machine.counter_hz = SECOND_CLOCK_HZ;
    line = (struct timeline){0};
    last_ns = 0;
    pending = NULL;
    known = (struct frequency){(uint64_t)((int64_t)TICKS_HZ + (int64_t)TICKS_HZ / 1000000 * ppm),
                               "pit", false};
    timeline_bend(&line, at_rate(TICKS_HZ), known.hz);
}

/* Lets timers come, late by less than `late_ns`, as long as there are any: how many. */
static unsigned run(uint64_t late_ns)
{
    unsigned came = 0;

    frequency_refine();
    while (pending) {
        struct timer *timer = pending;
        uint64_t at = timeline_tsc(&line, timer->deadline_ns);

        pending = NULL;
        machine.now = MAX(machine.now, (uint64_t)((unsigned __int128)at * NS_PER_S / TICKS_HZ));
        machine.now += 1000 + random_below(late_ns + 1);
        timer->expired(timer);
        assert_true(++came <= 16);
    }
    return came;
}

/* In parts in a million. */
static uint64_t wrong_by(void)
{
    uint64_t off = MAX(known.hz, TICKS_HZ) - MIN(known.hz, TICKS_HZ);

    return off / (TICKS_HZ / 1000000);
}

static void a_first_value_becomes_right(void **state)
{
    for (int64_t ppm = -9000; ppm <= 9000; ppm += 450) {
        for (unsigned wide = 0; wide < 2; wide++) {
            start(ppm);
            machine.mask = wide ? UINT32_MAX : 0xffffff;
            assert_int_equal(run(1000000), 2);
            assert_true(wrong_by() <= 10);
            assert_true(known.exact);
            assert_string_equal(known.source, "refined");
        }
    }
}

/* Stops within readings, and timers that come so late that the second clock has wrapped. */
static void a_machine_that_stops_is_measured_right_or_not_at_all(void **state)
{
    unsigned refined = 0;

    for (unsigned i = 0; i < 500; i++) {
        start((int64_t)(i % 19) * 900 - 8100);
        machine.seed = i + 1;
        machine.stop_every = 3 + i % 40;
        machine.stop_ns = 300000000;
        run(i % 2 ? LATE_MAX : 10000000);
        if (known.exact)
            assert_true(wrong_by() <= 100);
        refined += known.exact;
    }
    assert_true(refined > 300);
}

/* Reads that leave the machine, as under a hypervisor. */
static void slow_reads_are_good_enough_or_refused(void **state)
{
    start(3000);
    machine.counter_cost = 20000;
    run(0);
    assert_true(known.exact && wrong_by() <= 100);
    start(3000);
    machine.counter_cost = 500000;
    assert_int_equal(run(0), 16);
    assert_false(known.exact);
    assert_int_equal(wrong_by(), 3000);
}

static struct timer *one_look(void)
{
    struct timer *timer = pending;

    pending = NULL;
    machine.now += NS_PER_S / 2;
    timer->expired(timer);
    return timer;
}

/* A clock that jumps once spoils the stretch it is in, and the two are not joined over it. */
static void a_jump_of_the_second_clock_is_not_believed(void **state)
{
    start(1000);
    frequency_refine();
    one_look();
    machine.glitch = 3000; /* within one part in a hundred of a stretch */
    one_look();
    assert_false(known.exact);
    one_look();
    assert_false(known.exact);
    one_look();
    assert_true(known.exact && wrong_by() <= 10);
}

static void what_is_known_or_cannot_be_is_left(void **state)
{
    start(0);
    known.exact = true;
    assert_int_equal(run(0), 0);
    start(0);
    machine.absent = true;
    assert_int_equal(run(0), 0);
    start(0);
    machine.counter_hz = SECOND_CLOCK_HZ / 2; /* another clock */
    assert_int_equal(run(0), 16);
    assert_false(known.exact);
    start(0);
    machine.counter_hz = 0; /* it stands still */
    assert_int_equal(run(0), 16);
    assert_false(known.exact);
}

static void a_bent_line_goes_on_and_is_inverted(void **state)
{
    struct timeline bent = {0};
    uint64_t tsc = 0, seen = 0;

    timeline_bend(&bent, 0, 1000000000);
    for (unsigned i = 0; i < 10000; i++) {
        uint64_t ns;

        machine.seed += i;
        tsc += random_below(10000000);
        ns = timeline_ns(&bent, tsc);
        assert_true(ns >= seen);
        timeline_bend(&bent, tsc, 990000000 + random_below(20000000));
        assert_true(timeline_ns(&bent, tsc) == ns);
        assert_in_range(timeline_tsc(&bent, ns + 1000000) - tsc, 980000, 1020000);
        assert_in_range(timeline_ns(&bent, timeline_tsc(&bent, ns + 1000000)) - ns, 999998,
                        1000000);
        assert_true(timeline_tsc(&bent, 0) == tsc);
        seen = ns;
    }
}

/* Leaf 15h: EBX / EAX of the crystal, ECX its frequency or 0; leaf 16h: EAX megahertz. */
static void cpuid_tells_of_crystals(void **state)
{
    static const struct {
        uint32_t signature, eax, ebx, ecx, mhz;
        uint64_t hz;
        bool exact;
    } cpus[] = {
        {0x506e3, 2, 284, 0, 3400, 3408000000, true},        /* Skylake: not 3.4 GHz */
        {0x406e3, 2, 200, 0, 2400, 2400000000, true},        /* Skylake, mobile */
        {0x806ea, 2, 166, 0, 2000, 1992000000, true},        /* Kaby Lake R */
        {0x906ed, 2, 300, 0, 3600, 3600000000, true},        /* Coffee Lake */
        {0x506c9, 3, 171, 0, 1100, 1094400000, true},        /* Goldmont */
        {0x506f1, 2, 176, 0, 0, 2200000000, true},           /* Denverton: no leaf 16h */
        {0x90672, 2, 158, 38400000, 3000, 3033600000, true}, /* Alder Lake tells */
        {0x506e3, 2, 284, 25000000, 3400, 3550000000, true}, /* what is told counts */
        {0x50654, 2, 168, 0, 2100, 2100000000, false},       /* Skylake server: one or the other */
        {0x50654, 0, 0, 0, 2100, 0, false},                  /* no ratio, no word */
        {0x306c3, 0, 0, 0, 0, 0, false},                     /* Haswell */
    };

    for (size_t i = 0; i < ARRAY_SIZE(cpus); i++) {
        const struct cpuid ratio = {cpus[i].eax, cpus[i].ebx, cpus[i].ecx, 0};
        const struct cpuid base = {.eax = cpus[i].mhz};
        struct frequency told = frequency_by_cpuid(cpus[i].signature, ratio, base);

        assert_true(told.hz == cpus[i].hz);
        assert_int_equal(told.exact, cpus[i].exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_first_value_becomes_right),
        cmocka_unit_test(a_machine_that_stops_is_measured_right_or_not_at_all),
        cmocka_unit_test(slow_reads_are_good_enough_or_refused),
        cmocka_unit_test(a_jump_of_the_second_clock_is_not_believed),
        cmocka_unit_test(what_is_known_or_cannot_be_is_left),
        cmocka_unit_test(a_bent_line_goes_on_and_is_inverted),
        cmocka_unit_test(cpuid_tells_of_crystals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
