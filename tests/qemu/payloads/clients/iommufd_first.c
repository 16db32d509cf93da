/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client that prefers the newer interface, and takes the older one where a system has only that:
 * the device's own file with an iommufd, else its group in a container. Afterwards nothing in it
 * asks which it was, but the calls that map.
 * usage: iommufd_first ADDRESS [IOMMU...]     IOMMU instead of /dev/iommu, one after the other
 */
#include <dirent.h>
#include <fcntl.h>
#include <linux/iommufd.h>
#include <linux/vfio.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "edu_registers.h"

#define DEVICES  "/sys/bus/pci/devices"
#define IOVA     0x40000000ull
#define SIZE     0x4000u
#define BYTES    4000u
#define PATIENCE 60000 /* ms */

struct client {
    bool by_iommufd;
    int iommu, group, device, done; /* files; -1: none */
    uint32_t ioas;
    volatile uint8_t *registers;
    size_t registers_size;
};

static void must(bool success, const char *what)
{
    if (success)
        return;
    perror(what);
    exit(1);
}

/* The device's own file, by the name in its folder vfio-dev. -1: it has none. */
static int open_own_file(const char *name)
{
    char path[320];
    struct dirent *entry;
    int file = -1;

    snprintf(path, sizeof(path), DEVICES "/%s/vfio-dev", name);
    DIR *directory = opendir(path);
    if (!directory)
        return -1;
    while (file < 0 && (entry = readdir(directory))) {
        snprintf(path, sizeof(path), "/dev/vfio/devices/%s", entry->d_name);
        if (strncmp(entry->d_name, "vfio", 4) == 0)
            file = open(path, O_RDWR);
    }
    closedir(directory);
    return file;
}

/* False: this system has no such thing, and nothing is left open. */
static bool open_by_iommufd(struct client *client, const char *name, const char *iommu)
{
    struct vfio_device_bind_iommufd bind = {.argsz = sizeof(bind)};
    struct iommu_ioas_alloc alloc = {.size = sizeof(alloc)};

    client->iommu = open(iommu, O_RDWR);
    if (client->iommu < 0)
        return false;
    client->device = open_own_file(name);
    bind.iommufd = client->iommu;
    if (client->device < 0 || ioctl(client->device, VFIO_DEVICE_BIND_IOMMUFD, &bind)) {
        if (client->device >= 0)
            close(client->device);
        close(client->iommu);
        return false;
    }
    must(!ioctl(client->iommu, IOMMU_IOAS_ALLOC, &alloc), "IOAS_ALLOC");
    client->ioas = alloc.out_ioas_id;
    struct vfio_device_attach_iommufd_pt attach = {.argsz = sizeof(attach), .pt_id = client->ioas};
    must(!ioctl(client->device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach), "ATTACH");
    return true;
}

static void open_by_group(struct client *client, const char *name)
{
    char path[320], link[256];

    snprintf(path, sizeof(path), DEVICES "/%s/iommu_group", name);
    ssize_t length = readlink(path, link, sizeof(link) - 1);
    must(length > 0, path);
    link[length] = '\0';
    snprintf(path, sizeof(path), "/dev/vfio%s", strrchr(link, '/'));
    client->iommu = open("/dev/vfio/vfio", O_RDWR);
    client->group = open(path, O_RDWR);
    must(client->iommu >= 0 && client->group >= 0, path);
    must(!ioctl(client->group, VFIO_GROUP_SET_CONTAINER, &client->iommu), "SET_CONTAINER");
    must(!ioctl(client->iommu, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU), "SET_IOMMU");
    client->device = ioctl(client->group, VFIO_GROUP_GET_DEVICE_FD, name);
    must(client->device >= 0, "GET_DEVICE_FD");
}

static void map(struct client *client, void *memory)
{
    struct iommu_ioas_map one = {.size = sizeof(one),
                                 .flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
                                          IOMMU_IOAS_MAP_WRITEABLE,
                                 .ioas_id = client->ioas,
                                 .user_va = (uintptr_t)memory,
                                 .length = SIZE,
                                 .iova = IOVA};
    struct vfio_iommu_type1_dma_map other = {.argsz = sizeof(other),
                                             .flags =
                                                 VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
                                             .vaddr = (uintptr_t)memory,
                                             .iova = IOVA,
                                             .size = SIZE};

    must(client->by_iommufd ? !ioctl(client->iommu, IOMMU_IOAS_MAP, &one)
                            : !ioctl(client->iommu, VFIO_IOMMU_MAP_DMA, &other),
         "map");
}

static void prepare(struct client *client)
{
    struct vfio_region_info bar = {.argsz = sizeof(bar), .index = VFIO_PCI_BAR0_REGION_INDEX};
    struct vfio_region_info config = {.argsz = sizeof(config),
                                      .index = VFIO_PCI_CONFIG_REGION_INDEX};
    struct {
        uint32_t argsz, flags, index, start, count;
        int32_t event;
    } set = {.argsz = sizeof(set),
             .flags = VFIO_IRQ_SET_ACTION_TRIGGER | VFIO_IRQ_SET_DATA_EVENTFD,
             .index = VFIO_PCI_MSI_IRQ_INDEX,
             .count = 1};
    uint16_t command = 6;

    must(!ioctl(client->device, VFIO_DEVICE_GET_REGION_INFO, &bar) &&
             !ioctl(client->device, VFIO_DEVICE_GET_REGION_INFO, &config),
         "regions");
    must(pwrite(client->device, &command, 2, (off_t)config.offset + 4) == 2, "command");
    void *at =
        mmap(NULL, bar.size, PROT_READ | PROT_WRITE, MAP_SHARED, client->device, (off_t)bar.offset);
    must(at != MAP_FAILED, "BAR 0");
    client->registers = at;
    client->registers_size = bar.size;
    client->done = set.event = eventfd(0, 0);
    must(set.event >= 0 && !ioctl(client->device, VFIO_DEVICE_SET_IRQS, &set), "SET_IRQS");
}

static void transfer(struct client *client, uint64_t from, uint64_t to, unsigned direction)
{
    struct pollfd wait = {.fd = client->done, .events = POLLIN};
    uint64_t count;

    *(volatile uint64_t *)(client->registers + EDU_SOURCE) = from;
    *(volatile uint64_t *)(client->registers + EDU_TARGET) = to;
    *(volatile uint64_t *)(client->registers + EDU_COUNT) = BYTES;
    *(volatile uint64_t *)(client->registers + EDU_COMMAND) = EDU_RUN | EDU_INTERRUPT | direction;
    must(poll(&wait, 1, PATIENCE) == 1, "the interrupt");
    must(read(client->done, &count, sizeof(count)) == sizeof(count) && count == 1, "once");
    *(volatile uint32_t *)(client->registers + EDU_ACKNOWLEDGE) = ~0u;
}

static bool copy(struct client *client)
{
    uint8_t *memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    must(memory != MAP_FAILED, "memory");
    map(client, memory);
    for (unsigned i = 0; i < BYTES; i++)
        memory[i] = (uint8_t)(i * 3 + client->by_iommufd);
    transfer(client, IOVA, EDU_BUFFER, 0);
    transfer(client, EDU_BUFFER, IOVA + SIZE / 2, EDU_TO_MEMORY);
    bool equal = memcmp(memory, memory + SIZE / 2, BYTES) == 0;
    munmap(memory, SIZE);
    return equal;
}

static void close_all(struct client *client)
{
    munmap((void *)client->registers, client->registers_size);
    close(client->device);
    close(client->done);
    if (client->group >= 0)
        close(client->group);
    close(client->iommu);
}

static bool run(const char *name, const char *iommu)
{
    struct client client = {.group = -1};

    client.by_iommufd = open_by_iommufd(&client, name, iommu);
    if (!client.by_iommufd)
        open_by_group(&client, name);
    prepare(&client);
    bool good = copy(&client);
    printf("iommufd_first: %s by %s: copy %s\n", iommu, client.by_iommufd ? "iommufd" : "its group",
           good ? "ok" : "FAILED");
    close_all(&client);
    return good;
}

int main(int argc, char **argv)
{
    bool good = true;

    must(argc >= 2, "usage: iommufd_first ADDRESS [IOMMU...]");
    if (argc == 2)
        return run(argv[1], "/dev/iommu") ? 0 : 1;
    for (int i = 2; i < argc; i++)
        good &= run(argv[1], argv[i]);
    return good ? 0 : 1;
}
