/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps a GiB, two MiB and a page so that each is one leaf, shows what the kernel says about them,
 * lets edu write through each, and unmaps. usage: leaves 0000:bb:dd.f
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "vfio_open.h"

#define PAGE  4096ull
#define MIB   (1024ull * 1024)
#define GIB   (1024 * MIB)
#define BYTES 64u

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

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void open_all(const char *name)
{
    struct vfio_files files;
    uint64_t size;

    if (vfio_open(name, &files))
        die(name);
    container = files.container;
    device = files.device;
    registers = vfio_map_bar(device, &size);
    if (!registers || vfio_command(device, 6))
        die("BAR");
}

static void transfer(uint64_t source, uint64_t target, uint64_t command)
{
    const struct timespec pause = {0, 1000000};

    *(volatile uint64_t *)(registers + EDU_SOURCE) = source;
    *(volatile uint64_t *)(registers + EDU_TARGET) = target;
    *(volatile uint64_t *)(registers + EDU_COUNT) = BYTES;
    *(volatile uint64_t *)(registers + EDU_COMMAND) = command | EDU_RUN;
    while (*(volatile uint64_t *)(registers + EDU_COMMAND) & EDU_RUN)
        nanosleep(&pause, NULL);
}

/* One piece of memory as one mapping, and a message through the device to its last bytes. */
static void exercise(const char *name, uint64_t iova, uint64_t size)
{
    char *memory =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    struct vfio_iommu_type1_dma_map m = {
        .argsz = sizeof(m), .flags = 3, .vaddr = (uintptr_t)memory, .iova = iova, .size = size};
    struct vfio_iommu_type1_dma_unmap u = {.argsz = sizeof(u), .iova = iova, .size = size};
    char line[256];

    if (memory == MAP_FAILED || ioctl(container, VFIO_IOMMU_MAP_DMA, &m))
        die(name);
    for (unsigned i = 0; i < BYTES; i++)
        memory[i] = (char)(i + 1);
    transfer(iova, EDU_BUFFER, 0);
    transfer(EDU_BUFFER, iova + size - BYTES, EDU_TO_MEMORY);
    printf("leaves: %s %s\n", name,
           memcmp(memory, memory + size - BYTES, BYTES) ? "differs" : "ok");
    FILE *file = fopen("/sys/kernel/iommu/mappings", "r");
    while (file && fgets(line, sizeof(line), file))
        printf("leaves: %s: %s", name, line);
    if (file)
        fclose(file);
    if (ioctl(container, VFIO_IOMMU_UNMAP_DMA, &u))
        die("unmap");
    memset(memory + size - BYTES, 0, BYTES);
    transfer(EDU_BUFFER, iova + size - BYTES, EDU_TO_MEMORY);
    printf("leaves: %s after unmap %s\n", name, memory[size - BYTES] ? "WRITTEN" : "untouched");
    munmap(memory, size);
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    open_all(argv[1]);
    exercise("4K", 5 * GIB + PAGE, PAGE);
    exercise("2M", 5 * GIB + 2 * MIB, 2 * MIB);
    exercise("1G", 6 * GIB, GIB);
    return 0;
}
