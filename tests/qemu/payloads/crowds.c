/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many of everything that one event, one timer interrupt or one close has to go through. How long
 * the kernel keeps everything else out meanwhile is measured from outside.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "conform.h"

#define FILES      4096u
#define INNER      200u
#define OUTER      300u
#define POLLERS    90u
#define POLL_TIMES 4000u
#define SLEEPERS   90u
#define TIMERS     2600u
#define PIPES      2000u
#define STACK      16384u

static int allow_files(void)
{
    return setrlimit(RLIMIT_NOFILE, &(struct rlimit){FILES, FILES});
}

static int close_from(int first)
{
    return (int)syscall(SYS_close_range, first, ~0u, 0);
}

static int watch(int epoll, int fd)
{
    struct epoll_event event = {.events = EPOLLIN};

    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

/* One file, epolls that watch it, and epolls that watch each of those: as many as there may be. */
static void watchers(void)
{
    static int inner[INNER], outer[OUTER];
    struct epoll_event event;
    unsigned watches = 0;
    int fd = eventfd(0, 0), error = 0;

    CHECK_OK(allow_files());
    CHECK_OK(fd);
    for (unsigned i = 0; i < INNER; i++) {
        CHECK_OK(inner[i] = epoll_create1(0));
        CHECK_OK(watch(inner[i], fd));
    }
    for (unsigned o = 0; o < OUTER && !error; o++) {
        CHECK_OK(outer[o] = epoll_create1(0));
        for (unsigned i = 0; i < INNER && !error; i++, watches++)
            error = watch(outer[o], inner[i]);
    }
    CHECK(error && errno == ENOSPC);
    CHECK(watches > 7000);
    CHECK_OK(eventfd_write(fd, 1));
    CHECK_EQUAL(epoll_wait(outer[7], &event, 1, 0), 1);
    CHECK_EQUAL(epoll_wait(inner[INNER - 1], &event, 1, 0), 1);
    CHECK_OK(close_from(fd));
}

static int start(pthread_t *thread, void *(*entry)(void *), void *argument)
{
    pthread_attr_t attributes;

    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK);
    return pthread_create(thread, &attributes, entry, argument);
}

struct list {
    struct pollfd *fds;
    unsigned count;
};

static void *poll_list(void *argument)
{
    const struct list *list = argument;
    struct pollfd *fds = malloc(list->count * sizeof(*fds));

    memcpy(fds, list->fds, list->count * sizeof(*fds));
    intptr_t ready = poll(fds, list->count, -1);
    if (ready < 0)
        ready = -errno;
    free(fds);
    return (void *)ready;
}

/*
 * Threads that poll, all the same list; `wake` makes all of it ready. At least so many get to wait,
 * the others are refused.
 */
static void poll_all(struct list *list, unsigned count, unsigned least, int (*wake)(void *),
                     void *argument)
{
    pthread_t threads[POLLERS + SLEEPERS];
    unsigned waited = 0;
    void *ready;

    for (unsigned i = 0; i < count; i++)
        CHECK_EQUAL(start(&threads[i], poll_list, list), 0);
    usleep(1000);
    CHECK_OK(wake(argument));
    for (unsigned i = 0; i < count; i++) {
        CHECK_EQUAL(pthread_join(threads[i], &ready), 0);
        waited += (intptr_t)ready == list->count;
        CHECK((intptr_t)ready == list->count || (intptr_t)ready == -ENOMEM);
    }
    CHECK(waited >= least);
}

static int write_event(void *argument)
{
    return eventfd_write(*(int *)argument, 1);
}

/* Threads that ask for the same file thousands of times. */
static void pollers(void)
{
    static struct pollfd fds[POLL_TIMES];
    struct list list = {fds, POLL_TIMES};
    int fd = eventfd(0, 0);

    CHECK_OK(allow_files());
    CHECK_OK(fd);
    for (unsigned i = 0; i < POLL_TIMES; i++)
        fds[i] = (struct pollfd){.fd = fd, .events = POLLIN};
    poll_all(&list, POLLERS, POLLERS, write_event, &fd);
    CHECK_OK(close(fd));
}

static int nothing(void *argument)
{
    return 0;
}

/* Timers that expire at once, each with many threads that wait for it. */
static void timers(void)
{
    static struct pollfd fds[TIMERS];
    struct itimerspec at = {0};
    struct list list = {fds, TIMERS};

    CHECK_OK(clock_gettime(CLOCK_MONOTONIC, &at.it_value));
    at.it_value.tv_sec += 1;
    CHECK_OK(allow_files());
    for (unsigned i = 0; i < TIMERS; i++) {
        fds[i] = (struct pollfd){.fd = timerfd_create(CLOCK_MONOTONIC, 0), .events = POLLIN};
        CHECK_OK(fds[i].fd);
        CHECK_OK(timerfd_settime(fds[i].fd, TFD_TIMER_ABSTIME, &at, NULL));
    }
    poll_all(&list, SLEEPERS, 12, nothing, NULL);
    CHECK_OK(close_from(fds[0].fd));
}

static void pipes(void)
{
    int ends[2];

    CHECK_OK(allow_files());
    for (unsigned i = 0; i < PIPES; i++)
        CHECK_OK(pipe(ends));
    CHECK_OK(close_from(3));
}

static const struct conform_case cases[] = {
    CASE(watchers),
    CASE(pollers),
    CASE(timers),
    CASE(pipes),
};

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    return conform_run(cases, sizeof(cases) / sizeof(cases[0]), NULL, argc, argv);
}
