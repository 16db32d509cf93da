/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DMA right after memory was taken from a device: edu writes through a mapping, so that the IOMMU
 * has it in its caches; the mapping goes; edu writes again. One line for each case: the address,
 * and whether the second write was "refused" or "LANDED" in memory that is no longer the device's.
 *
 * usage: stale 0000:bb:dd.f CASE...
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/iommufd.h>
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

#include "vfio_open.h"

#define PAGE   4096ull
#define BLOCK  (2ull << 20)
#define SIZE   (2 * BLOCK)
#define BYTES  256u
#define CANARY 0xa5
#define READ   IOMMU_IOAS_MAP_READABLE
#define WRITE  IOMMU_IOAS_MAP_WRITEABLE

enum {
    EDU_SOURCE = 0x80,
    EDU_TARGET = 0x88,
    EDU_COUNT = 0x90,
    EDU_COMMAND = 0x98,
    EDU_BUFFER = 0x40000,
    EDU_RUN = 1,
    EDU_TO_MEMORY = 2,
};

static const char *name; /* of the device */
static int iommu = -1, device = -1, group = -1;
static uint32_t device_id, ioas;
static volatile uint8_t *registers;
static uint64_t registers_size;
static uint8_t *memory, *other; /* SIZE bytes each: what the device is given, and something else */
static uint64_t at;             /* IOVA of the case, 4 MiB apart */

static void must(bool success, const char *what)
{
    if (success)
        return;
    perror(what);
    exit(1);
}

/* ---- the device ---- */

static void open_registers(void)
{
    struct vfio_region_info bar = {.argsz = sizeof(bar), .index = VFIO_PCI_BAR0_REGION_INDEX};
    struct vfio_region_info config = {.argsz = sizeof(config),
                                      .index = VFIO_PCI_CONFIG_REGION_INDEX};
    uint16_t command = 6;

    must(!ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &bar) &&
             !ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &config),
         "regions");
    registers_size = bar.size;
    registers = mmap(NULL, bar.size, PROT_READ | PROT_WRITE, MAP_SHARED, device, (off_t)bar.offset);
    must(registers != MAP_FAILED, "BAR 0");
    must(pwrite(device, &command, sizeof(command), (off_t)config.offset + 4) == 2, "command");
}

static uint32_t new_ioas(void)
{
    struct iommu_ioas_alloc a = {.size = sizeof(a)};

    must(!ioctl(iommu, IOMMU_IOAS_ALLOC, &a), "IOAS_ALLOC");
    return a.out_ioas_id;
}

static void attach(uint32_t id)
{
    struct vfio_device_attach_iommufd_pt a = {.argsz = sizeof(a), .pt_id = id};

    must(!ioctl(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &a), "ATTACH");
}

static void open_device(void)
{
    struct vfio_device_bind_iommufd b = {.argsz = sizeof(b)};

    b.iommufd = iommu = open("/dev/iommu", O_RDWR);
    device = open("/dev/vfio/devices/vfio0", O_RDWR);
    must(device >= 0 && !ioctl(device, VFIO_DEVICE_BIND_IOMMUFD, &b), "BIND");
    device_id = b.out_devid;
    ioas = new_ioas();
    open_registers();
}

/* The same by the older interface; `iommu` is the container. */
static void open_group(void)
{
    struct vfio_files files;

    must(!vfio_open(name, &files), "group");
    iommu = files.container;
    group = files.group;
    device = files.device;
    open_registers();
}

static void close_device(void)
{
    int *files[] = {&device, &group, &iommu};

    munmap((void *)registers, registers_size); /* a mapping keeps the device open */
    for (unsigned i = 0; i < 3; i++) {
        if (*files[i] >= 0)
            close(*files[i]);
        *files[i] = -1;
    }
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

/* edu's buffer holds zeros until something is read into it. */
static void write_to(uint64_t iova)
{
    transfer(EDU_BUFFER, iova, EDU_TO_MEMORY);
}

/* ---- mappings ---- */

static void map_in(uint32_t id, uint64_t iova, const void *address, uint64_t length, uint32_t flags)
{
    struct iommu_ioas_map m = {.size = sizeof(m),
                               .flags = IOMMU_IOAS_MAP_FIXED_IOVA | flags,
                               .ioas_id = id,
                               .user_va = (uintptr_t)address,
                               .length = length,
                               .iova = iova};

    must(!ioctl(iommu, IOMMU_IOAS_MAP, &m), "IOAS_MAP");
}

static void map(uint64_t offset, uint64_t length)
{
    map_in(ioas, at + offset, memory + offset, length, READ | WRITE);
}

static void unmap(uint64_t iova, uint64_t length)
{
    struct iommu_ioas_unmap u = {
        .size = sizeof(u), .ioas_id = ioas, .iova = iova, .length = length};

    must(!ioctl(iommu, IOMMU_IOAS_UNMAP, &u), "IOAS_UNMAP");
}

static uint32_t new_table(void)
{
    struct iommu_hwpt_alloc h = {.size = sizeof(h), .dev_id = device_id, .pt_id = ioas};

    must(!ioctl(iommu, IOMMU_HWPT_ALLOC, &h), "HWPT_ALLOC");
    return h.out_hwpt_id;
}

/* ---- judging ---- */

static bool holds(const uint8_t *bytes, uint8_t value, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        if (bytes[i] != value)
            return false;
    }
    return true;
}

/* A write that must land, so that what translates it is cached. */
static void warm(uint64_t offset)
{
    write_to(at + offset);
    must(holds(memory + offset, 0, BYTES), "the device could not write while it was allowed to");
    memset(memory + offset, CANARY, BYTES);
}

/* A write that must not. */
static void try(const char *what, uint64_t offset)
{
    write_to(at + offset);
    printf("stale: %s %#llx %s\n", what, (unsigned long long)(at + offset),
           holds(memory, CANARY, SIZE) && holds(other, CANARY, SIZE) ? "refused" : "LANDED");
    memset(memory, CANARY, SIZE);
    memset(other, CANARY, SIZE);
}

/* ---- the cases ---- */

static void one_page(const char *what)
{
    map(0, PAGE);
    warm(0);
    unmap(at, PAGE);
    try(what, 0);
}

/* Pages 1 to 7: naturally aligned blocks of 1, 2 and 4 pages. */
static void range(const char *what)
{
    map(PAGE, 7 * PAGE);
    warm(PAGE);
    warm(3 * PAGE);
    warm(7 * PAGE);
    unmap(at + PAGE, 7 * PAGE);
    try(what, PAGE);
    try(what, 3 * PAGE);
    try(what, 7 * PAGE);
}

/* Two pages and all that lies between them: more blocks than are named one by one. */
static void far_apart(const char *what)
{
    map(PAGE, PAGE);
    map(SIZE - 2 * PAGE, PAGE);
    warm(PAGE);
    warm(SIZE - 2 * PAGE);
    unmap(at + PAGE, SIZE - 2 * PAGE);
    try(what, PAGE);
    try(what, SIZE - 2 * PAGE);
}

static void everything(const char *what)
{
    map(0, PAGE);
    warm(0);
    unmap(0, UINT64_MAX);
    try(what, 0);
}

static void large_leaf(const char *what)
{
    map(0, BLOCK);
    warm(BLOCK - PAGE);
    unmap(at, BLOCK);
    try(what, BLOCK - PAGE);
}

/* What is written now must reach the other memory, and only there. */
static void reach_other(const char *what, uint64_t offset)
{
    write_to(at + offset);
    printf("stale: %s %#llx %s\n", what, (unsigned long long)(at + offset),
           holds(memory, CANARY, SIZE) && holds(other + offset, 0, BYTES) ? "moved" : "LANDED");
    memset(memory, CANARY, SIZE);
    memset(other, CANARY, SIZE);
}

static void large_to_small(const char *what)
{
    map(0, BLOCK);
    warm(PAGE);
    warm(2 * PAGE);
    unmap(at, BLOCK);
    map_in(ioas, at + PAGE, other + PAGE, PAGE, READ | WRITE);
    reach_other(what, PAGE);
    try(what, 2 * PAGE);
}

static void small_to_large(const char *what)
{
    map(PAGE, PAGE);
    warm(PAGE);
    unmap(at + PAGE, PAGE);
    map_in(ioas, at, other, BLOCK, READ | WRITE);
    reach_other(what, PAGE);
}

static void to_read_only(const char *what)
{
    map(0, PAGE);
    warm(0);
    unmap(at, PAGE);
    map_in(ioas, at, memory, PAGE, READ);
    try(what, 0);
}

/* Reading: what was in the memory after the unmap must not come out of the device. */
static void reading(const char *what)
{
    map(0, PAGE);
    map_in(ioas, at + PAGE, other, PAGE, READ | WRITE);
    transfer(at, EDU_BUFFER, 0);
    unmap(at, PAGE);
    memset(memory, 0x5e, BYTES);
    transfer(at, EDU_BUFFER, 0);
    transfer(EDU_BUFFER, at + PAGE, EDU_TO_MEMORY);
    printf("stale: %s %#llx %s\n", what, (unsigned long long)at,
           memchr(other, 0x5e, BYTES) ? "LANDED" : "refused");
    memset(other, 0, BYTES); /* zeros for the device's buffer again */
    transfer(at + PAGE, EDU_BUFFER, 0);
    memset(memory, CANARY, SIZE);
    memset(other, CANARY, SIZE);
}

/* The table stays when the device leaves it: nothing but the switch itself invalidates. */
static void detach(const char *what)
{
    struct vfio_device_detach_iommufd_pt d = {.argsz = sizeof(d)};

    map(0, PAGE);
    attach(new_table());
    warm(0);
    must(!ioctl(device, VFIO_DEVICE_DETACH_IOMMUFD_PT, &d), "DETACH");
    try(what, 0);
    attach(ioas);
}

static void replace_ioas(const char *what)
{
    uint32_t empty = new_ioas();

    map(0, PAGE);
    attach(new_table());
    warm(0);
    attach(empty);
    try(what, 0);
    attach(ioas);
}

/* Two tables of two IOASes; in the second the address leads elsewhere. */
static void replace_table(const char *what)
{
    uint32_t first = new_table(), home = ioas;

    map(0, PAGE);
    ioas = new_ioas();
    map_in(ioas, at, other, PAGE, READ | WRITE);
    attach(first);
    warm(0);
    attach(new_table());
    reach_other(what, 0);
    ioas = home;
    attach(ioas);
}

/* The next user of the device gets what the last one had: its domain id, and the device. */
static void close_and_open(const char *what)
{
    map(0, PAGE);
    warm(0);
    close_device();
    open_device();
    attach(ioas);
    try(what, 0);
}

/* VFIO_DMA_UNMAP_FLAG_ALL of the older interface. */
static void unmap_all(const char *what)
{
    struct vfio_iommu_type1_dma_map m = {
        .argsz = sizeof(m), .flags = 3, .vaddr = (uintptr_t)memory, .iova = at, .size = SIZE};
    struct vfio_iommu_type1_dma_unmap u = {.argsz = sizeof(u), .flags = VFIO_DMA_UNMAP_FLAG_ALL};

    close_device();
    open_group();
    must(!ioctl(iommu, VFIO_IOMMU_MAP_DMA, &m), "MAP_DMA");
    warm(PAGE);
    must(!ioctl(iommu, VFIO_IOMMU_UNMAP_DMA, &u), "UNMAP_DMA");
    try(what, PAGE);
    close_device();
    open_device();
    attach(ioas);
}

static const struct {
    const char *name;
    void (*run)(const char *what);
} cases[] = {
    {"page", one_page},
    {"range", range},
    {"far-apart", far_apart},
    {"everything", everything},
    {"large-leaf", large_leaf},
    {"large-to-small", large_to_small},
    {"small-to-large", small_to_large},
    {"read-only", to_read_only},
    {"reading", reading},
    {"detach", detach},
    {"replace-ioas", replace_ioas},
    {"replace-table", replace_table},
    {"close", close_and_open},
    {"unmap-all", unmap_all},
};

static void *new_memory(void)
{
    uint8_t *found = mmap(NULL, SIZE + BLOCK, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

    must(found != MAP_FAILED, "mmap");
    found += -(uintptr_t)found % BLOCK;
    memset(found, CANARY, SIZE);
    return found;
}

int main(int argc, char **argv)
{
    must(argc > 2, "usage");
    name = argv[1];
    memory = new_memory();
    other = new_memory();
    open_device();
    attach(ioas);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        at = 0x8000000ull + i * SIZE;
        for (int word = 2; word < argc; word++) {
            if (strcmp(argv[word], cases[i].name) == 0 || strcmp(argv[word], "all") == 0)
                cases[i].run(cases[i].name);
        }
    }
    return 0;
}
