/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an invalidation costs. usage: blocks 0000:bb:dd.f cost|refill
 *
 * cost: unmaps two pages at once that lie so far apart that the range falls into 2, 3, ...
 * naturally aligned blocks, and tells how many ticks each took. refill: edu uses some pages, before
 * and after an unmap of few blocks and one of many; the test counts in QEMU's trace what was walked
 * again.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include "vfio_open.h"

#define PAGE   4096ull
#define USED   0x20080000ull   /* IOVAs: the pages in use, */
#define FAR    0x8000000000ull /* and where the others come and go */
#define PAGES  8u
#define BLOCKS 20u

enum {
    EDU_SOURCE = 0x80,
    EDU_TARGET = 0x88,
    EDU_COUNT = 0x90,
    EDU_COMMAND = 0x98,
    EDU_BUFFER = 0x40000,
    EDU_RUN_TO_MEMORY = 3,
};

static int container, device;
static volatile uint8_t *registers;
static uint8_t *memory;

static void must(bool success, const char *what)
{
    if (success)
        return;
    perror(what);
    exit(1);
}

static void open_all(const char *name)
{
    struct vfio_files files;
    uint64_t size;

    must(!vfio_open(name, &files), name);
    container = files.container;
    device = files.device;
    registers = vfio_map_bar(device, &size);
    must(registers, "BAR 0");
    must(!vfio_command(device, 6), "command");
}

static void map_page(uint64_t iova, unsigned which)
{
    struct vfio_iommu_type1_dma_map m = {.argsz = sizeof(m),
                                         .flags = 3,
                                         .vaddr = (uintptr_t)memory + which * PAGE,
                                         .iova = iova,
                                         .size = PAGE};

    must(!ioctl(container, VFIO_IOMMU_MAP_DMA, &m), "MAP_DMA");
}

/* Pages 1 to 2^blocks - 1 of an aligned place: blocks of 1, 2, 4, ... pages. */
static uint64_t unmap_blocks(unsigned blocks)
{
    uint64_t last = (1ull << blocks) - 1;
    struct vfio_iommu_type1_dma_unmap u = {
        .argsz = sizeof(u), .iova = FAR + PAGE, .size = last * PAGE};
    uint64_t start, end;

    map_page(FAR + PAGE, 0);
    map_page(FAR + last * PAGE, 1);
    start = __rdtsc();
    must(!ioctl(container, VFIO_IOMMU_UNMAP_DMA, &u), "UNMAP_DMA");
    end = __rdtsc();
    return end - start;
}

/* The first time may build tables or allocate. */
static void cost(void)
{
    for (unsigned blocks = 2; blocks <= BLOCKS; blocks++) {
        unmap_blocks(blocks);
        printf("blocks: %u %llu\n", blocks, (unsigned long long)unmap_blocks(blocks));
    }
}

static void use(void)
{
    const struct timespec pause = {0, 1000000};

    for (unsigned i = 0; i < PAGES; i++) {
        *(volatile uint64_t *)(registers + EDU_SOURCE) = EDU_BUFFER;
        *(volatile uint64_t *)(registers + EDU_TARGET) = USED + i * PAGE;
        *(volatile uint64_t *)(registers + EDU_COUNT) = 64;
        *(volatile uint64_t *)(registers + EDU_COMMAND) = EDU_RUN_TO_MEMORY;
        while (*(volatile uint64_t *)(registers + EDU_COMMAND) & 1)
            nanosleep(&pause, NULL);
    }
}

static void refill(void)
{
    for (unsigned i = 0; i < PAGES; i++)
        map_page(USED + i * PAGE, 2 + i);
    use();
    unmap_blocks(2);
    use();
    unmap_blocks(BLOCKS);
    use();
}

int main(int argc, char **argv)
{
    must(argc == 3, "usage");
    open_all(argv[1]);
    memory = mmap(NULL, (2 + PAGES) * PAGE, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    must(memory != MAP_FAILED, "mmap");
    if (strcmp(argv[2], "cost") == 0)
        cost();
    else
        refill();
    return 0;
}
