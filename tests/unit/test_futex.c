/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Futexes. A thread that sleeps hands over to the next script step, which plays the other threads:
 * so a waiter inside a waiter is a second thread that came later.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "kernel/cpu/time.h"
#include "kernel/lib/error.h"
#include "kernel/linux/threads/futex.h"
#include "kernel/linux/threads/task.h"
#include "tests/unit/host_thread.h"
#include "tests/unit/host_user.h"

static uint32_t word, other;

static int setup(void **state)
{
    host_sleep = NULL;
    host_bad_user = (struct phys_run){0};
    host_sleeps = host_wakes = 0;
    word = other = 0;
    return 0;
}

static uaddr_t at(const uint32_t *w)
{
    return user_address(w);
}

static int wait_on(const uint32_t *w)
{
    return futex_wait(at(w), *w, FUTEX_ANY, TIME_NEVER);
}

static int nobody_wakes(const char *point, uint64_t deadline_ns)
{
    return -EINTR;
}

static int wakes_all(const char *point, uint64_t deadline_ns)
{
    assert_int_equal(futex_wake(at(&word), UINT32_MAX, FUTEX_ANY), 1);
    return 0;
}

static void waits_only_for_the_value(void **state)
{
    word = 5;
    assert_int_equal(futex_wait(at(&word), 4, FUTEX_ANY, TIME_NEVER), -EAGAIN);
    assert_int_equal(host_sleeps, 0);
    host_sleep = wakes_all;
    assert_int_equal(wait_on(&word), 0);
    assert_int_equal(host_sleeps, 1);
    host_sleep = nobody_wakes;
    assert_int_equal(wait_on(&word), -EINTR);
    host_sleep = NULL;
    assert_int_equal(futex_wait(at(&word), 5, FUTEX_ANY, host_now_ns + 10), -ETIMEDOUT);
    assert_int_equal(futex_wake(at(&word), 10, FUTEX_ANY), 0); /* nobody was left behind */
}

static void bad_words_and_masks_are_refused(void **state)
{
    assert_int_equal(futex_wait(at(&word) + 1, 0, FUTEX_ANY, 0), -EINVAL);
    assert_int_equal(futex_wait(at(&word), 0, 0, 0), -EINVAL);
    assert_int_equal(futex_wait(8, 0, FUTEX_ANY, 0), -EFAULT);
}

/* A wake that races with a signal must not be lost. */
static int wakes_and_interrupts(const char *point, uint64_t deadline_ns)
{
    futex_wake(at(&word), 1, FUTEX_ANY);
    return -EINTR;
}

static void woken_beats_interrupted(void **state)
{
    host_sleep = wakes_and_interrupts;
    assert_int_equal(wait_on(&word), 0);
}

/* Three waiters, one inside the other; the innermost sleep wakes them one by one. */
static unsigned depth, finished[3], finish_count;

static int three_waiters(const char *point, uint64_t deadline_ns)
{
    if (depth < 2) {
        unsigned me = ++depth;
        assert_int_equal(wait_on(&word), 0);
        finished[finish_count++] = me;
        return 0;
    }
    assert_int_equal(futex_wake(at(&word), 1, FUTEX_ANY), 1); /* the oldest: nobody innermost */
    return 0;
}

static void wakes_the_oldest_first(void **state)
{
    depth = finish_count = 0;
    host_sleep = three_waiters;
    assert_int_equal(wait_on(&word), 0);
    /* The innermost waiter slept until the third wake, when its own turn came. */
    assert_int_equal(host_sleeps, 5);
    assert_int_equal(finish_count, 2);
    assert_int_equal(futex_wake(at(&word), 10, FUTEX_ANY), 0);
}

static int other_bits(const char *point, uint64_t deadline_ns)
{
    assert_int_equal(futex_wake(at(&word), 10, 2), 0);
    assert_int_equal(futex_wake(at(&other), 10, FUTEX_ANY), 0);
    assert_int_equal(futex_wake(at(&word), 10, 4 | 1), 1);
    return 0;
}

static void bitsets_and_words_select(void **state)
{
    host_sleep = other_bits;
    assert_int_equal(futex_wait(at(&word), 0, 5, TIME_NEVER), 0);
}

static int moves(const char *point, uint64_t deadline_ns)
{
    assert_int_equal(futex_requeue(at(&word), at(&other), 0, 10), 1);
    assert_int_equal(futex_wake(at(&word), 10, FUTEX_ANY), 0);
    assert_int_equal(futex_wake(at(&other), 10, FUTEX_ANY), 1);
    return 0;
}

static int moves_onto_itself(const char *point, uint64_t deadline_ns)
{
    assert_int_equal(futex_requeue(at(&word), at(&word), 0, 10), 0);
    assert_int_equal(futex_requeue(at(&word), at(&other), 1, 10), 1);
    return 0;
}

static void a_waiter_moves_to_another_word(void **state)
{
    host_sleep = moves;
    assert_int_equal(wait_on(&word), 0);
    host_sleep = moves_onto_itself;
    assert_int_equal(wait_on(&word), 0);
}

/* FUTEX_OP(operation, argument, comparison, argument) of futex(2). */
static uint32_t encode(uint32_t operation, uint32_t argument, uint32_t comparison, uint32_t against)
{
    return operation << 28 | comparison << 24 | (argument & 0xfff) << 12 | (against & 0xfff);
}

static void a_wake_can_change_the_other_word(void **state)
{
    const struct {
        uint32_t before, encoded, after;
    } rows[] = {
        {7, encode(0, 3, 0, 7), 3},
        {7, encode(1, 3, 1, 7), 10},
        {8, encode(2, 3, 2, 7), 11},
        {15, encode(3, 5, 3, 7), 10},
        {15, encode(4, 5, 4, 7), 10},
        {7, encode(1, (uint32_t)-1, 5, 7), 6},
        {0, encode(8 | 2, 31, 0, 0), 1u << 31},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        other = rows[i].before;
        assert_int_equal(futex_wake_op(at(&word), at(&other), 1, 1, rows[i].encoded), 0);
        assert_int_equal(other, rows[i].after);
    }
    assert_int_equal(futex_wake_op(at(&word), at(&other), 1, 1, encode(5, 0, 0, 0)), -ENOSYS);
    assert_int_equal(futex_wake_op(at(&word), at(&other), 1, 1, encode(0, 0, 6, 0)), -ENOSYS);
    assert_int_equal(futex_wake_op(at(&word), at(&other) + 2, 1, 1, 0), -EINVAL);
    assert_int_equal(futex_wake_op(at(&word), 8, 1, 1, 0), -EFAULT);
}

static int wakes_second_if(const char *point, uint64_t deadline_ns)
{
    other = 1;
    /* The waiter waits on `other`: it is woken only if the comparison with the old value holds. */
    assert_int_equal(futex_wake_op(at(&word), at(&other), 1, 1, encode(0, 2, 0, 9)), 0);
    assert_int_equal(futex_wake_op(at(&word), at(&other), 1, 1, encode(0, 3, 0, 2)), 1);
    return 0;
}

static void wake_op_compares(void **state)
{
    host_sleep = wakes_second_if;
    assert_int_equal(wait_on(&other), 0);
}

/* ---- robust lists ---- */

struct lock {
    uaddr_t next;
    uint32_t word;
};

static void robust_locks_are_marked(void **state)
{
    struct {
        uaddr_t first;
        int64_t offset;
        uaddr_t busy;
    } head;
    struct lock mine = {.word = 42}, contended = {.word = 42 | 0x80000000u}, foreign = {.word = 7},
                busy = {.word = 42};
    struct task task = {.id = 42, .robust_list = user_address(&head)};
    head.first = user_address(&mine);
    head.offset = offsetof(struct lock, word);
    head.busy = user_address(&busy);
    mine.next = user_address(&contended);
    contended.next = user_address(&foreign);
    foreign.next = user_address(&head);
    futex_exit_robust(&task);
    assert_int_equal(mine.word, 0x40000000);
    assert_int_equal(contended.word, 0xc0000000);
    assert_int_equal(foreign.word, 7);
    assert_int_equal(busy.word, 0x40000000);
}

static void broken_robust_lists_end(void **state)
{
    struct {
        uaddr_t first;
        int64_t offset;
        uaddr_t busy;
    } head = {0};
    struct lock loop = {.word = 1};
    struct task task = {.id = 42};
    futex_exit_robust(&task); /* no list */
    task.robust_list = 8;
    futex_exit_robust(&task);
    task.robust_list = user_address(&head);
    head.first = user_address(&loop);
    loop.next = user_address(&loop);
    futex_exit_robust(&task);
    head.first = 8;
    futex_exit_robust(&task);
    assert_int_equal(loop.word, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(waits_only_for_the_value, setup),
        cmocka_unit_test_setup(bad_words_and_masks_are_refused, setup),
        cmocka_unit_test_setup(woken_beats_interrupted, setup),
        cmocka_unit_test_setup(wakes_the_oldest_first, setup),
        cmocka_unit_test_setup(bitsets_and_words_select, setup),
        cmocka_unit_test_setup(a_waiter_moves_to_another_word, setup),
        cmocka_unit_test_setup(a_wake_can_change_the_other_word, setup),
        cmocka_unit_test_setup(wake_op_compares, setup),
        cmocka_unit_test_setup(robust_locks_are_marked, setup),
        cmocka_unit_test_setup(broken_robust_lists_end, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
