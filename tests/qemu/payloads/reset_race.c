/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Resets a device again and again while other threads read and write its BAR, its configuration
 * space and its vectors, and map, move and unmap it. Nothing may hang, and the device works when
 * all have done. It goes on until each of them has got to do something.
 *
 * usage: reset_race BDF RESETS
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>

#include "vfio_open.h"

#define PAGE    4096ull
#define CONFIG  ((off_t)VFIO_PCI_CONFIG_REGION_INDEX << 40)
#define COMMAND 4
#define WORKING 6 /* memory, bus master */

static struct vfio_files files;
static uint64_t bar_size;
static int event;
static volatile bool done;
static volatile unsigned long work[4];
static _Thread_local sigjmp_buf back;

static void on_bus_error(int number)
{
    siglongjmp(back, 1);
}

static void must(bool success, const char *what)
{
    if (success)
        return;
    printf("reset_race: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void *map_bar(void)
{
    return mmap(NULL, bar_size, PROT_READ | PROT_WRITE, MAP_SHARED, files.device, 0);
}

static void *touch(void *argument)
{
    volatile uint32_t *bar = map_bar();

    must(bar != MAP_FAILED, "map");
    while (!done) {
        if (sigsetjmp(back, 1) == 0)
            for (unsigned i = 0; i < bar_size / 4; i += 1021)
                (void)bar[i];
        work[0]++;
    }
    return NULL;
}

static void *configure(void *argument)
{
    uint32_t word;

    while (!done) {
        pread(files.device, &word, 4, CONFIG + COMMAND);
        word = WORKING;
        pwrite(files.device, &word, 2, CONFIG + COMMAND);
        pread(files.device, &word, 4, 0);
        work[1]++;
    }
    return NULL;
}

/* struct vfio_irq_set with one descriptor. */
static int set_irqs(uint32_t data, uint32_t count, int32_t fd)
{
    uint32_t words[6] = {
        sizeof(words), data | VFIO_IRQ_SET_ACTION_TRIGGER, VFIO_PCI_MSIX_IRQ_INDEX, 0, count,
        (uint32_t)fd};

    return ioctl(files.device, VFIO_DEVICE_SET_IRQS, words);
}

static int bind_vector(int fd)
{
    return set_irqs(VFIO_IRQ_SET_DATA_EVENTFD, 1, fd);
}

/* Fires vector 0 by hand; 0: switches all off. */
static int vectors(uint32_t count)
{
    return set_irqs(VFIO_IRQ_SET_DATA_NONE, count, 0);
}

static void *listen(void *argument)
{
    while (!done) {
        must(!bind_vector(event), "bind");
        must(!bind_vector(-1), "unbind");
        if (++work[2] % 3 == 0)
            must(!vectors(0), "disable");
    }
    return NULL;
}

static void *move(void *argument)
{
    char *room = mmap(NULL, 2 * bar_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    must(room != MAP_FAILED, "room");
    while (!done) {
        char *bar = map_bar();

        must(bar != MAP_FAILED, "map");
        must(mremap(bar, bar_size, bar_size, MREMAP_MAYMOVE | MREMAP_FIXED, room) == room, "move");
        must(mremap(room, PAGE, 2 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED, "no growth");
        must(!munmap(room + PAGE, PAGE), "unmap");
        must(mremap(room, 0, bar_size, MREMAP_MAYMOVE) == MAP_FAILED, "no copy");
        work[3]++;
    }
    return NULL;
}

static bool all_worked(void)
{
    return work[0] && work[1] && work[2] && work[3];
}

static void start(const char *name)
{
    struct vfio_region_info bar = {.argsz = sizeof(bar)};
    struct sigaction action = {.sa_handler = on_bus_error, .sa_flags = SA_NODEFER};

    must(!vfio_open(name, &files), "open");
    must(!ioctl(files.device, VFIO_DEVICE_GET_REGION_INFO, &bar), "region");
    bar_size = bar.size;
    event = eventfd(0, EFD_NONBLOCK);
    sigaction(SIGBUS, &action, NULL);
}

int main(int argc, char **argv)
{
    static void *(*const jobs[])(void *) = {touch, configure, listen, move};
    const struct timespec pause = {0, 20000000};
    pthread_t threads[4];
    uint16_t command = 0;
    uint64_t count;

    start(argv[1]);
    for (unsigned i = 0; i < 4; i++)
        must(!pthread_create(&threads[i], NULL, jobs[i], NULL), "thread");
    for (int i = 0; i < atoi(argv[2]) || !all_worked(); i++) {
        must(!ioctl(files.device, VFIO_DEVICE_RESET), "reset");
        nanosleep(&pause, NULL);
    }
    done = true;
    for (unsigned i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    must(pread(files.device, &command, 2, CONFIG + COMMAND) == 2 && command == WORKING, "command");
    must(!bind_vector(event) && !vectors(1), "vector");
    must(read(event, &count, 8) == 8 && count == 1, "eventfd");
    printf("reset_race: ok, all worked\n");
    return 0;
}
