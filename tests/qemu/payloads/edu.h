/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For payloads that let QEMU's edu device do DMA, through either interface: /dev/iommu ("iommufd")
 * or a container ("type1"). What must not fail ends the program with a message.
 */
#ifndef TESTS_QEMU_PAYLOADS_EDU_H
#define TESTS_QEMU_PAYLOADS_EDU_H

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

#include "edu_registers.h"
#include "vfio_open.h"

#define PAGE  4096ull
#define BLOCK (2ull << 20)
#define READ  1u /* permissions of a mapping, for the device */
#define WRITE 2u

static bool type1;               /* otherwise iommufd */
static int iommu, device, group; /* files; `iommu` is the container of type1 */
static uint32_t device_id;       /* of iommufd */
static volatile uint8_t *registers;
static uint64_t registers_size;

static void must(bool success, const char *what)
{
    if (success)
        return;
    perror(what);
    exit(1);
}

/* ---- the device ---- */

static inline void edu_open_group(const char *name)
{
    struct vfio_files files;

    must(!vfio_open(name, &files), "group");
    iommu = files.container;
    group = files.group;
    device = files.device;
}

static inline void edu_open_bound(void)
{
    struct vfio_device_bind_iommufd b = {.argsz = sizeof(b)};

    b.iommufd = iommu = open("/dev/iommu", O_RDWR);
    device = open("/dev/vfio/devices/vfio0", O_RDWR);
    must(device >= 0 && !ioctl(device, VFIO_DEVICE_BIND_IOMMUFD, &b), "BIND");
    device_id = b.out_devid;
}

static inline void edu_open(const char *interface, const char *name)
{
    struct vfio_region_info bar = {.argsz = sizeof(bar), .index = VFIO_PCI_BAR0_REGION_INDEX};
    struct vfio_region_info config = {.argsz = sizeof(config),
                                      .index = VFIO_PCI_CONFIG_REGION_INDEX};
    uint16_t command = 6;

    type1 = strcmp(interface, "type1") == 0;
    if (type1)
        edu_open_group(name);
    else
        edu_open_bound();
    must(!ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &bar) &&
             !ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &config),
         "regions");
    registers_size = bar.size;
    registers = mmap(NULL, bar.size, PROT_READ | PROT_WRITE, MAP_SHARED, device, (off_t)bar.offset);
    must(registers != MAP_FAILED, "BAR 0");
    must(pwrite(device, &command, sizeof(command), (off_t)config.offset + 4) == 2, "command");
}

static inline void edu_close(void)
{
    munmap((void *)registers, registers_size); /* a mapping keeps the device open */
    close(device);
    if (type1)
        close(group);
    close(iommu);
}

static inline void edu_transfer(uint64_t source, uint64_t target, uint64_t bytes, uint64_t command)
{
    const struct timespec pause = {0, 1000000};

    *(volatile uint64_t *)(registers + EDU_SOURCE) = source;
    *(volatile uint64_t *)(registers + EDU_TARGET) = target;
    *(volatile uint64_t *)(registers + EDU_COUNT) = bytes;
    *(volatile uint64_t *)(registers + EDU_COMMAND) = command | EDU_RUN;
    while (*(volatile uint64_t *)(registers + EDU_COMMAND) & EDU_RUN)
        nanosleep(&pause, NULL);
}

/* Memory at an IOVA into the device's buffer, and the other way. */
static inline void edu_read(uint64_t iova, uint64_t bytes)
{
    edu_transfer(iova, EDU_BUFFER, bytes, 0);
}

static inline void edu_write(uint64_t iova, uint64_t bytes)
{
    edu_transfer(EDU_BUFFER, iova, bytes, EDU_TO_MEMORY);
}

/* ---- mappings: the result of the call ---- */

/* An IO address space; type1 has the one. */
static inline uint32_t space_create(void)
{
    struct iommu_ioas_alloc a = {.size = sizeof(a)};

    if (type1)
        return 0;
    must(!ioctl(iommu, IOMMU_IOAS_ALLOC, &a), "IOAS_ALLOC");
    return a.out_ioas_id;
}

static inline int dma_map(uint32_t space, uint64_t iova, const void *memory, uint64_t size,
                          unsigned permissions)
{
    struct vfio_iommu_type1_dma_map one = {.argsz = sizeof(one),
                                           .flags = permissions,
                                           .vaddr = (uintptr_t)memory,
                                           .iova = iova,
                                           .size = size};
    struct iommu_ioas_map two = {.size = sizeof(two),
                                 .flags = IOMMU_IOAS_MAP_FIXED_IOVA,
                                 .ioas_id = space,
                                 .user_va = (uintptr_t)memory,
                                 .length = size,
                                 .iova = iova};

    two.flags |= permissions & READ ? IOMMU_IOAS_MAP_READABLE : 0;
    two.flags |= permissions & WRITE ? IOMMU_IOAS_MAP_WRITEABLE : 0;
    return type1 ? ioctl(iommu, VFIO_IOMMU_MAP_DMA, &one) : ioctl(iommu, IOMMU_IOAS_MAP, &two);
}

static inline int dma_unmap(uint32_t space, uint64_t iova, uint64_t size)
{
    struct vfio_iommu_type1_dma_unmap one = {.argsz = sizeof(one), .iova = iova, .size = size};
    struct iommu_ioas_unmap two = {
        .size = sizeof(two), .ioas_id = space, .iova = iova, .length = size};

    return type1 ? ioctl(iommu, VFIO_IOMMU_UNMAP_DMA, &one) : ioctl(iommu, IOMMU_IOAS_UNMAP, &two);
}

/* Sends the device's DMA through a space or page table; nothing to do for type1. */
static inline int dma_attach(uint32_t id)
{
    struct vfio_device_attach_iommufd_pt a = {.argsz = sizeof(a), .pt_id = id};

    return type1 ? 0 : ioctl(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &a);
}

#endif
