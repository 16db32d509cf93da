/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lets go of a device in the worst moment: edu has been told to write to our memory, which it does
 * 100 ms later. usage: abandon ADDRESS HOW, where HOW is close, exit, crash or hang.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vfio_open.h"

#define PAGE 4096ull
#define IOVA 0x40000000ull

enum {
    EDU_SOURCE = 0x80,
    EDU_TARGET = 0x88,
    EDU_COUNT = 0x90,
    EDU_COMMAND = 0x98,
    EDU_BUFFER = 0x40000,
    EDU_WRITE_AND_INTERRUPT = 1 | 2 | 4,
};

static int container, group, device;

static void must(int result, const char *what)
{
    if (result < 0) {
        perror(what);
        exit(2);
    }
}

static void open_device(const char *name)
{
    struct vfio_files files;

    must(vfio_open(name, &files), name);
    container = files.container;
    group = files.group;
    device = files.device;
}

static void map_memory(void)
{
    struct vfio_iommu_type1_dma_map map = {
        .argsz = sizeof(map),
        .flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
        .iova = IOVA,
        .size = 16 * PAGE,
    };
    void *memory = mmap(NULL, map.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    must(memory == MAP_FAILED ? -1 : 0, "mmap");
    map.vaddr = (uintptr_t)memory;
    must(ioctl(container, VFIO_IOMMU_MAP_DMA, &map), "MAP_DMA");
}

static void enable_interrupt(void)
{
    must(vfio_listen(device, VFIO_PCI_MSI_IRQ_INDEX, eventfd(0, 0)), "SET_IRQS");
}

static void start_transfer(void)
{
    struct vfio_region_info config = {.argsz = sizeof(config),
                                      .index = VFIO_PCI_CONFIG_REGION_INDEX};
    volatile uint8_t *registers;
    uint16_t command = 6;

    must(ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &config), "GET_REGION_INFO");
    must((int)pwrite(device, &command, 2, (off_t)config.offset + 4), "command register");
    registers = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, device, 0);
    must(registers == MAP_FAILED ? -1 : 0, "mmap of BAR 0");
    *(volatile uint64_t *)(registers + EDU_SOURCE) = EDU_BUFFER;
    *(volatile uint64_t *)(registers + EDU_TARGET) = IOVA;
    *(volatile uint64_t *)(registers + EDU_COUNT) = 64;
    *(volatile uint64_t *)(registers + EDU_COMMAND) = EDU_WRITE_AND_INTERRUPT;
}

int main(int argc, char **argv)
{
    const char *how = argc == 3 ? argv[2] : "";

    must(argc == 3 ? 0 : -1, "arguments");
    open_device(argv[1]);
    map_memory();
    enable_interrupt();
    start_transfer();
    printf("abandon: the transfer is on its way\n");
    fflush(stdout);
    if (strcmp(how, "close") == 0) {
        close(container);
        close(group);
        close(device);
    } else if (strcmp(how, "crash") == 0) {
        *(volatile int *)8 = 0;
    }
    while (strcmp(how, "hang") == 0)
        ;
    _exit(3);
}
