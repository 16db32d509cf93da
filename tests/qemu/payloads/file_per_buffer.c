/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client that makes a hugetlbfs file for each of its buffers, as clients that share memory with
 * others do: made, mapped, given to the device, used by it, taken back, and gone. Huge pages are
 * free again after each round as they were at the start.
 *
 * usage: file_per_buffer DEVICE    an edu device
 */
#define _GNU_SOURCE
#include <err.h>
#include <stdlib.h>

#include "edu_registers.h"
#include "leaf_count.h"
#include "vfio_open.h"

#define BUFFERS 4u
#define ROUNDS  3u
#define HUGE    (2u << 20)
#define HALF    2048u /* of the buffer in the device: all of it is too much for QEMU */
#define RW      (PROT_READ | PROT_WRITE)
#define FREE    "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages"

static struct vfio_files files;
static volatile uint8_t *registers;

static long free_pages(void)
{
    char text[32] = "";
    int fd = open(FREE, O_RDONLY);

    if (fd < 0 || read(fd, text, sizeof(text) - 1) < 2)
        err(1, FREE);
    close(fd);
    return strtol(text, NULL, 10);
}

static uint8_t *make(unsigned number)
{
    char path[64];
    uint8_t *at;
    int fd;

    snprintf(path, sizeof(path), "/dev/hugepages/buffer-%u", number);
    fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (fd < 0 || unlink(path))
        err(1, "%s", path);
    at = mmap(NULL, HUGE, RW, MAP_SHARED, fd, 0); /* which makes it as long */
    if (at == MAP_FAILED)
        err(1, "%s", path);
    close(fd);
    return at;
}

static uint64_t iova_of(unsigned number)
{
    return (uint64_t)(number + 1) << 32 | (uint64_t)number * HUGE;
}

static void give(void *at, unsigned number)
{
    struct vfio_iommu_type1_dma_map map = {.argsz = sizeof(map),
                                           .flags =
                                               VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
                                           .vaddr = (uintptr_t)at,
                                           .iova = iova_of(number),
                                           .size = HUGE};

    if (ioctl(files.container, VFIO_IOMMU_MAP_DMA, &map))
        err(1, "buffer %u: map", number);
    struct leaf_count leaves = {0};
    if (leaf_count_at(map.iova, &leaves) >= 0 &&
        (leaves.small || leaves.of_2m != 1 || leaves.of_1g))
        errx(1, "buffer %u is not one leaf", number);
}

static void take_back(void *at, unsigned number)
{
    struct vfio_iommu_type1_dma_unmap unmap = {
        .argsz = sizeof(unmap), .iova = iova_of(number), .size = HUGE};

    if (ioctl(files.container, VFIO_IOMMU_UNMAP_DMA, &unmap) || unmap.size != HUGE)
        err(1, "buffer %u: unmap", number);
    if (munmap(at, HUGE))
        err(1, "buffer %u", number);
}

static void dma(uint64_t from, uint64_t to, uint64_t direction)
{
    *(volatile uint64_t *)(registers + EDU_SOURCE) = from;
    *(volatile uint64_t *)(registers + EDU_TARGET) = to;
    *(volatile uint64_t *)(registers + EDU_COUNT) = HALF;
    *(volatile uint64_t *)(registers + EDU_COMMAND) = EDU_RUN | direction;
    while (*(volatile uint64_t *)(registers + EDU_COMMAND) & EDU_RUN)
        ;
}

int main(int argc, char **argv)
{
    long before = free_pages();
    uint8_t *buffers[BUFFERS];
    uint64_t size;

    if (argc < 2 || vfio_open(argv[1], &files))
        err(1, "%s", argc < 2 ? "no device" : argv[1]);
    registers = vfio_map_bar(files.device, &size);
    if (!registers || vfio_command(files.device, 6))
        err(1, "BAR 0");
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < BUFFERS; i++) {
            buffers[i] = make(i);
            give(buffers[i], i);
            if (buffers[i][HUGE - HALF])
                errx(1, "a new buffer is not clear");
        }
        if (free_pages() != before - (long)BUFFERS)
            errx(1, "%ld huge pages are free, not %ld", free_pages(), before - (long)BUFFERS);
        /* The end of each goes through the device to the end of the next. */
        memset(buffers[0] + HUGE - HALF, (int)(round + 1), HALF);
        for (unsigned i = 0; i + 1 < BUFFERS; i++) {
            dma(iova_of(i) + HUGE - HALF, EDU_BUFFER, 0);
            dma(EDU_BUFFER, iova_of(i + 1) + HUGE - HALF, EDU_TO_MEMORY);
        }
        if (buffers[BUFFERS - 1][HUGE - 1] != round + 1)
            errx(1, "the last buffer did not get what the first had");
        for (unsigned i = 0; i < BUFFERS; i++)
            take_back(buffers[i], i);
        if (free_pages() != before)
            errx(1, "%ld huge pages are free, not %ld", free_pages(), before);
    }
    printf("buffers: %u rounds of %u, all huge pages are free again\n", ROUNDS, BUFFERS);
    return 0;
}
