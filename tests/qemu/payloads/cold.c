/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One transfer of four bytes by edu, which has made none before, so that nothing is in the IOMMU's
 * caches. The test may change the IOMMU's tables first, and puts them right afterwards. The page at
 * CONTROL tells it how far we are (first word) and us how far it is (second word).
 *
 * usage: cold 0000:bb:dd.f read|write IOVA
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/vfio.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "vfio_open.h"

#define PAGE    4096ull
#define BLOCK   (2ull << 20)
#define CONTROL 0x10000000ull
#define PAGES   0x20000000ull /* a page to read and write, one to read, one to write */
#define LARGE   0x20200000ull
#define CANARY  0xa5

enum {
    EDU_SOURCE = 0x80,
    EDU_TARGET = 0x88,
    EDU_COUNT = 0x90,
    EDU_COMMAND = 0x98,
    EDU_BUFFER = 0x40000,
    EDU_RUN = 1,
    EDU_TO_MEMORY = 2,
};

static int container, device;
static volatile uint8_t *registers;
static volatile uint64_t *control;
static uint8_t *pages, *large;

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

static void map(uint64_t iova, volatile void *memory, uint64_t size, uint32_t flags)
{
    struct vfio_iommu_type1_dma_map m = {
        .argsz = sizeof(m), .flags = flags, .vaddr = (uintptr_t)memory, .iova = iova, .size = size};

    must(!ioctl(container, VFIO_IOMMU_MAP_DMA, &m), "MAP_DMA");
}

static void *new_memory(uint64_t size)
{
    void *memory =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

    must(memory != MAP_FAILED, "mmap");
    return memory;
}

static void step(uint64_t number)
{
    control[0] = number;
    while (control[1] < number)
        sched_yield();
}

static void transfer(bool write, uint64_t iova)
{
    const struct timespec pause = {0, 1000000};

    *(volatile uint64_t *)(registers + EDU_SOURCE) = write ? EDU_BUFFER : iova;
    *(volatile uint64_t *)(registers + EDU_TARGET) = write ? iova : EDU_BUFFER;
    *(volatile uint64_t *)(registers + EDU_COUNT) = 4;
    *(volatile uint64_t *)(registers + EDU_COMMAND) = EDU_RUN | (write ? EDU_TO_MEMORY : 0);
    while (*(volatile uint64_t *)(registers + EDU_COMMAND) & EDU_RUN)
        nanosleep(&pause, NULL);
}

static bool untouched(const uint8_t *bytes, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        if (bytes[i] != CANARY)
            return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    must(argc == 4, "usage");
    open_all(argv[1]);
    control = new_memory(PAGE);
    pages = new_memory(3 * PAGE);
    large = new_memory(BLOCK);
    memset(pages, CANARY, 3 * PAGE);
    memset(large, CANARY, BLOCK);
    map(PAGES, pages, PAGE, 3);
    map(PAGES + PAGE, pages + PAGE, PAGE, 1);
    map(PAGES + 2 * PAGE, pages + 2 * PAGE, PAGE, 2);
    map(LARGE, large, BLOCK, 3);
    map(CONTROL, control, PAGE, 3);
    step(1);
    transfer(strcmp(argv[2], "write") == 0, strtoull(argv[3], NULL, 0));
    printf("cold: %s\n",
           untouched(pages, 3 * PAGE) && untouched(large, BLOCK) ? "untouched" : "WRITTEN");
    step(2);
    return 0;
}
