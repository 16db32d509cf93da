/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sleeping lock. While one thread sleeps, a step of the test plays the others; what they wait
 * for in turn is played by a step inside that step.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>
#include "kernel/cpu/mutex.h"
#include "kernel/cpu/time.h"
#include "kernel/lib/error.h"
#include "tests/unit/host_thread.h"

static struct mutex *lock;
static enum thread_hears heard;

static int setup(void **state)
{
    host_thread_be(0);
    host_sleep = NULL;
    host_sleeps = host_wakes = 0;
    lock = malloc(sizeof(*lock));
    assert_non_null(lock);
    mutex_init(lock);
    return 0;
}

static int teardown(void **state)
{
    free(lock);
    return 0;
}

static void free_lock_does_not_sleep(void **state)
{
    assert_false(mutex_held(lock));
    assert_int_equal(mutex_lock(lock, "test"), 0);
    assert_true(mutex_held(lock));
    host_thread_be(1);
    assert_false(mutex_held(lock));
    host_thread_be(0);
    mutex_unlock(lock);
    assert_false(mutex_held(lock));
    assert_int_equal(mutex_lock_deaf(lock, "test"), 0);
    mutex_unlock(lock);
    assert_int_equal(host_sleeps, 0);
    assert_int_equal(host_wakes, 0);
}

/* Thread 0 holds it; the current one sleeps. */
static int owner_unlocks(const char *point, uint64_t deadline_ns)
{
    assert_int_equal(deadline_ns, TIME_NEVER);
    host_thread_be(0);
    mutex_unlock(lock);
    /* Handed over, not up for grabs: the old owner has to queue like everybody. */
    assert_false(mutex_held(lock));
    assert_non_null(lock->owner);
    host_thread_be(1);
    return 0;
}

static void an_unlock_hands_over_to_who_waits(void **state)
{
    assert_int_equal(mutex_lock(lock, "test"), 0);
    host_thread_be(1);
    host_sleep = owner_unlocks;
    assert_int_equal(mutex_lock(lock, "test"), 0);
    assert_true(mutex_held(lock));
    assert_int_equal(host_sleeps, 1);
    mutex_unlock(lock);
    assert_null(lock->owner);
}

/* The first sleep ends for something else. */
static int wakes_for_nothing(const char *point, uint64_t deadline_ns)
{
    host_sleep = owner_unlocks;
    return 0;
}

static void sleeps_until_it_is_its_own(void **state)
{
    assert_int_equal(mutex_lock(lock, "test"), 0);
    host_thread_be(1);
    host_sleep = wakes_for_nothing;
    assert_int_equal(mutex_lock(lock, "test"), 0);
    assert_int_equal(host_sleeps, 2);
    /* One wake by the owner, one that passes on what may have been meant for the caller. */
    assert_int_equal(host_wakes, 2);
    mutex_unlock(lock);
}

static int nobody_unlocks(const char *point, uint64_t deadline_ns)
{
    return -EINTR;
}

static void wait_can_be_ended(void **state)
{
    assert_int_equal(mutex_lock(lock, "test"), 0);
    host_thread_be(1);
    host_sleep = nobody_unlocks;
    assert_int_equal(mutex_lock(lock, "test"), -EINTR);
    assert_false(mutex_held(lock));
    /* And it left nothing behind. */
    host_thread_be(0);
    mutex_unlock(lock);
    assert_null(lock->owner);
}

static int unlocks_and_ends(const char *point, uint64_t deadline_ns)
{
    owner_unlocks(point, deadline_ns);
    return -EINTR;
}

static void lock_beats_end(void **state)
{
    assert_int_equal(mutex_lock(lock, "test"), 0);
    host_thread_be(1);
    host_sleep = unlocks_and_ends;
    assert_int_equal(mutex_lock(lock, "test"), 0);
    assert_true(mutex_held(lock));
    mutex_unlock(lock);
}

static unsigned order[2], arrived;

/* Thread 1 sleeps; thread 2 comes, and sleeps inside this until 1 has had its turn. */
static int first_goes(const char *point, uint64_t deadline_ns)
{
    host_thread_be(0);
    mutex_unlock(lock);
    host_thread_be(1);
    assert_true(mutex_held(lock));
    order[arrived++] = 1;
    mutex_unlock(lock);
    host_thread_be(2);
    return 0;
}

static int second_queues(const char *point, uint64_t deadline_ns)
{
    host_sleep = first_goes;
    host_thread_be(2);
    assert_int_equal(mutex_lock(lock, "test"), 0);
    order[arrived++] = 2;
    mutex_unlock(lock);
    host_thread_be(1);
    return 0;
}

static void first_come_first_served(void **state)
{
    arrived = 0;
    assert_int_equal(mutex_lock(lock, "test"), 0);
    host_thread_be(1);
    host_sleep = second_queues;
    assert_int_equal(mutex_lock(lock, "test"), 0);
    assert_int_equal(arrived, 2);
    assert_int_equal(order[0], 1);
    assert_int_equal(order[1], 2);
    /* Its turn was taken by the step, so the lock is free again. */
    assert_null(lock->owner);
}

static int owner_retires(const char *point, uint64_t deadline_ns)
{
    host_thread_be(0);
    mutex_retire(lock);
    free(lock); /* whoever waited must not touch it */
    lock = NULL;
    host_thread_be(1);
    return 0;
}

static void retired_lock_is_not_touched(void **state)
{
    assert_int_equal(mutex_lock(lock, "test"), 0);
    host_thread_be(1);
    host_sleep = owner_retires;
    assert_int_equal(mutex_lock_deaf(lock, "test"), -ENOENT);
}

static int breaths;

static int ends(const char *point, enum thread_hears hears)
{
    breaths++;
    heard = hears;
    return -EINTR;
}

static void breathes_when_due(void **state)
{
    host_breath = ends;
    breath_left = 100;
    breaths = 0;
    assert_int_equal(breathe_after(99, "test"), 0);
    assert_int_equal(breaths, 0);
    assert_int_equal(breathe_after(1, "test"), -EINTR);
    assert_int_equal(breaths, 1);
    assert_int_equal(heard, HEARS_END);
    breath_left = 100;
    breathe_deaf_after(100, "test");
    assert_int_equal(breaths, 2);
    assert_int_equal(heard, HEARS_NOTHING);
    host_breath = NULL;
    breath_left = BREATH_WORK;
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(free_lock_does_not_sleep),
        CASE(an_unlock_hands_over_to_who_waits),
        CASE(sleeps_until_it_is_its_own),
        CASE(wait_can_be_ended),
        CASE(lock_beats_end),
        CASE(first_come_first_served),
        CASE(retired_lock_is_not_touched),
        CASE(breathes_when_due),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
