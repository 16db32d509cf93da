// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/selftest.h"
#include "kernel/cpu/thread.h"
#include "kernel/cpu/time.h"
#include "kernel/iommu/selftest.h"
#include "kernel/irq/selftest.h"
#include "kernel/lib/error.h"
#include "kernel/lib/log.h"
#include "kernel/lib/panic.h"

#define NAP_NS (2 * NS_PER_MS)

/* ---- threads: two of them hand a count to and fro, sleep, and are interrupted ---- */

struct court {
    struct waitq changed;
    struct thread *players[2];
    unsigned turn; /* whose move it is; 2: the game is over */
    unsigned moves;
    int interrupted; /* what an interrupted sleep returned */
    bool done[2];
};
static struct court court;

/* Waits like every sleeper of the kernel: queue up, check, sleep, check again. */
static void wait_for_turn(unsigned player)
{
    struct waiter waiter;

    waiter_init_thread(&waiter);
    wait_add(&court.changed, &waiter);
    while (court.turn != player && court.turn != 2)
        thread_sleep("selftest turn", TIME_NEVER);
    wait_remove(&waiter);
}

static void play(void *argument)
{
    unsigned player = (unsigned)(uintptr_t)argument;

    for (;;) {
        wait_for_turn(player);
        if (court.turn == 2)
            break;
        court.turn = ++court.moves == 100 ? 2 : 1 - player;
        waitq_wake(&court.changed);
    }
    if (player == 1)
        court.interrupted = thread_sleep("selftest interrupt", TIME_NEVER);
    court.done[player] = true;
    waitq_wake(&court.changed);
}

static int start_players(void)
{
    waitq_init(&court.changed);
    for (unsigned i = 0; i < 2; i++) {
        if (thread_create(&court.players[i], NULL, play, (void *)(uintptr_t)i))
            return -ENOMEM;
        thread_start(court.players[i]);
    }
    return 0;
}

static int test_threads(struct refusal *why)
{
    if (start_players())
        return refuse(why, -ENOMEM, "selftest threads: no memory");
    uint64_t start = time_ns();
    int result = thread_sleep("selftest nap", start + NAP_NS);
    uint64_t slept = time_ns() - start;

    if (result != -ETIMEDOUT || slept < NAP_NS)
        return refuse(why, -EIO, "selftest threads: a sleep of %lu ns ended after %lu ns with %s",
                      NAP_NS, slept, error_name(result));
    if (court.moves != 100 || !court.done[0] || court.done[1])
        return refuse(why, -EIO, "selftest threads: %u moves instead of 100", court.moves);
    thread_interrupt(court.players[1]);
    thread_yield("selftest");
    if (!court.done[1] || court.interrupted != -EINTR)
        return refuse(why, -EIO, "selftest threads: an interrupted sleep returned %d",
                      court.interrupted);
    log_info("selftest threads: passed, %lu switches", thread_switches());
    return 0;
}

/* ---- three ways for the kernel to go wrong ---- */

static int test_panic(struct refusal *why)
{
    panic("asked for by selftest=panic");
}

static int test_fault(struct refusal *why)
{
    volatile uint64_t *nowhere = (volatile uint64_t *)(uintptr_t)UINT64_C(0xffff900000001238);

    return (int)*nowhere;
}

/* Recursion that the compiler cannot turn into a loop; the kernel's stacks end long before. */
static unsigned descend(volatile unsigned *depth)
{
    volatile unsigned here = *depth + 1;

    return here < UINT32_MAX ? descend(&here) + here : 0;
}

static void overflow(void *argument)
{
    volatile unsigned depth = 0;

    descend(&depth);
}

static int test_overflow(struct refusal *why)
{
    struct thread *thread;

    if (thread_create(&thread, NULL, overflow, NULL))
        return refuse(why, -ENOMEM, "selftest overflow: no memory");
    thread_start(thread);
    thread_yield("selftest");
    return refuse(why, -EIO, "selftest overflow: the stack has no end");
}

int selftest_run(enum config_selftest test, struct refusal *why)
{
    static int (*const tests[])(struct refusal *) = {
        [CONFIG_SELFTEST_IOMMU] = iommu_selftest, [CONFIG_SELFTEST_LINES] = irq_selftest,
        [CONFIG_SELFTEST_THREADS] = test_threads, [CONFIG_SELFTEST_PANIC] = test_panic,
        [CONFIG_SELFTEST_FAULT] = test_fault,     [CONFIG_SELFTEST_OVERFLOW] = test_overflow,
    };

    if (test >= ARRAY_SIZE(tests) || !tests[test])
        return 0;
    return tests[test](why);
}
