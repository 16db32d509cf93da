/* SPDX-License-Identifier: BSD-2-Clause */
#include <bulkhead/device.h>

#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/iommufd.h>
#include <linux/vfio.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEVICES    "/sys/bus/pci/devices"
#define UIO        "/sys/class/uio"
#define PATH_SIZE  384
#define PAGE       4096u
#define FIRST_IOVA 0x100000000ull /* above 4 GiB: a driver that cuts addresses off is found out */
#define UIO_MAKE   0xfffff000ll   /* offset of mmap at which Bulkhead's UIO makes a buffer */

enum {
    PCI_COMMAND = 4,
    PCI_COMMAND_MEMORY = 2,
    PCI_COMMAND_MASTER = 4,
};

/* Where the families differ. */
struct family {
    void (*open_space)(struct dma_space *space);
    int (*open_device)(struct dma_space *space, const char *name);
    void (*map)(struct dma_space *space, const struct dma_memory *memory);
    void (*unmap)(struct dma_space *space, const struct dma_memory *memory);
};

/* Finding */

/* What a small file of a device says, as a number; -1 if there is no such file. */
static long read_number(const char *device, const char *file)
{
    char path[PATH_SIZE], text[32] = "";

    snprintf(path, sizeof(path), DEVICES "/%s/%s", device, file);
    int fd = open(path, O_RDONLY);
    if (fd < 0)
        return -1;
    ssize_t got = read(fd, text, sizeof(text) - 1);
    close(fd);
    return got > 0 ? strtol(text, NULL, 0) : -1;
}

static bool fits(const char *device, const void *wanted)
{
    const struct device_match *match = wanted;

    return (!match->vendor || read_number(device, "vendor") == match->vendor) &&
           (!match->device || read_number(device, "device") == match->device) &&
           (!match->class_code || read_number(device, "class") == match->class_code);
}

/* Does the link DIRECTORY/ENTRY/LINK lead to something called `name`? */
static bool links_to(const char *directory, const char *entry, const char *link, const char *name)
{
    char path[PATH_SIZE], target[PATH_SIZE];

    snprintf(path, sizeof(path), "%s/%s/%s", directory, entry, link);
    ssize_t length = readlink(path, target, sizeof(target) - 1);
    if (length < 0)
        return false;
    target[length] = '\0';
    const char *slash = strrchr(target, '/');
    return strcmp(slash ? slash + 1 : target, name) == 0;
}

static bool is_virtual_of(const char *device, const void *physical)
{
    return links_to(DEVICES, device, "physfn", physical);
}

static bool is_uio_of(const char *uio, const void *device)
{
    return links_to(UIO, uio, "device", device);
}

static bool is_vfio(const char *entry, const void *nothing)
{
    (void)nothing;
    return strncmp(entry, "vfio", 4) == 0;
}

/* The lowest name in a directory that a test is true of; "" if there is none. */
static void find_lowest(const char *path, char name[DEVICE_NAME_SIZE],
                        bool (*test)(const char *entry, const void *with), const void *with)
{
    DIR *directory = opendir(path);
    struct dirent *entry;

    name[0] = '\0';
    if (!directory)
        err(1, "%s", path);
    while ((entry = readdir(directory))) {
        size_t length = strlen(entry->d_name);
        bool lowest = !name[0] || strcmp(entry->d_name, name) < 0;
        if (entry->d_name[0] != '.' && length < DEVICE_NAME_SIZE && lowest &&
            test(entry->d_name, with))
            memcpy(name, entry->d_name, length + 1);
    }
    closedir(directory);
}

void device_find(char name[DEVICE_NAME_SIZE], const char *wanted, const struct device_match *match,
                 const char *what)
{
    if (wanted)
        snprintf(name, DEVICE_NAME_SIZE, "%s", wanted);
    else
        find_lowest(DEVICES, name, fits, match);
    if (!name[0])
        errx(1, "no %s is assigned", what);
}

void device_find_virtual(char name[DEVICE_NAME_SIZE], const char *physical)
{
    find_lowest(DEVICES, name, is_virtual_of, physical);
    if (!name[0])
        errx(1, "%s has no virtual functions", physical);
}

static int open_file(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);

    if (fd < 0)
        err(1, "%s", path);
    return fd;
}

/* VFIO groups */

static void open_container(struct dma_space *space)
{
    space->file = open_file("/dev/vfio/vfio");
}

static long group_number(const char *device)
{
    char path[PATH_SIZE], link[PATH_SIZE];

    snprintf(path, sizeof(path), DEVICES "/%s/iommu_group", device);
    ssize_t length = readlink(path, link, sizeof(link) - 1);
    if (length < 0)
        err(1, "there is no device %s: %s", device, path);
    link[length] = '\0';
    const char *slash = strrchr(link, '/');
    return strtol(slash ? slash + 1 : link, NULL, 10);
}

/* Opens a group and puts it into the space's container. The first one there brings the IOMMU. */
static int add_group(struct dma_space *space, long number)
{
    char path[32];
    struct vfio_group_status status = {.argsz = sizeof(status)};

    if (space->group_count == GROUPS_MAX)
        errx(1, "%d groups are too many for one space", GROUPS_MAX + 1);
    snprintf(path, sizeof(path), "/dev/vfio/%ld", number);
    int group = open_file(path);
    if (ioctl(group, VFIO_GROUP_GET_STATUS, &status) < 0 ||
        !(status.flags & VFIO_GROUP_FLAGS_VIABLE))
        errx(1, "%s: the group is not viable: other devices of it have drivers", path);
    if (ioctl(group, VFIO_GROUP_SET_CONTAINER, &space->file) < 0)
        err(1, "VFIO_GROUP_SET_CONTAINER %s", path);
    if (space->group_count == 0 && ioctl(space->file, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) < 0)
        err(1, "VFIO_SET_IOMMU");
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

static int open_in_group(struct dma_space *space, const char *name)
{
    int file = ioctl(group_of(space, name), VFIO_GROUP_GET_DEVICE_FD, name);

    if (file < 0)
        err(1, "VFIO_GROUP_GET_DEVICE_FD %s", name);
    return file;
}

static void map_in_container(struct dma_space *space, const struct dma_memory *memory)
{
    struct vfio_iommu_type1_dma_map request = {.argsz = sizeof(request),
                                               .flags =
                                                   VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
                                               .vaddr = (uintptr_t)memory->at,
                                               .iova = memory->iova,
                                               .size = memory->size};

    if (space->group_count == 0)
        errx(1, "a container takes memory only after a device was opened in it");
    if (ioctl(space->file, VFIO_IOMMU_MAP_DMA, &request) < 0)
        err(1, "VFIO_IOMMU_MAP_DMA of %zu bytes", memory->size);
}

static void unmap_in_container(struct dma_space *space, const struct dma_memory *memory)
{
    struct vfio_iommu_type1_dma_unmap request = {
        .argsz = sizeof(request), .iova = memory->iova, .size = memory->size};

    if (ioctl(space->file, VFIO_IOMMU_UNMAP_DMA, &request) < 0)
        err(1, "VFIO_IOMMU_UNMAP_DMA");
    if (request.size != memory->size)
        errx(1, "VFIO_IOMMU_UNMAP_DMA: %llu of %zu bytes were mapped",
             (unsigned long long)request.size, memory->size);
}

/* iommufd */

static void open_iommufd(struct dma_space *space)
{
    struct iommu_ioas_alloc request = {.size = sizeof(request)};

    space->file = open_file("/dev/iommu");
    if (ioctl(space->file, IOMMU_IOAS_ALLOC, &request) < 0)
        err(1, "IOMMU_IOAS_ALLOC");
    space->ioas = request.out_ioas_id;
}

static int open_of_its_own(struct dma_space *space, const char *name)
{
    char path[PATH_SIZE], entry[DEVICE_NAME_SIZE];
    struct vfio_device_bind_iommufd bind = {.argsz = sizeof(bind), .iommufd = space->file};
    struct vfio_device_attach_iommufd_pt attach = {.argsz = sizeof(attach), .pt_id = space->ioas};

    snprintf(path, sizeof(path), DEVICES "/%s/vfio-dev", name);
    find_lowest(path, entry, is_vfio, NULL);
    if (!entry[0])
        errx(1, "%s is empty: the device has no file of its own", path);
    snprintf(path, sizeof(path), "/dev/vfio/devices/%s", entry);
    int file = open_file(path);
    if (ioctl(file, VFIO_DEVICE_BIND_IOMMUFD, &bind) < 0)
        err(1, "VFIO_DEVICE_BIND_IOMMUFD %s", path);
    if (ioctl(file, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach) < 0)
        err(1, "VFIO_DEVICE_ATTACH_IOMMUFD_PT %s", path);
    return file;
}

static void map_in_ioas(struct dma_space *space, const struct dma_memory *memory)
{
    struct iommu_ioas_map request = {.size = sizeof(request),
                                     .flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
                                              IOMMU_IOAS_MAP_WRITEABLE,
                                     .ioas_id = space->ioas,
                                     .user_va = (uintptr_t)memory->at,
                                     .length = memory->size,
                                     .iova = memory->iova};

    if (ioctl(space->file, IOMMU_IOAS_MAP, &request) < 0)
        err(1, "IOMMU_IOAS_MAP of %zu bytes", memory->size);
}

static void unmap_in_ioas(struct dma_space *space, const struct dma_memory *memory)
{
    struct iommu_ioas_unmap request = {.size = sizeof(request),
                                       .ioas_id = space->ioas,
                                       .iova = memory->iova,
                                       .length = memory->size};

    if (ioctl(space->file, IOMMU_IOAS_UNMAP, &request) < 0)
        err(1, "IOMMU_IOAS_UNMAP");
}

/* UIO */

static void open_nothing(struct dma_space *space)
{
    (void)space;
}

static int open_uio(struct dma_space *space, const char *name)
{
    char path[PATH_SIZE], entry[DEVICE_NAME_SIZE];

    if (space->file >= 0)
        errx(1, "a space of UIO takes one device");
    find_lowest(UIO, entry, is_uio_of, name);
    if (!entry[0])
        errx(1, "%s has no file in " UIO ": it is not a device of UIO (option uio=yes)", name);
    snprintf(path, sizeof(path), "/dev/%s", entry);
    int file = open_file(path);
    space->file = fcntl(file, F_DUPFD_CLOEXEC, 0);
    if (space->file < 0)
        err(1, "%s", path);
    return file;
}

/* The device brings the memory, and its address in the first word. */
static struct dma_memory make_in_uio(struct dma_space *space, size_t size)
{
    if (space->file < 0)
        errx(1, "a space of UIO makes memory only after its device was opened");
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, space->file, UIO_MAKE);
    if (at == MAP_FAILED)
        err(1, "%zu bytes of memory for DMA from UIO (option dma-memory=yes)", size);
    return (struct dma_memory){.at = at, .iova = *(uint64_t *)at, .size = size};
}

static void cannot_map(struct dma_space *space, const struct dma_memory *memory)
{
    (void)space;
    errx(1, "UIO gives memory for DMA, and takes none: %zu bytes at %p", memory->size,
         (void *)memory->at);
}

static void cannot_unmap(struct dma_space *space, const struct dma_memory *memory)
{
    (void)space;
    errx(1, "UIO takes no memory back while the program runs: %zu bytes at %p", memory->size,
         (void *)memory->at);
}

static const struct family families[] = {
    [DEVICE_VFIO_GROUP] = {open_container, open_in_group, map_in_container, unmap_in_container},
    [DEVICE_IOMMUFD] = {open_iommufd, open_of_its_own, map_in_ioas, unmap_in_ioas},
    [DEVICE_UIO] = {open_nothing, open_uio, cannot_map, cannot_unmap},
};

/* Memory for DMA */

void dma_space_open(struct dma_space *space, enum device_family family)
{
    *space = (struct dma_space){.family = family, .file = -1, .next = FIRST_IOVA};
    families[family].open_space(space);
}

void dma_space_close(struct dma_space *space)
{
    for (unsigned i = 0; i < space->group_count; i++)
        close(space->groups[i].file);
    if (space->file >= 0)
        close(space->file);
    *space = (struct dma_space){.family = space->family, .file = -1};
}

struct dma_memory dma_space_map(struct dma_space *space, void *at, size_t size)
{
    struct dma_memory mapped = {.at = at, .iova = space->next, .size = size};

    families[space->family].map(space, &mapped);
    space->next += size;
    return mapped;
}

struct dma_memory dma_make(struct dma_space *space, size_t size)
{
    size = (size + PAGE - 1) / PAGE * PAGE;
    if (space->family == DEVICE_UIO)
        return make_in_uio(space, size);
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED)
        err(1, "%zu bytes of memory for DMA", size);
    return dma_space_map(space, at, size);
}

void dma_space_unmap(struct dma_space *space, const struct dma_memory *memory)
{
    families[space->family].unmap(space, memory);
}

/* Devices */

static struct vfio_region_info region(struct device *device, unsigned index)
{
    struct vfio_region_info info = {.argsz = sizeof(info), .index = index};

    if (ioctl(device->file, VFIO_DEVICE_GET_REGION_INFO, &info) < 0)
        err(1, "%s: VFIO_DEVICE_GET_REGION_INFO", device->name);
    return info;
}

/* Both are off when VFIO opens a device. UIO has them on. */
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

    *device = (struct device){.family = space->family};
    snprintf(device->name, sizeof(device->name), "%s", name);
    device->file = families[space->family].open_device(space, device->name);
    if (device->family == DEVICE_UIO)
        return;
    if (ioctl(device->file, VFIO_DEVICE_GET_INFO, &info) < 0)
        err(1, "%s: VFIO_DEVICE_GET_INFO", name);
    device->can_reset = info.flags & VFIO_DEVICE_FLAGS_RESET;
    enable_memory_and_dma(device);
}

void device_close(struct device *device)
{
    for (unsigned i = 0; i < DEVICE_BARS; i++) {
        if (device->bars[i].at)
            munmap((void *)device->bars[i].at, device->bars[i].size);
    }
    close(device->file);
    *device = (struct device){.family = device->family, .file = -1};
}

/* Where mmap finds a BAR. UIO tells in the size what there is. */
static off_t bar_offset(struct device *device, unsigned bar, size_t size)
{
    if (device->family == DEVICE_UIO)
        return (off_t)bar * PAGE;
    struct vfio_region_info info = region(device, VFIO_PCI_BAR0_REGION_INDEX + bar);
    if (info.size < size)
        errx(1, "%s: BAR %u is smaller than %zu bytes", device->name, bar, size);
    return (off_t)info.offset;
}

volatile void *device_map_bar(struct device *device, unsigned bar, size_t size)
{
    if (bar >= DEVICE_BARS)
        errx(1, "%s: there is no BAR %u", device->name, bar);
    if (device->bars[bar].at) {
        if (device->bars[bar].size < size)
            errx(1, "%s: BAR %u is mapped with %zu bytes, and not with %zu", device->name, bar,
                 device->bars[bar].size, size);
        return device->bars[bar].at;
    }
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, device->file,
                    bar_offset(device, bar, size));
    if (at == MAP_FAILED)
        err(1, "%s: mmap %zu bytes of BAR %u", device->name, size, bar);
    device->bars[bar].at = at;
    device->bars[bar].size = size;
    return at;
}

void device_reset(struct device *device)
{
    if (device->family == DEVICE_UIO)
        errx(1, "%s: UIO has no call that resets a device", device->name);
    if (ioctl(device->file, VFIO_DEVICE_RESET) < 0)
        err(1, "%s: VFIO_DEVICE_RESET", device->name);
}

/* Interrupts */

unsigned device_count_interrupts(struct device *device, enum device_interrupt kind)
{
    struct vfio_irq_info info = {.argsz = sizeof(info), .index = kind};

    if (device->family == DEVICE_UIO)
        return 1;
    if (ioctl(device->file, VFIO_DEVICE_GET_IRQ_INFO, &info) < 0)
        err(1, "%s: VFIO_DEVICE_GET_IRQ_INFO", device->name);
    return info.count;
}

static int make_event(struct device *device)
{
    int event = device->family == DEVICE_UIO ? fcntl(device->file, F_DUPFD_CLOEXEC, 0)
                                             : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    if (event < 0)
        err(1, "%s: an event", device->name);
    return event;
}

static void connect(struct device *device, unsigned kind, const int *events, unsigned count)
{
    union {
        struct vfio_irq_set set;
        char bytes[sizeof(struct vfio_irq_set) + EVENTS_MAX * sizeof(int)];
    } request = {.set = {.argsz = (uint32_t)(sizeof(struct vfio_irq_set) + count * sizeof(int)),
                         .flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
                         .index = kind,
                         .count = count}};

    memcpy(request.bytes + sizeof(struct vfio_irq_set), events, count * sizeof(int));
    if (ioctl(device->file, VFIO_DEVICE_SET_IRQS, &request) < 0)
        err(1, "%s: VFIO_DEVICE_SET_IRQS", device->name);
}

void device_enable_interrupts(struct device *device, enum device_interrupt kind, int *events,
                              unsigned count)
{
    static const char *const names[] = {"INTx", "MSI", "MSI-X"};
    unsigned most = device_count_interrupts(device, kind);

    if (count > EVENTS_MAX)
        errx(1, "%s: %u interrupts are more than %u", device->name, count, EVENTS_MAX);
    if (count > most)
        errx(1, "%s: it has %u %s interrupts, and not %u", device->name, most, names[kind], count);
    for (unsigned i = 0; i < count; i++)
        events[i] = make_event(device);
    if (device->family != DEVICE_UIO)
        connect(device, kind, events, count);
}

void device_unmask_intx(struct device *device)
{
    struct vfio_irq_set request = {.argsz = sizeof(request),
                                   .flags = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_UNMASK,
                                   .index = VFIO_PCI_INTX_IRQ_INDEX,
                                   .count = 1};
    int32_t on = 1;
    bool done = device->family == DEVICE_UIO
                    ? write(device->file, &on, sizeof(on)) == sizeof(on)
                    : ioctl(device->file, VFIO_DEVICE_SET_IRQS, &request) == 0;

    if (!done)
        err(1, "%s: unmask the interrupt", device->name);
}

/* An eventfd holds a count of 8 bytes. The file of UIO gives 4, and is the only one with a driver.
 */
static uint64_t take(int event)
{
    struct stat status;
    uint64_t came = 0;
    int32_t total;

    if (fstat(event, &status) == 0 && S_ISCHR(status.st_mode))
        return read(event, &total, sizeof(total)) == sizeof(total);
    return read(event, &came, sizeof(came)) == sizeof(came) ? came : 0;
}

bool events_wait(const int *events, uint64_t *counts, unsigned count, int milliseconds)
{
    struct pollfd polled[EVENTS_MAX];
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
        if (polled[i].revents)
            counts[i] += take(events[i]);
    }
    return ready > 0;
}

void events_forget(const int *events, unsigned count)
{
    uint64_t forgotten[EVENTS_MAX] = {0};

    events_wait(events, forgotten, count, 0);
}
