/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupt lines of several edu devices. "share": two on one line, whose interrupts are told
 * apart. "storm": the last is in a storm (its eventfd unmasks the line it tells of); meanwhile the
 * others are still heard, and how much of the CPU is left is printed. usage: lines share|storm
 * ADDRESS...
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>

#include "vfio_open.h"

#define DEVICES     4
#define RAISE       0x60
#define ACKNOWLEDGE 0x64
#define LINE        VFIO_PCI_INTX_IRQ_INDEX
#define EVENT       VFIO_IRQ_SET_DATA_EVENTFD
#define TRIGGER     VFIO_IRQ_SET_ACTION_TRIGGER
#define UNMASK      VFIO_IRQ_SET_ACTION_UNMASK
#define SPIN_NS     100000000ull

static struct one {
    int device, event;
    volatile uint32_t *registers;
    uint64_t size;
} all[DEVICES];
static int count;

static void must(bool success, const char *what)
{
    if (success)
        return;
    printf("lines: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int set(const struct one *one, uint32_t flags, int event)
{
    /* struct vfio_irq_set with its data */
    struct {
        uint32_t argsz, flags, index, start, count;
        int32_t event;
    } call = {sizeof(call), flags, LINE, 0, 1, event};

    return ioctl(one->device, VFIO_DEVICE_SET_IRQS, &call);
}

static void open_one(struct one *one, const char *name)
{
    struct vfio_files files;

    must(!vfio_open(name, &files), name);
    one->device = files.device;
    one->event = eventfd(0, EFD_NONBLOCK);
    must(!vfio_command(one->device, 6), "command");
    one->registers = (volatile uint32_t *)vfio_map_bar(one->device, &one->size);
    must(one->registers != NULL, "BAR 0");
    must(!set(one, EVENT | TRIGGER, one->event), "INTx");
}

static void pull(const struct one *one, bool on)
{
    one->registers[(on ? RAISE : ACKNOWLEDGE) / 4] = on ? 1 : ~0u;
}

static void unmask(const struct one *one)
{
    must(!set(one, VFIO_IRQ_SET_DATA_NONE | UNMASK, 0), "unmask");
}

/* How many interrupts a device's eventfd has told of, once all that was due has come. */
static uint64_t heard(const struct one *one)
{
    const struct timespec pause = {0, 2000000};
    uint64_t n = 0;

    nanosleep(&pause, NULL);
    return read(one->event, &n, sizeof(n)) == sizeof(n) ? n : 0;
}

static void expect(int which, uint64_t wanted, int line)
{
    uint64_t found = heard(&all[which]);

    if (found == wanted)
        return;
    printf("lines: line %d: device %d was heard %llu times, not %llu\n", line, which,
           (unsigned long long)found, (unsigned long long)wanted);
    exit(1);
}
#define EXPECT(which, wanted) expect(which, wanted, __LINE__)

static void share(void)
{
    pull(&all[0], true);
    EXPECT(0, 1);
    EXPECT(1, 0);
    pull(&all[1], true); /* the first is still pending, and masked */
    EXPECT(0, 0);
    EXPECT(1, 1);
    unmask(&all[0]);
    EXPECT(0, 1);
    EXPECT(1, 0);
    pull(&all[0], false);
    unmask(&all[0]);
    unmask(&all[1]);
    EXPECT(0, 0);
    EXPECT(1, 1);
    close(
        all[1].device); /* and is silent: a mapping would keep it open, but not its line's share */
    must(!set(&all[0], VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_MASK, 0), "mask");
    pull(&all[0], true);
    EXPECT(0, 0);
    unmask(&all[0]);
    EXPECT(0, 1);
    pull(&all[0], false);
    unmask(&all[0]);
    EXPECT(0, 0);
    printf("lines: shared\n");
}

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

/* What the program gets done in so much time. */
static unsigned long work(void)
{
    uint64_t end = now_ns() + SPIN_NS;
    unsigned long done = 0;

    while (now_ns() < end)
        for (volatile int i = 0; i < 1000; i++)
            done++;
    return done;
}

static void storm(void)
{
    /* Opened last, it has the highest vector, which the CPU takes first. */
    const struct one *stormy = &all[count - 1];
    unsigned long alone = work(), beside;

    must(!set(stormy, EVENT | UNMASK, stormy->event), "an eventfd that unmasks");
    pull(stormy, true);
    beside = work();
    for (int i = 0; i < count - 1; i++) {
        pull(&all[i], true);
        EXPECT(i, 1);
        pull(&all[i], false);
        unmask(&all[i]);
        EXPECT(i, 0);
    }
    pull(stormy, false);
    printf("lines: %lu%% of the CPU left in a storm\n", beside * 100 / alone);
}

int main(int argc, char **argv)
{
    for (int i = 2; i < argc && count < DEVICES; i++)
        open_one(&all[count++], argv[i]);
    if (strcmp(argv[1], "share") == 0)
        share();
    else
        storm();
    return 0;
}
