/* SPDX-License-Identifier: BSD-2-Clause */
/* Ends in the way that its argument names; what a debugger has to find then is in the names here.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifndef __NEWLIB__
#include <pthread.h>
#endif

#include "vfio_open.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static volatile int depth_limit = 1 << 30;
static char *volatile nowhere = (char *)16;
static void (*volatile no_function)(void);
int the_answer = 42;
static const char *const words[] = {"relocated", "and constant"};
const char *volatile the_word;
char large[8 << 20];

/* Writes behind NULL, called by a function that has something to show. */
__attribute__((noinline)) static void break_it(int level)
{
    *nowhere = (char)level;
}

__attribute__((noinline)) static void write_nowhere(void)
{
    volatile int local = the_answer + 1;

    break_it(local);
    the_answer = local;
}

__attribute__((noinline)) static int fall(int depth)
{
    volatile char room[512];

    room[0] = (char)depth;
    return depth < depth_limit ? fall(depth + 1) + room[0] : 0;
}

static void overflow_stack(void)
{
    the_answer = fall(0);
}

__attribute__((noinline)) static void call_nothing(void)
{
    no_function();
    the_answer++;
}

__attribute__((noinline)) static void give_up(void)
{
    abort();
}

/* More memory than is sent, none of it zero. */
static void fill_much(void)
{
    memset(large, 0x5a, sizeof(large));
    break_it(1);
}

/* With the registers of edu mapped, which it does not read. */
static void map_device(void)
{
    struct vfio_region_info region = {.argsz = sizeof(region), .index = VFIO_PCI_BAR0_REGION_INDEX};
    struct vfio_files files;

    if (vfio_open("0000:00:10.0", &files) ||
        ioctl(files.device, VFIO_DEVICE_GET_REGION_INFO, &region) ||
        mmap(NULL, region.size, PROT_READ | PROT_WRITE, MAP_SHARED, files.device,
             (off_t)region.offset) == MAP_FAILED)
        exit(3);
    break_it(1);
}

static void hang(void)
{
    printf("crash: hangs\n");
    fflush(stdout);
    for (;;)
        sleep(1000);
}

#ifndef __NEWLIB__
static void *wait_for_ever(void *context)
{
    (void)context;
    for (;;)
        sleep(1000);
    return NULL;
}

static void *count_for_ever(void *context)
{
    volatile uint64_t *count = context;

    for (;;)
        ++*count;
    return NULL;
}

static void *crash_in_thread(void *context)
{
    (void)context;
    write_nowhere();
    return NULL;
}

static void crash_among_four(void)
{
    static uint64_t counted;
    void *(*const jobs[])(void *) = {wait_for_ever, count_for_ever, crash_in_thread};
    pthread_t threads[COUNT(jobs)];

    for (size_t i = 0; i < COUNT(jobs); i++)
        if (pthread_create(&threads[i], NULL, jobs[i], &counted))
            exit(3);
    pthread_join(threads[0], NULL);
}
#endif

static const struct {
    const char *name;
    void (*run)(void);
} cases[] = {
    {"write", write_nowhere},      {"overflow", overflow_stack},
    {"call", call_nothing},        {"abort", give_up},
    {"much", fill_much},           {"hang", hang},
    {"device", map_device},
#ifndef __NEWLIB__
    {"threads", crash_among_four},
#endif
};

int main(int argc, char **argv)
{
    the_word = words[argc > 5];
    for (size_t i = 0; argc > 1 && i < COUNT(cases); i++)
        if (!strcmp(argv[1], cases[i].name))
            cases[i].run();
    return 2;
}
