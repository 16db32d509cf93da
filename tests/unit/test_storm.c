/* SPDX-License-Identifier: BSD-2-Clause */
/* The share of the CPU that interrupts of devices get, with a local APIC that delivers them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "kernel/cpu/apic.h"
#include "kernel/cpu/internal.h"
#include "kernel/cpu/timer.h"

static uint64_t now;
static bool quiet;
static struct timer *set_timer;
static unsigned ends; /* of interrupts */

uint64_t time_ns(void)
{
    return now;
}

void timer_set(struct timer *timer, uint64_t deadline_ns)
{
    timer->deadline_ns = deadline_ns;
    set_timer = timer;
}

void apic_quiet(bool on)
{
    quiet = on;
}

bool apic_in_service(unsigned vector)
{
    return true;
}

void apic_end_of_interrupt(void)
{
    ends++;
}

/* ---- interrupts ---- */

static uint64_t handler_ns;
static unsigned handled;

static void handler(void *context)
{
    handled++;
    now += handler_ns;
}

/* A device that sends at once when it may, for so long; how long the CPU was its own. */
static uint64_t send(unsigned vector, uint64_t ns)
{
    uint64_t end = now + ns, own = 0;

    while (now < end) {
        if (quiet) {
            uint64_t until = set_timer->deadline_ns;

            assert_true(until > now - handler_ns - 1000);
            assert_true(until <= now + 1000000);
            own += until > now ? until - now : 0;
            now = until > now ? until : now;
            set_timer->expired(set_timer);
            assert_false(quiet);
        }
        vector_dispatch(vector);
        now += 200; /* in and out */
    }
    return own;
}

static int fresh(void **state)
{
    now += 10000000;
    quiet = false;
    handled = ends = 0;
    handler_ns = 500;
    return 0;
}

static void a_storm_leaves_half_of_the_time(void **state)
{
    int vector = vector_alloc(handler, NULL, NULL);
    uint64_t own;

    for (handler_ns = 100; handler_ns <= 100000; handler_ns *= 10) {
        own = send((unsigned)vector, 100000000);
        assert_in_range(own, 40000000, 90000000);
    }
    assert_int_equal(handled, ends);
    /* A handler that is longer than a window has no rest of it, and nothing breaks. */
    handler_ns = 3000000;
    send((unsigned)vector, 30000000);
    vector_free((unsigned)vector);
}

/* ---- who is held at the source ---- */

static bool held[2];

static void hold_first(void *context, bool on)
{
    held[0] = on;
}

static void hold_second(void *context, bool on)
{
    held[1] = on;
}

/* Both send all the time, and the CPU takes the higher one first: both come all the same. */
static void a_lower_vector_comes_beside_a_storm(void **state)
{
    unsigned low = (unsigned)vector_alloc(handler, hold_first, NULL);
    unsigned high = (unsigned)vector_alloc(handler, hold_second, NULL), served[2] = {0};
    uint64_t end = now + 20000000;

    assert_true(high > low);
    held[0] = held[1] = false;
    while (now < end) {
        bool second = !held[1];

        if (quiet || (held[0] && held[1])) {
            now = set_timer->deadline_ns;
            set_timer->expired(set_timer);
            assert_false(quiet || held[0] || held[1]);
            continue;
        }
        vector_dispatch(second ? high : low);
        served[second]++;
        now += 200;
    }
    assert_true(served[0] > 20 * 50);
    assert_true(served[1] > 20 * 200);
    vector_free(low);
    vector_free(high);
}

/* Vectors that nobody owns, as devices send without remapping, and many at a time. */
static void strays_and_many_vectors_count_together(void **state)
{
    int a = vector_alloc(handler, NULL, NULL), b = vector_alloc(handler, NULL, NULL);
    uint64_t before = vector_strays();

    assert_true(send(200, 10000000) >= 4000000);
    assert_true(vector_strays() > before);
    for (unsigned i = 0; i < 1000 && !quiet; i++) {
        vector_dispatch((unsigned)(i % 2 ? a : b));
        now += 100;
    }
    assert_true(quiet);
    vector_free((unsigned)a);
    vector_free((unsigned)b);
}

/* 250,000 in a second, of a microsecond each. */
static void what_is_no_storm_is_not_held_back(void **state)
{
    int vector = vector_alloc(handler, NULL, NULL);

    handler_ns = 900;
    for (unsigned i = 0; i < 100000; i++) {
        vector_dispatch((unsigned)vector);
        now += 4000 - handler_ns;
        assert_false(quiet);
    }
    vector_free((unsigned)vector);
}

static void the_timer_is_no_device(void **state)
{
    vector_own(VECTOR_TIMER, handler);
    handler_ns = 100000;
    for (unsigned i = 0; i < 100; i++)
        vector_dispatch(VECTOR_TIMER);
    assert_int_equal(handled, 100);
    assert_false(quiet);
    for (unsigned v = VECTOR_FIRST; v < VECTOR_TIMER; v++)
        assert_true(vector_alloc(handler, NULL, NULL) < VECTOR_TIMER);
    assert_true(vector_alloc(handler, NULL, NULL) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_storm_leaves_half_of_the_time, fresh),
        cmocka_unit_test_setup(a_lower_vector_comes_beside_a_storm, fresh),
        cmocka_unit_test_setup(strays_and_many_vectors_count_together, fresh),
        cmocka_unit_test_setup(what_is_no_storm_is_not_held_back, fresh),
        cmocka_unit_test_setup(the_timer_is_no_device, fresh),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
