/* SPDX-License-Identifier: BSD-2-Clause */
/* The queue before the serial port: who waits for room is told when there is some. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "kernel/machine/console/serial.h"
#include "kernel/machine/console/uart.h"
#include "kernel/cpu/time.h"
#include "kernel/lib/log.h"
#include "tests/unit/host_thread.h"

#define ROOM 256u /* what a writer waits for */
#define TICK NS_PER_MS

/* ---- the port ---- */

static unsigned taken, takes; /* bytes sent, and how many the port still takes */

bool uart_init(struct uart *uart, uint16_t port)
{
    return true;
}

unsigned uart_room(struct uart *uart)
{
    return takes;
}

void uart_put(struct uart *uart, char c)
{
    takes--;
    taken++;
}

bool uart_idle(struct uart *uart)
{
    return true;
}

/* ---- whoever waits ---- */

static unsigned woken;

static void count_wake(struct waiter *waiter)
{
    woken++;
}

static struct waiter waiter = {.link = LIST_INIT(waiter.link), .wake = count_wake};

static int start(void **state)
{
    if (!serial_init(0x3f8))
        return -1;
    log_set_patient(false);
    wait_add(serial_changed(), &waiter);
    return 0;
}

static void write(size_t length)
{
    char text[ROOM];

    memset(text, 'x', sizeof(text));
    log_raw(text, length);
}

static void tick(void)
{
    host_time_to(host_now_ns + TICK);
}

static void fill(void)
{
    while (serial_has_room(ROOM))
        write(ROOM);
    woken = 0;
}

static void told_when_the_port_moves(void **state)
{
    takes = 0;
    fill();
    tick();
    assert_int_equal(woken, 0);
    takes = 100000;
    tick();
    assert_int_equal(woken, 1);
    assert_true(serial_has_room(ROOM));
}

/* Between two looks of the timer lines of the log send all that is queued. */
static void told_when_others_emptied_the_queue(void **state)
{
    takes = 0;
    fill();
    takes = 100000;
    for (unsigned i = 0; i < 100; i++)
        write(1);
    assert_true(serial_has_room(ROOM));
    tick();
    assert_int_equal(woken, 1);
}

/* The time without progress counts from the last byte, whoever sent it. */
static void progress_of_others_is_no_stall(void **state)
{
    unsigned stalls = serial_stats().stalls;

    takes = 0;
    fill();
    for (unsigned second = 0; second < 5; second++) {
        host_time_to(host_now_ns + NS_PER_S);
        takes = 1;
        write(1);
    }
    assert_int_equal(serial_stats().stalls, stalls);
    for (unsigned second = 0; second < 3; second++)
        host_time_to(host_now_ns + NS_PER_S);
    assert_int_equal(serial_stats().stalls, stalls + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(told_when_the_port_moves),
        cmocka_unit_test(told_when_others_emptied_the_queue),
        cmocka_unit_test(progress_of_others_is_no_stall),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
