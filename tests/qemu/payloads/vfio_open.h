/* SPDX-License-Identifier: BSD-2-Clause */
/* The opening of every program that uses a device through VFIO: group, container, device. */
#ifndef TESTS_VFIO_OPEN_H
#define TESTS_VFIO_OPEN_H

#include <fcntl.h>
#include <linux/vfio.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define VFIO_PATH_SIZE 300

/* -1: not open. */
struct vfio_files {
    int container, group, device;
};

/* The file of the device's group, from the link under /sys. -1: there is none. */
static inline int vfio_group_path(const char *device, char path[VFIO_PATH_SIZE])
{
    char link[128], target[256];
    ssize_t n;

    snprintf(link, sizeof(link), "/sys/bus/pci/devices/%s/iommu_group", device);
    n = readlink(link, target, sizeof(target) - 1);
    if (n < 0)
        return -1;
    target[n] = '\0';
    snprintf(path, VFIO_PATH_SIZE, "/dev/vfio%s", strrchr(target, '/'));
    return 0;
}

/* A new container with the device's group in it, but no IOMMU yet. -1, and errno. */
static inline int vfio_join(const char *device, struct vfio_files *files)
{
    char path[VFIO_PATH_SIZE];

    *files = (struct vfio_files){-1, -1, -1};
    if (vfio_group_path(device, path))
        return -1;
    files->container = open("/dev/vfio/vfio", O_RDWR);
    files->group = open(path, O_RDWR);
    if (files->container < 0 || files->group < 0)
        return -1;
    return ioctl(files->group, VFIO_GROUP_SET_CONTAINER, &files->container);
}

/* Everything up to the device, with the IOMMU in version 2. -1, and errno. */
static inline int vfio_open(const char *device, struct vfio_files *files)
{
    if (vfio_join(device, files) || ioctl(files->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
        return -1;
    files->device = ioctl(files->group, VFIO_GROUP_GET_DEVICE_FD, device);
    return files->device < 0 ? -1 : 0;
}

/* Gives the first vector of an index its eventfd. -1, and errno. */
static inline int vfio_listen(int device, uint32_t index, int event)
{
    /* struct vfio_irq_set with its data */
    struct {
        uint32_t argsz, flags, index, start, count;
        int32_t event;
    } call = {.argsz = sizeof(call),
              .flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
              .index = index,
              .count = 1,
              .event = event};

    return ioctl(device, VFIO_DEVICE_SET_IRQS, &call);
}

/* Writes the command register: 2 memory, 4 bus master. -1, and errno. */
static inline int vfio_command(int device, uint16_t command)
{
    struct vfio_region_info config = {.argsz = sizeof(config),
                                      .index = VFIO_PCI_CONFIG_REGION_INDEX};

    if (ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &config))
        return -1;
    return pwrite(device, &command, sizeof(command), (off_t)config.offset + 4) == 2 ? 0 : -1;
}

/* All of BAR 0, decoded or not. NULL, and errno. */
static inline volatile uint8_t *vfio_map_bar(int device, uint64_t *size)
{
    struct vfio_region_info bar = {.argsz = sizeof(bar), .index = VFIO_PCI_BAR0_REGION_INDEX};
    void *at;

    if (ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &bar))
        return NULL;
    *size = bar.size;
    at = mmap(NULL, bar.size, PROT_READ | PROT_WRITE, MAP_SHARED, device, (off_t)bar.offset);
    return at == MAP_FAILED ? NULL : at;
}

#endif
