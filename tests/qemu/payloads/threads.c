/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads as a C library makes them. The first argument: "host" or "guest" runs the cases;
 * "exit-asleep", "main-leaves", "killed-asleep", "exit-from-thread" and "spin" (never) are whole
 * runs that end in one way each.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "conform.h"

#define MANY     64
#define PATIENCE 2000 /* moments of 10 ms that are waited for what a busy machine does late */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static volatile long counter;
static __thread int local = 5;
static bool in_guest;

static void *add(void *argument)
{
    for (int i = 0; i < 1000; i++) {
        pthread_mutex_lock(&mutex);
        counter = counter + 1;
        if (i % 100 == 0)
            sched_yield();
        pthread_mutex_unlock(&mutex);
    }
    return argument;
}

static void start_and_join(void)
{
    pthread_t threads[MANY];
    void *result;
    counter = 0;
    for (long i = 0; i < MANY; i++)
        CHECK_EQUAL(pthread_create(&threads[i], NULL, add, (void *)i), 0);
    for (long i = 0; i < MANY; i++) {
        CHECK_EQUAL(pthread_join(threads[i], &result), 0);
        CHECK_EQUAL((long)result, i);
    }
    CHECK_EQUAL(counter, MANY * 1000);
}

static void *check_local(void *argument)
{
    int before = local;
    local = (int)(long)argument;
    for (int i = 0; i < 50; i++)
        sched_yield();
    return (void *)(long)(before * 1000 + local);
}

static void thread_local_storage(void)
{
    pthread_t threads[8];
    void *result;
    local = 77;
    for (long i = 0; i < 8; i++)
        CHECK_EQUAL(pthread_create(&threads[i], NULL, check_local, (void *)i), 0);
    for (long i = 0; i < 8; i++) {
        pthread_join(threads[i], &result);
        CHECK_EQUAL((long)result, 5000 + i);
    }
    CHECK_EQUAL(local, 77);
}

/* ---- waiting for each other ---- */

static volatile int stage;

static void *wait_for_stage(void *argument)
{
    pthread_mutex_lock(&mutex);
    while (stage == 0)
        pthread_cond_wait(&condition, &mutex);
    counter++;
    pthread_mutex_unlock(&mutex);
    return NULL;
}

static void conditions(void)
{
    pthread_t threads[10];
    struct timespec soon;
    counter = stage = 0;
    for (int i = 0; i < 10; i++)
        CHECK_EQUAL(pthread_create(&threads[i], NULL, wait_for_stage, NULL), 0);
    pthread_mutex_lock(&mutex);
    clock_gettime(CLOCK_REALTIME, &soon);
    soon.tv_nsec += 20000000;
    if (soon.tv_nsec >= 1000000000) {
        soon.tv_nsec -= 1000000000;
        soon.tv_sec++;
    }
    CHECK_EQUAL(pthread_cond_timedwait(&condition, &mutex, &soon), ETIMEDOUT);
    CHECK_EQUAL(counter, 0);
    stage = 1;
    pthread_cond_broadcast(&condition);
    pthread_mutex_unlock(&mutex);
    for (int i = 0; i < 10; i++)
        pthread_join(threads[i], NULL);
    CHECK_EQUAL(counter, 10);
}

static sem_t semaphore;
static pthread_barrier_t barrier;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;

static void *meet(void *argument)
{
    for (int i = 0; i < 20; i++) {
        pthread_rwlock_rdlock(&rwlock);
        pthread_rwlock_unlock(&rwlock);
        pthread_rwlock_wrlock(&rwlock);
        counter++;
        pthread_rwlock_unlock(&rwlock);
        pthread_barrier_wait(&barrier);
    }
    sem_post(&semaphore);
    return NULL;
}

static void barriers_and_semaphores(void)
{
    pthread_t threads[5];
    counter = 0;
    sem_init(&semaphore, 0, 0);
    pthread_barrier_init(&barrier, NULL, 5);
    for (int i = 0; i < 5; i++)
        CHECK_EQUAL(pthread_create(&threads[i], NULL, meet, NULL), 0);
    for (int i = 0; i < 5; i++)
        sem_wait(&semaphore);
    for (int i = 0; i < 5; i++)
        pthread_join(threads[i], NULL);
    CHECK_EQUAL(counter, 100);
}

static void *die_with_lock(void *lock)
{
    pthread_mutex_lock(lock);
    return NULL;
}

static void robust_lock(void)
{
    pthread_mutex_t lock;
    pthread_mutexattr_t attributes;
    pthread_t thread;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&lock, &attributes);
    CHECK_EQUAL(pthread_create(&thread, NULL, die_with_lock, &lock), 0);
    pthread_join(thread, NULL);
    CHECK_EQUAL(pthread_mutex_lock(&lock), EOWNERDEAD);
    CHECK_EQUAL(pthread_mutex_consistent(&lock), 0);
    CHECK_EQUAL(pthread_mutex_unlock(&lock), 0);
    CHECK_EQUAL(pthread_mutex_lock(&lock), 0);
    pthread_mutex_unlock(&lock);
}

/* ---- the tick ---- */

static volatile long spins[2];
static volatile int spinning;

static void *spin(void *argument)
{
    long me = (long)argument;
    double x = (double)me, expected = x;
    while (spinning) {
        /* Vector registers must be this thread's own after every switch. */
        x = x * 2.0 + 1.0;
        expected = expected * 2.0 + 1.0;
        if (x > 1e100)
            x = expected = (double)me;
        if (x != expected)
            return (void *)1;
        spins[me]++;
    }
    return NULL;
}

/* Nobody calls the kernel, and yet both get on. */
static void preemption(void)
{
    pthread_t threads[2];
    void *wrong;
    struct timespec wait = {0, 10000000};
    spins[0] = spins[1] = 0;
    spinning = 1;
    for (long i = 0; i < 2; i++)
        CHECK_EQUAL(pthread_create(&threads[i], NULL, spin, (void *)i), 0);
    for (int i = 0; i < PATIENCE && (spins[0] <= 1000 || spins[1] <= 1000); i++)
        nanosleep(&wait, NULL);
    spinning = 0;
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], &wrong);
        CHECK(wrong == NULL);
    }
    CHECK(spins[0] > 1000 && spins[1] > 1000);
}

/* ---- signals to threads ---- */

static volatile int caught_by;
static int event_fd;

static void note_thread(int number)
{
    caught_by = (int)syscall(SYS_gettid);
}

static void *sleep_in_read(void *argument)
{
    uint64_t value;
    *(int *)argument = (int)syscall(SYS_gettid);
    long n = read(event_fd, &value, 8);
    return (void *)(long)(n < 0 ? errno : 0);
}

/* Nobody can tell from outside when a thread sleeps, so the signal comes until it found it asleep.
 */
static void signal_one_thread(void)
{
    struct sigaction action = {.sa_handler = note_thread};
    struct timespec moment = {0, 10000000};
    pthread_t thread;
    volatile int id = 0;
    void *result = NULL;
    int running = 1;
    event_fd = eventfd(0, 0);
    sigaction(SIGUSR1, &action, NULL);
    CHECK_EQUAL(pthread_create(&thread, NULL, sleep_in_read, (void *)&id), 0);
    caught_by = 0;
    for (int i = 0; i < PATIENCE && running; i++) {
        nanosleep(&moment, NULL);
        pthread_kill(thread, SIGUSR1);
        running = pthread_tryjoin_np(thread, &result) != 0;
    }
    CHECK(!running);
    CHECK_EQUAL((long)result, EINTR);
    CHECK_EQUAL(caught_by, id);
    close(event_fd);
}

static void *sleep_for_ever(void *argument)
{
    for (;;)
        pause();
    return NULL;
}

static void cancel_asleep(void)
{
    pthread_t thread;
    void *result;
    struct timespec moment = {0, 10000000};
    CHECK_EQUAL(pthread_create(&thread, NULL, sleep_for_ever, NULL), 0);
    nanosleep(&moment, NULL);
    CHECK_EQUAL(pthread_cancel(thread), 0);
    pthread_join(thread, &result);
    CHECK(result == PTHREAD_CANCELED);
}

static sigset_t blocked;

static void *take_signal(void *argument)
{
    int number = 0;
    sigwait(&blocked, &number);
    return (void *)(long)number;
}

/* A signal to the process goes to the thread that waits for it. */
static void process_signal(void)
{
    pthread_t thread;
    void *result;
    struct timespec moment = {0, 10000000};
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &blocked, NULL);
    CHECK_EQUAL(pthread_create(&thread, NULL, take_signal, NULL), 0);
    nanosleep(&moment, NULL);
    CHECK_OK(kill(getpid(), SIGUSR2));
    pthread_join(thread, &result);
    CHECK_EQUAL((long)result, SIGUSR2);
    pthread_sigmask(SIG_UNBLOCK, &blocked, NULL);
}

/* Two signals sent at once to two that wait: the first of them does not keep both. */
static void two_signals(void)
{
    pthread_t threads[2];
    void *result;
    struct timespec moment = {0, 10000000};
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGRTMIN);
    pthread_sigmask(SIG_BLOCK, &blocked, NULL);
    for (int i = 0; i < 2; i++)
        CHECK_EQUAL(pthread_create(&threads[i], NULL, take_signal, NULL), 0);
    nanosleep(&moment, NULL);
    for (int i = 0; i < 2; i++)
        CHECK_OK(kill(getpid(), SIGRTMIN));
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], &result);
        CHECK_EQUAL((long)result, SIGRTMIN);
    }
    pthread_sigmask(SIG_UNBLOCK, &blocked, NULL);
}

static int poll_pipe[2];

static void ignore_signal(int number)
{
}

/* Polls so many files, and lets the signal in as long as it does. */
static void *poll_with_signal(void *files)
{
    struct timespec patience = {20, 0};
    struct pollfd p = {poll_pipe[0], POLLIN, 0};
    sigset_t none;
    sigemptyset(&none);
    return (void *)(long)ppoll(&p, (nfds_t)files, &patience, &none);
}

/* A thread that blocks a signal again before it took it leaves it to another. */
static void signal_left(void)
{
    pthread_t poller, sleeper;
    void *result;
    struct timespec moment = {0, 10000000};
    struct sigaction action = {.sa_handler = ignore_signal};
    CHECK_OK(pipe(poll_pipe));
    CHECK_OK(sigaction(SIGUSR1, &action, NULL));
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &blocked, NULL);
    CHECK_EQUAL(pthread_create(&poller, NULL, poll_with_signal, (void *)1), 0);
    CHECK_EQUAL(pthread_create(&sleeper, NULL, poll_with_signal, (void *)0), 0);
    nanosleep(&moment, NULL);
    CHECK_EQUAL(write(poll_pipe[1], "", 1), 1);
    CHECK_OK(kill(getpid(), SIGUSR1));
    pthread_join(poller, &result);
    CHECK_EQUAL((long)result, 1);
    pthread_join(sleeper, &result);
    CHECK_EQUAL((long)result, -1);
    pthread_sigmask(SIG_UNBLOCK, &blocked, NULL);
    close(poll_pipe[0]);
    close(poll_pipe[1]);
}

/* ---- stacks and numbers ---- */

static void *use_stack(void *argument)
{
    volatile char big[200000];
    memset((char *)big, 1, sizeof(big));
    return (void *)(long)big[199999];
}

static void stacks(void)
{
    pthread_attr_t attributes;
    pthread_t threads[20];
    void *result;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 256 * 1024);
    for (int i = 0; i < 20; i++)
        CHECK_EQUAL(pthread_create(&threads[i], &attributes, use_stack, NULL), 0);
    for (int i = 0; i < 20; i++) {
        pthread_join(threads[i], &result);
        CHECK_EQUAL((long)result, 1);
    }
}

static void *nothing(void *argument)
{
    return NULL;
}

/* One after the other, many more than can be there at once. */
static void many_in_turn(void)
{
    pthread_t thread;
    pthread_attr_t attributes;
    for (int i = 0; i < 2000; i++) {
        CHECK_EQUAL(pthread_create(&thread, NULL, nothing, NULL), 0);
        CHECK_EQUAL(pthread_join(thread, NULL), 0);
    }
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    for (int i = 0; i < 200; i++) {
        int error = pthread_create(&thread, &attributes, nothing, NULL);
        CHECK(error == 0 || error == EAGAIN);
        sched_yield();
    }
}

/* What the C library makes of a kernel without processes. On Linux it just works. */
static void spawn(void)
{
    char *const words[] = {"/bin/true", NULL};
    pid_t child;
    int error = posix_spawn(&child, words[0], NULL, NULL, words, NULL);

    CHECK(error == 0 || error == ENOSYS);
    CHECK_EQUAL(error, in_guest ? ENOSYS : 0);
}

static const struct conform_case cases[] = {
    {"start_and_join", start_and_join},
    {"thread_local_storage", thread_local_storage},
    {"conditions", conditions},
    {"barriers_and_semaphores", barriers_and_semaphores},
    {"robust_lock", robust_lock},
    {"preemption", preemption},
    {"spawn", spawn},
    {"signal_one_thread", signal_one_thread},
    {"cancel_asleep", cancel_asleep},
    {"process_signal", process_signal},
    {"two_signals", two_signals},
    {"signal_left", signal_left},
    {"stacks", stacks},
    {"many_in_turn", many_in_turn},
};

/* ---- ends ---- */

static int sleep_pipe[2], sleep_epoll, sleep_timer, sleep_word;

static void *asleep(void *argument)
{
    char byte;
    struct pollfd p = {.fd = sleep_pipe[0], .events = POLLIN};
    struct epoll_event event;
    struct timespec long_time = {1000, 0};
    uint64_t value;
    fd_set set;
    sigset_t none;
    sigset_t usr1;
    switch ((long)argument) {
    case 0:
        return (void *)read(sleep_pipe[0], &byte, 1);
    case 1:
        return (void *)(long)poll(&p, 1, -1);
    case 2:
        return (void *)(long)epoll_wait(sleep_epoll, &event, 1, -1);
    case 3:
        return (void *)(long)nanosleep(&long_time, NULL);
    case 4:
        return (void *)syscall(SYS_futex, &sleep_word, 0, 0, NULL, NULL, 0);
    case 5:
        return (void *)read(event_fd, &value, 8);
    case 6:
        return (void *)read(sleep_timer, &value, 8);
    case 7:
        FD_ZERO(&set);
        FD_SET(sleep_pipe[0], &set);
        return (void *)(long)select(sleep_pipe[0] + 1, &set, NULL, NULL, NULL);
    case 8:
        sigemptyset(&none);
        return (void *)(long)sigsuspend(&none);
    case 9:
        sigemptyset(&usr1);
        sigaddset(&usr1, SIGUSR1);
        return (void *)(long)sigwaitinfo(&usr1, NULL);
    case 10:
        pause();
        return NULL;
    default: /* one that never sleeps */
        for (;;)
            counter++;
    }
}

static void everybody_asleep(void)
{
    pthread_t thread;
    struct timespec moment = {0, 50000000};
    if (pipe(sleep_pipe))
        exit(99);
    sleep_epoll = epoll_create1(0);
    sleep_timer = timerfd_create(CLOCK_MONOTONIC, 0);
    event_fd = eventfd(0, 0);
    for (long i = 0; i <= 11; i++) {
        if (pthread_create(&thread, NULL, asleep, (void *)i))
            exit(98);
    }
    nanosleep(&moment, NULL);
}

static void *leave(void *argument)
{
    struct timespec moment = {0, 20000000};
    nanosleep(&moment, NULL);
    _exit(7);
}

static void *last_one(void *argument)
{
    struct timespec moment = {0, 50000000};
    nanosleep(&moment, NULL);
    printf("the last thread is still here\n");
    fflush(stdout);
    return NULL;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "host";
    pthread_t thread;
    in_guest = strcmp(what, "guest") == 0;
    if (strcmp(what, "exit-asleep") == 0) {
        everybody_asleep();
        return 5;
    }
    if (strcmp(what, "killed-asleep") == 0) {
        everybody_asleep();
        *(volatile int *)16 = 1;
    }
    if (strcmp(what, "exit-from-thread") == 0) {
        everybody_asleep();
        pthread_create(&thread, NULL, leave, NULL);
        sleep_for_ever(NULL);
    }
    if (strcmp(what, "spin") == 0)
        asleep((void *)11);
    if (strcmp(what, "main-leaves") == 0) {
        pthread_create(&thread, NULL, last_one, NULL);
        pthread_exit(NULL);
    }
    return conform_run(cases, sizeof(cases) / sizeof(cases[0]), NULL, argc, argv);
}
