/* SPDX-License-Identifier: BSD-2-Clause */
/* epoll: level and edge, one shot, files that go, nesting, every error. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "kernel/file/epoll.h"
#include "kernel/file/eventfd.h"
#include "kernel/mm/heap.h"
#include "tests/unit/eventfd_take.h"
#include "tests/unit/host_heap.h"
#include "tests/unit/host_thread.h"

static struct file *epoll, *a, *b;
static struct epoll_event got[8];

static const struct file_ops ready_ops = {0};

static int setup(void **state)
{
    epoll = epoll_create();
    a = eventfd_create(0, 0);
    b = eventfd_create(0, 0);
    return !epoll || !a || !b;
}

static int teardown(void **state)
{
    host_fail_nth(0);
    file_put(epoll);
    file_put(a);
    file_put(b);
    assert_int_equal(heap_used(), 0);
    return 0;
}

static int add(struct file *to, int fd, struct file *file, uint32_t events)
{
    const struct epoll_event event = {.events = events, .data = (uint64_t)fd + 1000};
    return epoll_add(to, fd, file, &event);
}

static int change(int fd, struct file *file, uint32_t events)
{
    const struct epoll_event event = {.events = events, .data = (uint64_t)fd + 2000};
    return epoll_change(epoll, fd, file, &event);
}

static void a_level_is_told_as_long_as_it_lasts(void **state)
{
    assert_int_equal(add(epoll, 3, a, POLL_IN), 0);
    assert_int_equal(file_poll(epoll), 0);
    assert_int_equal(epoll_take(epoll, got, 8), 0);
    eventfd_signal(a, 1);
    assert_int_equal(file_poll(epoll), POLL_IN);
    for (int i = 0; i < 3; i++) { /* as long as it lasts */
        assert_int_equal(epoll_take(epoll, got, 8), 1);
        assert_int_equal(got[0].events, POLL_IN);
        assert_int_equal(got[0].data, 1003);
    }
    eventfd_take(a);
    assert_int_equal(file_poll(epoll), 0);
    assert_int_equal(epoll_take(epoll, got, 8), 0);
    assert_int_equal(add(epoll, 4, b, POLL_OUT), 0); /* ready when it is added */
    assert_int_equal(epoll_take(epoll, got, 8), 1);
}

static void edge_and_one_shot(void **state)
{
    assert_int_equal(add(epoll, 3, a, POLL_IN | EPOLL_EDGE), 0);
    eventfd_signal(a, 1);
    assert_int_equal(epoll_take(epoll, got, 8), 1);
    assert_int_equal(epoll_take(epoll, got, 8), 0);
    eventfd_signal(a, 1); /* again ready, though never read */
    assert_int_equal(epoll_take(epoll, got, 8), 1);
    assert_int_equal(add(epoll, 4, b, POLL_IN | EPOLL_ONESHOT), 0);
    eventfd_signal(b, 1);
    assert_int_equal(epoll_take(epoll, got, 8), 1);
    eventfd_signal(b, 1);
    assert_int_equal(epoll_take(epoll, got, 8), 0);
    assert_int_equal(change(4, b, POLL_IN | EPOLL_ONESHOT), 0); /* armed again */
    assert_int_equal(epoll_take(epoll, got, 8), 1);
    assert_int_equal(got[0].data, 2004);
}

static void fair_when_room_is_small(void **state)
{
    unsigned seen[2] = {0};
    assert_int_equal(add(epoll, 0, a, POLL_IN), 0);
    assert_int_equal(add(epoll, 1, b, POLL_IN), 0);
    eventfd_signal(a, 1);
    eventfd_signal(b, 1);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(epoll_take(epoll, got, 1), 1);
        seen[got[0].data - 1000]++;
    }
    assert_int_equal(seen[0], 5);
    assert_int_equal(seen[1], 5);
    assert_int_equal(epoll_take(epoll, got, 8), 2);
}

static void files_and_epolls_may_go_in_any_order(void **state)
{
    struct file *gone = eventfd_create(1, 0);
    assert_int_equal(add(epoll, 5, gone, POLL_IN), 0);
    assert_int_equal(add(epoll, 6, gone, POLL_IN), 0); /* the same file, another descriptor */
    assert_int_equal(epoll_take(epoll, got, 8), 2);
    file_put(gone);
    assert_int_equal(epoll_take(epoll, got, 8), 0);

    struct file *second = epoll_create();
    assert_int_equal(add(second, 3, a, POLL_IN), 0);
    assert_int_equal(add(epoll, 3, a, POLL_IN), 0);
    file_put(second);
    eventfd_signal(a, 1);
    assert_int_equal(epoll_take(epoll, got, 8), 1);
}

static void epolls_nest_but_not_in_a_circle(void **state)
{
    struct file *inner = epoll_create();
    struct file *third = epoll_create();
    assert_int_equal(add(inner, 3, a, POLL_IN), 0);
    assert_int_equal(add(epoll, 4, inner, POLL_IN), 0);
    eventfd_signal(a, 1);
    assert_int_equal(epoll_take(epoll, got, 8), 1);
    assert_int_equal(got[0].data, 1004);
    eventfd_take(a);
    assert_int_equal(epoll_take(epoll, got, 8), 0);
    assert_int_equal(add(inner, 5, epoll, POLL_IN), -ELOOP);
    assert_int_equal(add(third, 5, epoll, POLL_IN), -ELOOP);
    assert_int_equal(add(inner, 5, third, POLL_IN), -ELOOP);
    file_put(inner);
    file_put(third);
}

/* Who waits is woken once, and again only after somebody has looked: in every one of the ways. */
static void woken_once_until_somebody_looks(void **state)
{
    struct file *inner = epoll_create();
    struct waiter waiter;
    waiter_init_thread(&waiter);
    wait_add(&epoll->changed, &waiter);
    assert_int_equal(add(inner, 3, a, POLL_IN), 0);
    assert_int_equal(add(inner, 4, b, POLL_IN), 0);
    assert_int_equal(add(epoll, 5, inner, POLL_IN | EPOLL_EDGE), 0);
    host_wakes = 0;
    for (unsigned i = 0; i < 5; i++)
        eventfd_signal(i % 2 ? a : b, 1);
    assert_int_equal(host_wakes, 1);
    assert_int_equal(epoll_take(epoll, got, 8), 1);
    assert_int_equal(epoll_take(epoll, got, 8), 0);
    eventfd_signal(a, 1); /* an edge, though the one inside was ready all the time */
    assert_int_equal(host_wakes, 2);
    assert_int_equal(epoll_take(epoll, got, 8), 1);
    assert_int_equal(epoll_take(inner, got, 1), 1);
    eventfd_signal(b, 1);
    assert_int_equal(host_wakes, 3);
    assert_int_equal(epoll_take(epoll, got, 8), 1);
    assert_int_equal(file_poll(epoll), 0);
    eventfd_signal(b, 1);
    assert_int_equal(host_wakes, 4);
    wait_remove(&waiter);
    file_put(inner);
}

/* Of all epoll files together; what goes makes room. */
static void entries_are_bounded(void **state)
{
    struct file *second = epoll_create();
    int n = 0;
    for (; n < EPOLL_ITEMS_MAX; n++)
        assert_int_equal(add(n % 2 ? epoll : second, n, a, POLL_IN), 0);
    assert_int_equal(add(epoll, n, a, POLL_IN), -ENOSPC);
    assert_int_equal(epoll_remove(epoll, 1, a), 0);
    assert_int_equal(add(second, n, a, POLL_IN), 0);
    assert_int_equal(add(second, n, b, POLL_IN), -ENOSPC);
    file_put(second);
    assert_int_equal(add(epoll, n, b, POLL_IN), 0);
}

static void errors_are_those_of_linux(void **state)
{
    struct file *ready = file_create(&ready_ops, NULL, FILE_RDWR, "ready");
    struct file *inner = epoll_create();
    assert_int_equal(add(epoll, 3, epoll, POLL_IN), -EINVAL);
    assert_int_equal(add(epoll, 3, ready, POLL_IN), -EPERM);
    assert_int_equal(add(epoll, 3, inner, POLL_IN | EPOLL_EXCLUSIVE), -EINVAL);
    assert_int_equal(add(epoll, 3, a, POLL_IN), 0);
    assert_int_equal(add(epoll, 3, a, POLL_IN), -EEXIST);
    assert_int_equal(change(4, a, POLL_IN), -ENOENT);
    assert_int_equal(change(3, b, POLL_IN), -ENOENT);
    assert_int_equal(change(3, a, POLL_IN | EPOLL_EXCLUSIVE), -EINVAL);
    assert_int_equal(epoll_remove(epoll, 4, a), -ENOENT);
    assert_int_equal(epoll_remove(epoll, 3, a), 0);
    assert_int_equal(epoll_remove(epoll, 3, a), -ENOENT);
    eventfd_signal(a, 1);
    assert_int_equal(epoll_take(epoll, got, 8), 0);
    host_fail_nth(1);
    assert_int_equal(add(epoll, 3, a, POLL_IN), -ENOMEM);
    for (uint64_t n = 1; n <= 2; n++) {
        host_fail_nth(n);
        assert_null(epoll_create());
    }
    file_put(ready);
    file_put(inner);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_level_is_told_as_long_as_it_lasts, setup, teardown),
        cmocka_unit_test_setup_teardown(edge_and_one_shot, setup, teardown),
        cmocka_unit_test_setup_teardown(fair_when_room_is_small, setup, teardown),
        cmocka_unit_test_setup_teardown(files_and_epolls_may_go_in_any_order, setup, teardown),
        cmocka_unit_test_setup_teardown(epolls_nest_but_not_in_a_circle, setup, teardown),
        cmocka_unit_test_setup_teardown(woken_once_until_somebody_looks, setup, teardown),
        cmocka_unit_test_setup_teardown(entries_are_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(errors_are_those_of_linux, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
