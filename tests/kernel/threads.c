/* SPDX-License-Identifier: BSD-2-Clause */
/* Two threads hand a count to and fro, sleep, and are interrupted. */
#include "tests/kernel/internal.h"
#include "kernel/cpu/thread.h"
#include "kernel/cpu/time.h"
#include "kernel/lib/error.h"
#include "kernel/lib/log.h"

#define NAP_NS (2 * NS_PER_MS)

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
        thread_sleep("test turn", TIME_NEVER);
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
        court.interrupted = thread_sleep("test interrupt", TIME_NEVER);
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

/* Sleeps until that player is done: a deadline would measure how busy the host is. */
static void await(unsigned player)
{
    struct waiter waiter;

    waiter_init_thread(&waiter);
    wait_add(&court.changed, &waiter);
    while (!court.done[player])
        thread_sleep("test end", TIME_NEVER);
    wait_remove(&waiter);
}

static int nap(struct refusal *why)
{
    uint64_t start = time_ns();
    int result = thread_sleep("test nap", start + NAP_NS);
    uint64_t slept = time_ns() - start;

    if (result == -ETIMEDOUT && slept >= NAP_NS)
        return 0;
    return refuse(why, -EIO, "test threads: a sleep of %lu ns ended after %lu ns with %s", NAP_NS,
                  slept, error_name(result));
}

int test_threads(struct refusal *why)
{
    int result = nap(why);

    if (result)
        return result;
    if (start_players())
        return refuse(why, -ENOMEM, "test threads: no memory");
    await(0);
    if (court.moves != 100 || court.done[1])
        return refuse(why, -EIO, "test threads: %u moves instead of 100", court.moves);
    thread_interrupt(court.players[1]);
    await(1);
    if (court.interrupted != -EINTR)
        return refuse(why, -EIO, "test threads: an interrupted sleep returned %d",
                      court.interrupted);
    log_info("test threads: passed, %lu switches", thread_switches());
    return 0;
}
