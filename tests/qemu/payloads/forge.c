/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two edu devices with one MSI each. Between the rounds the test changes from outside what the
 * second one sends: a device's own word, which no kernel can keep it from. Each round raises
 * interrupts and tells how often each eventfd fired. Device memory at CONTROL: its first word says
 * which round is over, its second how far the test has come.
 *
 * usage: forge 0000:bb:dd.f 0000:bb:dd.f
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/vfio.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "vfio_open.h"

#define PAGE    4096ull
#define CONTROL 0x10000000ull

enum {
    EDU_RAISE = 0x60,
    EDU_ACKNOWLEDGE = 0x64,
};

static struct edu {
    int file, event;
    volatile uint8_t *registers;
} edus[2];
static int container;
static volatile uint64_t *control;

static void must(int success, const char *what)
{
    if (success)
        return;
    perror(what);
    exit(1);
}

static void open_group(const char *name, int first)
{
    char path[VFIO_PATH_SIZE];

    must(!vfio_group_path(name, path), name);
    int group = open(path, O_RDWR);
    must(!ioctl(group, VFIO_GROUP_SET_CONTAINER, &container), "SET_CONTAINER");
    must(!first || !ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU), "SET_IOMMU");
    edus[!first].file = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, name);
    must(edus[!first].file >= 0, "GET_DEVICE_FD");
}

static void start(struct edu *edu)
{
    struct vfio_region_info config = {.argsz = sizeof(config),
                                      .index = VFIO_PCI_CONFIG_REGION_INDEX};
    uint16_t command = 6;

    edu->event = eventfd(0, EFD_NONBLOCK);
    must(!vfio_listen(edu->file, VFIO_PCI_MSI_IRQ_INDEX, edu->event), "SET_IRQS");
    must(!ioctl(edu->file, VFIO_DEVICE_GET_REGION_INFO, &config), "GET_REGION_INFO");
    must(pwrite(edu->file, &command, 2, (off_t)config.offset + 4) == 2, "command");
    edu->registers = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, edu->file, 0);
    must(edu->registers != MAP_FAILED, "BAR 0");
}

static void map_control(void)
{
    struct vfio_iommu_type1_dma_map m = {
        .argsz = sizeof(m), .flags = 3, .iova = CONTROL, .size = PAGE};

    control = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    m.vaddr = (uintptr_t)control;
    must(!ioctl(container, VFIO_IOMMU_MAP_DMA, &m), "MAP_DMA");
}

static uint64_t fired(const struct edu *edu)
{
    uint64_t count = 0;

    if (read(edu->event, &count, sizeof(count)) < 0)
        return 0;
    return count;
}

static void raise_interrupt(const struct edu *edu)
{
    const struct timespec pause = {0, 20000000};

    *(volatile uint32_t *)(edu->registers + EDU_RAISE) = 1;
    nanosleep(&pause, NULL);
    *(volatile uint32_t *)(edu->registers + EDU_ACKNOWLEDGE) = 1;
}

static void round_of(const char *what, unsigned number)
{
    raise_interrupt(&edus[1]);
    printf("forge: %s: first %llu second %llu\n", what, (unsigned long long)fired(&edus[0]),
           (unsigned long long)fired(&edus[1]));
    control[0] = number;
    while (control[1] < number)
        sched_yield();
}

int main(int argc, char **argv)
{
    must(argc == 3, "usage");
    container = open("/dev/vfio/vfio", O_RDWR);
    open_group(argv[1], 1);
    open_group(argv[2], 0);
    start(&edus[0]);
    start(&edus[1]);
    map_control();
    raise_interrupt(&edus[0]);
    round_of("both are honest", 1);
    round_of("the second forges", 2);
    round_of("the second makes a vector up", 3);
    round_of("the second is honest", 4);
    return 0;
}
