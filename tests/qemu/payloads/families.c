/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A device is open through one family of device files at a time. The device has all of them: VFIO,
 * UIO and FPGA port. Another one can reach its BAR by DMA no longer than it is open.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/vfio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "conform.h"
#include "leaf_count.h"
#include "vfio_open.h"

#define UIO      "/dev/uio0"
#define PORT     "/dev/dfl-port.0"
#define BAR_SIZE 0x100000
#define IOVA     0x10000000

static const char *device_name, *other_name;
static int one = -1, two = -1, group = -1, container = -1;

static void close_all(void)
{
    int *all[] = {&one, &two, &group, &container};

    for (unsigned i = 0; i < 4; i++) {
        if (*all[i] >= 0)
            close(*all[i]);
        *all[i] = -1;
    }
}

/* A container and group that are ready to hand out the device. 0 or -1. */
static int ready_vfio(const char *name)
{
    struct vfio_files files;
    int error = vfio_join(name, &files);

    container = files.container;
    group = files.group;
    return error ? error : ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU);
}

static void uio_keeps_the_port_out(void)
{
    one = open(UIO, O_RDWR);
    CHECK_OK(one);
    CHECK_ERROR(open(PORT, O_RDWR), EBUSY);
    two = open(UIO, O_RDWR);
    CHECK_OK(two);
    close(one);
    one = -1;
    CHECK_ERROR(open(PORT, O_RDWR), EBUSY);
    close(two);
    two = open(PORT, O_RDWR);
    CHECK_OK(two);
}

static void port_keeps_uio_out(void)
{
    one = open(PORT, O_RDWR);
    CHECK_OK(one);
    CHECK_ERROR(open(UIO, O_RDWR), EBUSY);
    close(one);
    one = open(UIO, O_RDWR);
    CHECK_OK(one);
}

static void uio_keeps_vfio_out(void)
{
    one = open(UIO, O_RDWR);
    CHECK_OK(one);
    CHECK_EQUAL(ready_vfio(device_name), -1);
    CHECK_EQUAL(errno, EBUSY);
}

static void vfio_keeps_the_others_out(void)
{
    CHECK_OK(ready_vfio(device_name));
    CHECK_ERROR(open(UIO, O_RDWR), EBUSY);
    CHECK_ERROR(open(PORT, O_RDWR), EBUSY);
    one = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, device_name);
    CHECK_OK(one);
    CHECK_ERROR(open(UIO, O_RDWR), EBUSY);
    CHECK_ERROR(open(PORT, O_RDWR), EBUSY);
    close_all();
    one = open(UIO, O_RDWR);
    CHECK_OK(one);
}

static int map_for_dma(void *memory, uint64_t size)
{
    struct vfio_iommu_type1_dma_map map = {
        .argsz = sizeof(map),
        .flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
        .vaddr = (uintptr_t)memory,
        .iova = IOVA,
        .size = size,
    };

    return ioctl(container, VFIO_IOMMU_MAP_DMA, &map);
}

/* As with VFIO, the mapping stays a mapping, but leads nowhere. */
static void dma_ends_with(const char *path)
{
    struct leaf_count leaves;
    void *bar;

    one = open(path, O_RDWR);
    CHECK_OK(one);
    bar = mmap(NULL, BAR_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, one, 0);
    CHECK(bar != MAP_FAILED);
    CHECK_OK(ready_vfio(other_name));
    CHECK_OK(map_for_dma(bar, BAR_SIZE));
    CHECK(leaf_count_at(IOVA, &leaves) != 0);
    CHECK_OK(munmap(bar, BAR_SIZE));
    CHECK(leaf_count_at(IOVA, &leaves) != 0);
    close(one);
    CHECK(leaf_count_at(IOVA, &leaves) <= 0);
    one = open(path, O_RDWR); /* and the BAR can be mapped again */
    CHECK_OK(one);
    bar = mmap(NULL, BAR_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, one, 0);
    CHECK(bar != MAP_FAILED && *(volatile uint32_t *)bar == 0x010000ed);
    CHECK_OK(munmap(bar, BAR_SIZE));
}

static void dma_to_a_bar_ends_with_uio(void)
{
    dma_ends_with(UIO);
}

static void dma_to_a_bar_ends_with_the_port(void)
{
    dma_ends_with(PORT);
}

static const struct conform_case cases[] = {
    CASE(uio_keeps_the_port_out),     CASE(port_keeps_uio_out),
    CASE(uio_keeps_vfio_out),         CASE(vfio_keeps_the_others_out),
    CASE(dma_to_a_bar_ends_with_uio), CASE(dma_to_a_bar_ends_with_the_port),
};

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: families 0000:bb:dd.f ANOTHER [CASE]...\n");
        return 2;
    }
    device_name = argv[1];
    other_name = argv[2];
    return conform_run(cases, sizeof(cases) / sizeof(cases[0]), close_all, argc - 1, argv + 1);
}
