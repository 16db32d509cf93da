/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What things cost, in ticks of the time-stamp counter, for runs in which a tick is one
 * instruction. Each figure is the smallest of several rounds, so that the clock's interrupts do not
 * count.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ROUNDS 20
#define TIMES  100

static uint64_t ticks(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
    return (uint64_t)high << 32 | low;
}

/* From one instruction before SYSCALL to one after it. */
static uint64_t empty_call(void)
{
    uint64_t best = UINT64_MAX;
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t start = ticks();
        for (int i = 0; i < TIMES; i++) {
            long number = SYS_getppid;
            __asm__ volatile("syscall" : "+a"(number) : : "rcx", "r11", "memory");
        }
        uint64_t spent = ticks() - start;
        best = spent < best ? spent : best;
    }
    return best / TIMES;
}

static volatile int stop;

static void *yield_back(void *argument)
{
    while (!stop)
        syscall(SYS_sched_yield);
    return NULL;
}

/* There and back again is two switches. */
static uint64_t thread_switch(void)
{
    uint64_t best = UINT64_MAX;
    pthread_t thread;
    pthread_create(&thread, NULL, yield_back, NULL);
    syscall(SYS_sched_yield);
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t start = ticks();
        for (int i = 0; i < TIMES; i++)
            syscall(SYS_sched_yield);
        uint64_t spent = ticks() - start;
        best = spent < best ? spent : best;
    }
    stop = 1;
    pthread_join(thread, NULL);
    return best / TIMES / 2;
}

/*
 * Memory of a file that has its frames already: what a mapping costs beside the zeroing of new
 * memory. Mapping and unmapping in turn, so that every round finds the same.
 */
static uint64_t map_and_unmap(size_t length)
{
    uint64_t best = UINT64_MAX;
    int fd = (int)syscall(SYS_memfd_create, "figures", 0u);
    if (fd < 0 || ftruncate(fd, (off_t)length) < 0)
        return best;
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t start = ticks();
        char *p = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
        if (p == MAP_FAILED || munmap(p, length) < 0)
            return UINT64_MAX;
        uint64_t spent = ticks() - start;
        best = spent < best ? spent : best;
    }
    close(fd);
    return best;
}

int main(void)
{
    printf("figure: empty call %llu\n", (unsigned long long)empty_call());
    printf("figure: thread switch %llu\n", (unsigned long long)thread_switch());
    printf("figure: map 1 GiB %llu\n", (unsigned long long)map_and_unmap(1ul << 30));
    return 0;
}
