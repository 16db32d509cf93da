/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/vfio.h"

#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define DEVICES    "/sys/bus/pci/devices"
#define FIRST_IOVA 0x100000000ull /* above 4 GiB: a driver that cuts addresses off is found out */
#define EVENTS_MAX 8u

enum {
    PCI_COMMAND = 4,
    PCI_COMMAND_MEMORY = 2,
    PCI_COMMAND_MASTER = 4,
};

/* What a small file of a device says, as a number; -1 if there is no such file. */
static long read_number(const char *device, const char *file)
{
    char path[320], text[32] = "";

    snprintf(path, sizeof(path), DEVICES "/%s/%s", device, file);
    int fd = open(path, O_RDONLY);
    if (fd < 0)
        return -1;
    ssize_t got = read(fd, text, sizeof(text) - 1);
    close(fd);
    return got > 0 ? strtol(text, NULL, 0) : -1;
}

static bool fits(const char *device, const struct device_match *match)
{
    return (!match->vendor || read_number(device, "vendor") == match->vendor) &&
           (!match->device || read_number(device, "device") == match->device) &&
           (!match->class || read_number(device, "class") == match->class);
}

void device_choose(char name[DEVICE_NAME_SIZE], const char *wanted,
                   const struct device_match *match, const char *what)
{
    name[0] = '\0';
    if (wanted) {
        snprintf(name, DEVICE_NAME_SIZE, "%s", wanted);
        return;
    }
    DIR *directory = opendir(DEVICES);
    struct dirent *entry;
    if (!directory)
        err(1, DEVICES);
    while ((entry = readdir(directory))) {
        size_t length = strlen(entry->d_name);
        bool first = !name[0] || strcmp(entry->d_name, name) < 0;
        if (length < DEVICE_NAME_SIZE && first && fits(entry->d_name, match))
            memcpy(name, entry->d_name, length + 1);
    }
    closedir(directory);
    if (!name[0])
        errx(1, "there is no %s", what);
}

static bool is_virtual_of(const char *device, const char *physical)
{
    char path[320], target[320];

    snprintf(path, sizeof(path), DEVICES "/%s/physfn", device);
    ssize_t length = readlink(path, target, sizeof(target) - 1);
    if (length < 0)
        return false;
    target[length] = '\0';
    const char *slash = strrchr(target, '/');
    return strcmp(slash ? slash + 1 : target, physical) == 0;
}

void device_choose_virtual(char name[DEVICE_NAME_SIZE], const char *physical)
{
    DIR *directory = opendir(DEVICES);
    struct dirent *entry;

    name[0] = '\0';
    if (!directory)
        err(1, DEVICES);
    while ((entry = readdir(directory))) {
        size_t length = strlen(entry->d_name);
        bool first = !name[0] || strcmp(entry->d_name, name) < 0;
        if (length < DEVICE_NAME_SIZE && first && is_virtual_of(entry->d_name, physical))
            memcpy(name, entry->d_name, length + 1);
    }
    closedir(directory);
    if (!name[0])
        errx(1, "%s has no virtual functions", physical);
}

void dma_space_open(struct dma_space *space)
{
    *space = (struct dma_space){.container = open("/dev/vfio/vfio", O_RDWR), .next = FIRST_IOVA};
    if (space->container < 0)
        err(1, "/dev/vfio/vfio");
}

struct dma_memory dma_make(struct dma_space *space, size_t size)
{
    struct dma_memory made = {.iova = space->next, .size = (size + PAGE - 1) / PAGE * PAGE};

    made.at = mmap(NULL, made.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (made.at == MAP_FAILED)
        err(1, "memory for DMA");
    struct vfio_iommu_type1_dma_map request = {.argsz = sizeof(request),
                                               .flags =
                                                   VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
                                               .vaddr = (uintptr_t)made.at,
                                               .iova = made.iova,
                                               .size = made.size};
    if (ioctl(space->container, VFIO_IOMMU_MAP_DMA, &request) < 0)
        err(1, "VFIO_IOMMU_MAP_DMA");
    space->next += made.size;
    return made;
}

static long group_number(const char *device)
{
    char path[96], link[96];

    snprintf(path, sizeof(path), DEVICES "/%s/iommu_group", device);
    ssize_t length = readlink(path, link, sizeof(link) - 1);
    if (length < 0)
        err(1, "there is no device %s: %s", device, path);
    link[length] = '\0';
    return strtol(strrchr(link, '/') + 1, NULL, 10);
}

/* Opens a group and puts it into the space's container. The first one there brings the IOMMU. */
static int add_group(struct dma_space *space, long number)
{
    char path[32];
    struct vfio_group_status status = {.argsz = sizeof(status)};

    snprintf(path, sizeof(path), "/dev/vfio/%ld", number);
    int group = open(path, O_RDWR);
    if (group < 0)
        err(1, "%s", path);
    if (ioctl(group, VFIO_GROUP_GET_STATUS, &status) < 0 ||
        !(status.flags & VFIO_GROUP_FLAGS_VIABLE))
        errx(1, "%s: the group is not viable", path);
    if (ioctl(group, VFIO_GROUP_SET_CONTAINER, &space->container) < 0)
        err(1, "VFIO_GROUP_SET_CONTAINER %s", path);
    if (space->group_count == 0 && ioctl(space->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) < 0)
        err(1, "VFIO_SET_IOMMU");
    if (space->group_count == GROUPS_MAX)
        errx(1, "%u groups are too many for one space", GROUPS_MAX + 1);
    space->groups[space->group_count].number = number;
    space->groups[space->group_count++].file = group;
    return group;
}

/* The device's group. A group is opened once, however many of its devices are used. */
static int group_of(struct dma_space *space, const char *device)
{
    long number = group_number(device);

    for (unsigned i = 0; i < space->group_count; i++) {
        if (space->groups[i].number == number)
            return space->groups[i].file;
    }
    return add_group(space, number);
}

static struct vfio_region_info region(struct device *device, unsigned index)
{
    struct vfio_region_info info = {.argsz = sizeof(info), .index = index};

    if (ioctl(device->file, VFIO_DEVICE_GET_REGION_INFO, &info) < 0)
        err(1, "%s: VFIO_DEVICE_GET_REGION_INFO", device->name);
    return info;
}

/* Both are off when a device is opened. */
static void enable_memory_and_dma(struct device *device)
{
    off_t at = (off_t)region(device, VFIO_PCI_CONFIG_REGION_INDEX).offset + PCI_COMMAND;
    uint16_t command;

    if (pread(device->file, &command, sizeof(command), at) != sizeof(command))
        err(1, "%s: read the command register", device->name);
    command |= PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
    if (pwrite(device->file, &command, sizeof(command), at) != sizeof(command))
        err(1, "%s: write the command register", device->name);
}

void device_open(struct device *device, struct dma_space *space, const char *name)
{
    struct vfio_device_info info = {.argsz = sizeof(info)};

    snprintf(device->name, sizeof(device->name), "%s", name);
    device->file = ioctl(group_of(space, name), VFIO_GROUP_GET_DEVICE_FD, device->name);
    if (device->file < 0)
        err(1, "VFIO_GROUP_GET_DEVICE_FD %s", name);
    if (ioctl(device->file, VFIO_DEVICE_GET_INFO, &info) < 0)
        err(1, "%s: VFIO_DEVICE_GET_INFO", name);
    device->can_reset = info.flags & VFIO_DEVICE_FLAGS_RESET;
    enable_memory_and_dma(device);
}

volatile void *device_map_bar(struct device *device, unsigned bar, size_t size)
{
    struct vfio_region_info info = region(device, VFIO_PCI_BAR0_REGION_INDEX + bar);

    if (info.size < size)
        errx(1, "%s: BAR %u is smaller than %zu bytes", device->name, bar, size);
    void *at =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, device->file, (off_t)info.offset);
    if (at == MAP_FAILED)
        err(1, "%s: mmap BAR %u", device->name, bar);
    return at;
}

unsigned device_interrupts(struct device *device, unsigned kind)
{
    struct vfio_irq_info info = {.argsz = sizeof(info), .index = kind};

    if (ioctl(device->file, VFIO_DEVICE_GET_IRQ_INFO, &info) < 0)
        err(1, "%s: VFIO_DEVICE_GET_IRQ_INFO", device->name);
    return info.count;
}

void device_set_interrupts(struct device *device, unsigned kind, const int *events, unsigned count)
{
    union {
        struct vfio_irq_set set;
        char bytes[sizeof(struct vfio_irq_set) + EVENTS_MAX * sizeof(int)];
    } request = {.set = {.argsz = sizeof(struct vfio_irq_set) + count * sizeof(int),
                         .flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
                         .index = kind,
                         .count = count}};
    unsigned most = device_interrupts(device, kind);

    if (most < count || count > EVENTS_MAX)
        errx(1, "%s: %u interrupts of a kind that it has %u of", device->name, count, most);
    memcpy(request.set.data, events, count * sizeof(int));
    if (ioctl(device->file, VFIO_DEVICE_SET_IRQS, &request) < 0)
        err(1, "%s: VFIO_DEVICE_SET_IRQS", device->name);
}

void device_unmask_intx(struct device *device)
{
    struct vfio_irq_set request = {.argsz = sizeof(request),
                                   .flags = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_UNMASK,
                                   .index = VFIO_PCI_INTX_IRQ_INDEX,
                                   .count = 1};

    if (ioctl(device->file, VFIO_DEVICE_SET_IRQS, &request) < 0)
        err(1, "%s: unmask INTx", device->name);
}

void device_reset(struct device *device)
{
    if (ioctl(device->file, VFIO_DEVICE_RESET) < 0)
        err(1, "%s: VFIO_DEVICE_RESET", device->name);
}

int event_make(void)
{
    int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    if (event < 0)
        err(1, "eventfd");
    return event;
}

bool events_wait(const int *events, uint64_t *counts, unsigned count, int milliseconds)
{
    struct pollfd polled[EVENTS_MAX];
    uint64_t came;
    int ready;

    if (count > EVENTS_MAX)
        errx(1, "%u events are too many to wait for", count);
    for (unsigned i = 0; i < count; i++)
        polled[i] = (struct pollfd){.fd = events[i], .events = POLLIN};
    do
        ready = poll(polled, count, milliseconds);
    while (ready < 0 && errno == EINTR);
    if (ready < 0)
        err(1, "poll");
    for (unsigned i = 0; i < count; i++) {
        if (polled[i].revents && read(events[i], &came, sizeof(came)) == sizeof(came))
            counts[i] += came;
    }
    return ready > 0;
}

void events_forget(const int *events, unsigned count)
{
    uint64_t forgotten[EVENTS_MAX] = {0};

    events_wait(events, forgotten, count, 0);
}
