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
    struct vfio_region_info bar = {.argsz = sizeof(bar), .index = VFIO_PCI_BAR0_REGION_INDEX};
    struct vfio_region_info config = {.argsz = sizeof(config),
                                      .index = VFIO_PCI_CONFIG_REGION_INDEX};
    char link[128], target[256], path[300];
    uint16_t command = 6;

    snprintf(link, sizeof(link), "/sys/bus/pci/devices/%s/iommu_group", name);
    ssize_t n = readlink(link, target, sizeof(target) - 1);
    if (n < 0)
        die(link);
    target[n] = '\0';
    snprintf(path, sizeof(path), "/dev/vfio%s", strrchr(target, '/'));
    container = open("/dev/vfio/vfio", O_RDWR);
    int group = open(path, O_RDWR);
    if (ioctl(group, VFIO_GROUP_SET_CONTAINER, &container) ||
        ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
        die("VFIO");
    device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, name);
    if (device < 0 || ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &bar) ||
        ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &config))
        die("device");
    registers = mmap(NULL, bar.size, PROT_READ | PROT_WRITE, MAP_SHARED, device, (off_t)bar.offset);
    if (registers == MAP_FAILED ||
        pwrite(device, &command, sizeof(command), (off_t)config.offset + 4) != sizeof(command))
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
