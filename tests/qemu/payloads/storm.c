/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A fault storm: nvme's admin queues are mapped, but an Identify command names a buffer that is
 * not. The controller reports success all the same and faults once for every four bytes. usage:
 * storm 0000:bb:dd.f COMMANDS
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

#define PAGE       4096ull
#define SUBMISSION 0x100000ull /* IOVAs */
#define COMPLETION 0x101000ull
#define NOWHERE    0x40000000ull
#define ENTRIES    16u

enum {
    NVME_CC = 0x14,
    NVME_CSTS = 0x1c,
    NVME_AQA = 0x24,
    NVME_ASQ = 0x28,
    NVME_ACQ = 0x30,
    NVME_DOORBELL = 0x1000,
    NVME_IDENTIFY = 6,
};

struct command {
    uint32_t operation;
    uint32_t namespace;
    uint64_t reserved[2];
    uint64_t buffer[2];
    uint32_t detail[6];
};
_Static_assert(sizeof(struct command) == 64, "a submission queue entry");

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
    struct vfio_files files;

    if (vfio_open(name, &files))
        die(name);
    container = files.container;
    device = files.device;
    if (ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &bar))
        die("device");
    /* The MSI-X table shares the BAR: only what lies before it is mapped. */
    registers = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, device, (off_t)bar.offset);
    if (registers == MAP_FAILED || vfio_command(device, 6))
        die("BAR");
}

static void write32(unsigned at, uint32_t value)
{
    *(volatile uint32_t *)(registers + at) = value;
}

static uint32_t read32(unsigned at)
{
    return *(volatile uint32_t *)(registers + at);
}

static void *map_page(uint64_t iova)
{
    void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct vfio_iommu_type1_dma_map m = {
        .argsz = sizeof(m), .flags = 3, .vaddr = (uintptr_t)page, .iova = iova, .size = PAGE};

    if (page == MAP_FAILED || ioctl(container, VFIO_IOMMU_MAP_DMA, &m))
        die("MAP_DMA");
    return page;
}

static void pause_ms(long ms)
{
    const struct timespec t = {ms / 1000, ms % 1000 * 1000000};

    nanosleep(&t, NULL);
}

static void enable(void)
{
    write32(NVME_CC, 0);
    while (read32(NVME_CSTS) & 1)
        pause_ms(1);
    write32(NVME_AQA, (ENTRIES - 1) << 16 | (ENTRIES - 1));
    *(volatile uint64_t *)(registers + NVME_ASQ) = SUBMISSION;
    *(volatile uint64_t *)(registers + NVME_ACQ) = COMPLETION;
    write32(NVME_CC, 4 << 20 | 6 << 16 | 1);
    for (unsigned i = 0; i < 1000 && !(read32(NVME_CSTS) & 1); i++)
        pause_ms(1);
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    open_all(argv[1]);
    struct command *submission = map_page(SUBMISSION);
    volatile uint32_t *completion = map_page(COMPLETION);
    unsigned commands = (unsigned)atoi(argv[2]);

    enable();
    for (unsigned i = 0; i < commands; i++) {
        unsigned slot = i % ENTRIES;

        submission[slot] = (struct command){
            .operation = NVME_IDENTIFY | (i + 1) << 16, .buffer = {NOWHERE, 0}, .detail = {1}};
        __sync_synchronize();
        write32(NVME_DOORBELL, (i + 1) % ENTRIES);
        for (unsigned wait = 0; wait < 200 && completion[slot * 4 + 3] >> 17; wait++)
            pause_ms(1);
        pause_ms(5);
        write32(NVME_DOORBELL + 4, (i + 1) % ENTRIES);
    }
    printf("storm: %u commands\n", commands);
    FILE *file = fopen("/sys/kernel/iommu/faults", "r");
    char line[200];
    if (file && fgets(line, sizeof(line), file))
        printf("storm: faults %s", line);
    return 0;
}
