/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client that believes in sysfs: it looks at the device's `config` file and its `driver` link
 * before it opens anything, and would bind the driver itself if it had to. Then VFIO by its group.
 * usage: config_first VENDOR DEVICE     as in 0x1234 0x11e8
 */
#include <dirent.h>
#include <fcntl.h>
#include <linux/pci_regs.h>
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

#define DEVICES "/sys/bus/pci/devices"
#define DRIVERS "/sys/bus/pci/drivers"
#define IOVA    0x20000000ull
#define BYTES   1024u

static char path[512];

static void must(bool success, const char *what)
{
    if (success)
        return;
    perror(what);
    exit(1);
}

static const char *file_of(const char *device, const char *file)
{
    snprintf(path, sizeof(path), DEVICES "/%s/%s", device, file);
    return path;
}

static unsigned word(const uint8_t *config, unsigned at)
{
    return config[at] | (unsigned)config[at + 1] << 8;
}

/* The first bytes of a device's configuration space, as many as the file gives; at least 64. */
static ssize_t read_config(const char *device, uint8_t config[256])
{
    int fd = open(file_of(device, "config"), O_RDONLY);

    must(fd >= 0, path);
    ssize_t got = pread(fd, config, 256, 0);
    close(fd);
    must(got >= 64, "64 bytes of config");
    return got;
}

static bool find(char name[32], unsigned vendor, unsigned device)
{
    DIR *directory = opendir(DEVICES);
    struct dirent *entry;
    uint8_t config[256];

    must(directory != NULL, DEVICES);
    name[0] = '\0';
    while (!name[0] && (entry = readdir(directory))) {
        if (entry->d_name[0] == '.')
            continue;
        read_config(entry->d_name, config);
        if (word(config, PCI_VENDOR_ID) == vendor && word(config, PCI_DEVICE_ID) == device)
            snprintf(name, 32, "%.31s", entry->d_name);
    }
    closedir(directory);
    return name[0] != '\0';
}

static bool has_capability(const uint8_t *config, unsigned wanted)
{
    unsigned at = word(config, PCI_STATUS) & PCI_STATUS_CAP_LIST ? config[PCI_CAPABILITY_LIST] : 0;

    for (unsigned left = 48; at >= 64 && left > 0; left--, at = config[at + 1])
        if (config[at] == wanted)
            return true;
    return false;
}

/* vfio-pci has to be the driver; a client that finds another one unbinds it and binds this. */
static void see_to_driver(const char *device)
{
    char target[256];
    ssize_t length = readlink(file_of(device, "driver"), target, sizeof(target) - 1);

    must(length > 0, path);
    target[length] = '\0';
    const char *driver = strrchr(target, '/') + 1;
    printf("config_first: driver %s\n", driver);
    if (strcmp(driver, "vfio-pci") != 0) {
        int fd = open(file_of(device, "driver/unbind"), O_WRONLY);
        must(fd >= 0 && write(fd, device, strlen(device)) == (ssize_t)strlen(device), path);
        close(fd);
    }
    must(access(DRIVERS "/vfio-pci", F_OK) == 0, DRIVERS "/vfio-pci");
}

static void read_text(const char *device, const char *file, char *out, size_t size)
{
    FILE *stream = fopen(file_of(device, file), "r");

    must(stream && fgets(out, (int)size, stream), path);
    fclose(stream);
}

/* What the first line of `resource` says of BAR 0. */
static unsigned long long bar_size(const char *device)
{
    unsigned long long first, last, flags;
    char line[128];

    read_text(device, "resource", line, sizeof(line));
    must(sscanf(line, "%llx %llx %llx", &first, &last, &flags) == 3 && flags & 0x200, "resource");
    return last - first + 1;
}

static int open_group(const char *device, int container)
{
    struct vfio_group_status status = {.argsz = sizeof(status)};
    char link[256];
    ssize_t length = readlink(file_of(device, "iommu_group"), link, sizeof(link) - 1);

    must(length > 0, path);
    link[length] = '\0';
    snprintf(path, sizeof(path), "/dev/vfio/%s", strrchr(link, '/') + 1);
    int group = open(path, O_RDWR);
    must(group >= 0, path);
    must(!ioctl(group, VFIO_GROUP_GET_STATUS, &status) && status.flags & VFIO_GROUP_FLAGS_VIABLE,
         "viable");
    must(!ioctl(group, VFIO_GROUP_SET_CONTAINER, &container), "SET_CONTAINER");
    return group;
}

/* The device's own view of its configuration is that of the file, and bus mastering is set there.
 */
static void compare_and_enable(int device, const uint8_t *config)
{
    struct vfio_region_info info = {.argsz = sizeof(info), .index = VFIO_PCI_CONFIG_REGION_INDEX};
    uint8_t again[64];
    uint16_t command = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;

    must(!ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &info), "REGION_INFO");
    must(pread(device, again, sizeof(again), (off_t)info.offset) == sizeof(again), "config");
    bool equal = memcmp(again, config, 4) == 0 && memcmp(again + 8, config + 8, 4) == 0;
    printf("config_first: the two views of configuration space %s\n", equal ? "agree" : "differ");
    must(pwrite(device, &command, 2, (off_t)info.offset + PCI_COMMAND) == 2, "COMMAND");
}

static volatile uint8_t *map_registers(int device, unsigned long long size)
{
    struct vfio_region_info info = {.argsz = sizeof(info), .index = VFIO_PCI_BAR0_REGION_INDEX};

    must(!ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &info) && info.size == size, "BAR 0");
    void *at =
        mmap(NULL, info.size, PROT_READ | PROT_WRITE, MAP_SHARED, device, (off_t)info.offset);
    must(at != MAP_FAILED, "mmap BAR 0");
    return at;
}

/* edu is asked whether it is done, again and again: no interrupt. */
static void transfer(volatile uint8_t *registers, uint64_t from, uint64_t to, unsigned direction)
{
    *(volatile uint64_t *)(registers + EDU_SOURCE) = from;
    *(volatile uint64_t *)(registers + EDU_TARGET) = to;
    *(volatile uint64_t *)(registers + EDU_COUNT) = BYTES;
    *(volatile uint64_t *)(registers + EDU_COMMAND) = EDU_RUN | direction;
    while (*(volatile uint64_t *)(registers + EDU_COMMAND) & EDU_RUN)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static bool copy(int container, volatile uint8_t *registers)
{
    uint8_t *memory = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct vfio_iommu_type1_dma_map map = {.argsz = sizeof(map),
                                           .flags =
                                               VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
                                           .vaddr = (uintptr_t)memory,
                                           .iova = IOVA,
                                           .size = 8192};

    must(memory != MAP_FAILED && !ioctl(container, VFIO_IOMMU_MAP_DMA, &map), "MAP_DMA");
    for (unsigned i = 0; i < BYTES; i++)
        memory[i] = (uint8_t)(i * 5 + 1);
    transfer(registers, IOVA, EDU_BUFFER, 0);
    transfer(registers, EDU_BUFFER, IOVA + 4096, EDU_TO_MEMORY);
    return memcmp(memory, memory + 4096, BYTES) == 0;
}

int main(int argc, char **argv)
{
    uint8_t config[256] = {0};
    char name[32], class[32];

    if (argc != 3 ||
        !find(name, (unsigned)strtoul(argv[1], NULL, 0), (unsigned)strtoul(argv[2], NULL, 0))) {
        fprintf(stderr, "config_first: no such device\n");
        return 1;
    }
    ssize_t got = read_config(name, config);
    printf("config_first: %s, %d bytes of config or more, MSI %s\n", name, got >= 256 ? 256 : 64,
           has_capability(config, PCI_CAP_ID_MSI) ? "there" : "missing");
    see_to_driver(name);
    read_text(name, "class", class, sizeof(class));
    printf("config_first: class %s", class);
    must(strtoul(class, NULL, 16) ==
             (word(config, PCI_CLASS_PROG) | (unsigned long)config[PCI_CLASS_PROG + 2] << 16),
         "class as in config");
    unsigned long long size = bar_size(name);
    printf("config_first: BAR 0 has %llu bytes\n", size);

    int container = open("/dev/vfio/vfio", O_RDWR);
    must(container >= 0, "/dev/vfio/vfio");
    int group = open_group(name, container);
    must(!ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU), "SET_IOMMU");
    int device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, name);
    must(device >= 0, "GET_DEVICE_FD");
    compare_and_enable(device, config);
    bool good = copy(container, map_registers(device, size));
    printf("config_first: copy %s\n", good ? "ok" : "FAILED");
    return good ? 0 : 1;
}
