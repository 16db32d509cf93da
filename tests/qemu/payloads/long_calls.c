/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls on address spaces and devices that have much to do; the device is the first argument. How
 * long the kernel keeps everything else out meanwhile is measured from outside; here they only have
 * to come to their right end.
 */
#include <linux/iommufd.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/uio.h>

#include "conform.h"
#include "vfio_open.h"

#define PAGE               4096u
#define RANGES             65536u
#define AREAS              40000u
#define ATTACHED           8000u
#define BAR_PIECE          (128u << 10)
#define WATCHES            900u
#define BAR_SIZE           (1u << 20) /* of edu */
#define BAR_MAPPINGS       500u
#define PCI_COMMAND        4
#define PCI_COMMAND_MEMORY 2

#define SIZE_SMALL ((size_t)64 << 20)

static const char *device;

static void *map(size_t length, int flags)
{
    return mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
}

static uint32_t new_ioas(int iommu)
{
    struct iommu_ioas_alloc alloc = {.size = sizeof(alloc)};

    return ioctl(iommu, IOMMU_IOAS_ALLOC, &alloc) ? 0 : alloc.out_ioas_id;
}

static int map_iova(int iommu, uint32_t ioas, void *memory, uint64_t length, uint64_t iova)
{
    struct iommu_ioas_map command = {
        .size = sizeof(command),
        .flags = IOMMU_IOAS_MAP_READABLE | (iova ? IOMMU_IOAS_MAP_FIXED_IOVA : 0),
        .ioas_id = ioas,
        .user_va = (uintptr_t)memory,
        .length = length,
        .iova = iova,
    };

    return ioctl(iommu, IOMMU_IOAS_MAP, &command);
}

/* No range has room, whatever the alignment. */
static void allowed_ranges(void)
{
    struct iommu_iova_range *ranges = malloc(RANGES * sizeof(*ranges));
    int iommu = open("/dev/iommu", O_RDWR);
    struct iommu_ioas_allow_iovas allow = {.size = sizeof(allow), .num_iovas = RANGES};

    CHECK(ranges && iommu >= 0);
    for (uint64_t i = 0; i < RANGES; i++)
        ranges[i] = (struct iommu_iova_range){(i + 1) * 2 * PAGE, (i + 1) * 2 * PAGE + PAGE - 1};
    allow.ioas_id = new_ioas(iommu);
    allow.allowed_iovas = (uintptr_t)ranges;
    CHECK_OK(ioctl(iommu, IOMMU_IOAS_ALLOW_IOVAS, &allow));
    CHECK_ERROR(map_iova(iommu, allow.ioas_id, (void *)(uintptr_t)PAGE, 0x40001000, 0), ENOSPC);
    CHECK_ERROR(map_iova(iommu, allow.ioas_id, (void *)(uintptr_t)PAGE, 2 * PAGE, 0), ENOSPC);
    CHECK_OK(close(iommu));
    free(ranges);
}

static void fill(int iommu, uint32_t ioas)
{
    for (uint64_t i = 1; i <= AREAS; i++)
        CHECK_OK(map_iova(iommu, ioas, (void *)(uintptr_t)PAGE, PAGE, i * 2 * PAGE));
}

static void many_areas(void)
{
    int iommu = open("/dev/iommu", O_RDWR);
    struct iommu_ioas_unmap all = {.size = sizeof(all), .length = UINT64_MAX};

    CHECK(iommu >= 0);
    all.ioas_id = new_ioas(iommu);
    fill(iommu, all.ioas_id);
    CHECK_OK(ioctl(iommu, IOMMU_IOAS_UNMAP, &all));
    CHECK_EQUAL(all.length, (uint64_t)AREAS * PAGE);
    fill(iommu, all.ioas_id);
    CHECK_OK(close(iommu));
}

static void close_files(const struct vfio_files *files)
{
    CHECK_OK(close(files->device));
    CHECK_OK(close(files->group));
    CHECK_OK(close(files->container));
}

/* The device can reach what is mapped; it all goes with the last close. */
static void attached_areas(void)
{
    struct vfio_files files;
    char *memory = map(PAGE, 0);

    CHECK(memory != MAP_FAILED);
    CHECK_OK(vfio_open(device, &files));
    for (uint64_t i = 1; i <= ATTACHED; i++) {
        struct vfio_iommu_type1_dma_map dma = {
            .argsz = sizeof(dma),
            .flags = VFIO_DMA_MAP_FLAG_READ,
            .vaddr = (uintptr_t)memory,
            .iova = i * 2 * PAGE,
            .size = PAGE,
        };

        CHECK_OK(ioctl(files.container, VFIO_IOMMU_MAP_DMA, &dma));
    }
    close_files(&files);
    CHECK_OK(munmap(memory, PAGE));
}

static void bar_vectors(void)
{
    struct iovec vectors[4];
    struct vfio_files files;
    char *memory = map(BAR_PIECE, 0);

    CHECK(memory != MAP_FAILED);
    CHECK_OK(vfio_open(device, &files));
    for (int i = 0; i < 4; i++)
        vectors[i] = (struct iovec){memory, BAR_PIECE};
    CHECK_EQUAL(preadv(files.device, vectors, 4, 0), (ssize_t)(4 * BAR_PIECE));
    close_files(&files);
    CHECK_OK(munmap(memory, BAR_PIECE));
}

/* Page tables of small leaves only, which cost most to look through: version 1 on an iommufd. */
static int map_small(struct vfio_files *files, char **memory)
{
    struct vfio_iommu_type1_dma_map dma = {
        .argsz = sizeof(dma),
        .flags = VFIO_DMA_MAP_FLAG_READ,
        .iova = SIZE_SMALL,
        .size = SIZE_SMALL,
    };

    char path[VFIO_PATH_SIZE];

    *memory = map(SIZE_SMALL, 0);
    if (*memory == MAP_FAILED || vfio_group_path(device, path))
        return -1;
    files->container = open("/dev/iommu", O_RDWR);
    files->group = open(path, O_RDWR);
    if (ioctl(files->group, VFIO_GROUP_SET_CONTAINER, &files->container) ||
        ioctl(files->container, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU))
        return -1;
    files->device = ioctl(files->group, VFIO_GROUP_GET_DEVICE_FD, device);
    dma.vaddr = (uintptr_t)*memory;
    return files->device < 0 ? -1 : ioctl(files->container, VFIO_IOMMU_MAP_DMA, &dma);
}

static void *read_text(void *path)
{
    static char text[1u << 16];
    int fd = open(path, O_RDONLY);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));

    close(fd);
    return (void *)(intptr_t)n;
}

/* While the page tables are looked through, they go. */
static void look_through(void)
{
    struct vfio_files files;
    pthread_t reader;
    char *memory;
    void *read;

    CHECK_OK(map_small(&files, &memory));
    CHECK((intptr_t)read_text("/sys/kernel/iommu/mappings") > 0);
    CHECK_EQUAL(pthread_create(&reader, NULL, read_text, "/sys/kernel/iommu/mappings"), 0);
    sched_yield();
    close_files(&files);
    CHECK_EQUAL(pthread_join(reader, &read), 0);
    CHECK((intptr_t)read > 0);
    CHECK((intptr_t)read_text("/sys/kernel/iommu/domains") > 0);
    CHECK_OK(munmap(memory, SIZE_SMALL));
}

/* They are looked through once more when the program ends. */
static void left_mapped(void)
{
    struct vfio_files files;
    char *memory;

    CHECK_OK(map_small(&files, &memory));
}

static void reset(void)
{
    struct vfio_files files;

    CHECK_OK(vfio_open(device, &files));
    CHECK_OK(ioctl(files.device, VFIO_DEVICE_RESET));
    close_files(&files);
}

/* All vectors of the device lead to one eventfd, which many epoll entries watch. */
static void fire(void)
{
    struct vfio_irq_info info = {.argsz = sizeof(info), .index = VFIO_PCI_MSIX_IRQ_INDEX};
    struct epoll_event event = {.events = EPOLLIN};
    struct vfio_irq_set *set;
    struct vfio_files files;
    int fd = eventfd(0, 0), epolls[3];
    uint64_t value;

    CHECK_OK(fd);
    for (unsigned e = 0; e < 3; e++)
        CHECK_OK(epolls[e] = epoll_create1(0));
    for (unsigned i = 0; i < WATCHES; i++) {
        int copy = i ? dup(fd) : fd;

        CHECK_OK(copy);
        for (unsigned e = 0; e < 3; e++)
            CHECK_OK(epoll_ctl(epolls[e], EPOLL_CTL_ADD, copy, &event));
    }
    CHECK_OK(vfio_open(device, &files));
    CHECK_OK(ioctl(files.device, VFIO_DEVICE_GET_IRQ_INFO, &info));
    CHECK(info.count >= 32);
    set = calloc(1, sizeof(*set) + info.count * sizeof(fd));
    set->argsz = (uint32_t)(sizeof(*set) + info.count * sizeof(fd));
    set->flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER;
    set->index = info.index;
    set->count = info.count;
    for (unsigned i = 0; i < info.count; i++)
        memcpy(set->data + i * sizeof(fd), &fd, sizeof(fd));
    CHECK_OK(ioctl(files.device, VFIO_DEVICE_SET_IRQS, set));
    set->argsz = sizeof(*set);
    set->flags = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER;
    CHECK_OK(ioctl(files.device, VFIO_DEVICE_SET_IRQS, set));
    CHECK_OK(read(fd, &value, sizeof(value)));
    CHECK_EQUAL(value, info.count);
    free(set);
    close_files(&files);
}

/* All of them lose their pages when decoding goes off. */
static void bar_mappings(void)
{
    const off_t command = ((off_t)VFIO_PCI_CONFIG_REGION_INDEX << 40) + PCI_COMMAND;
    struct vfio_files files;
    uint16_t off = 0, on = PCI_COMMAND_MEMORY;
    char *at[BAR_MAPPINGS];

    CHECK_OK(vfio_open(device, &files));
    CHECK_EQUAL(pwrite(files.device, &on, sizeof(on), command), sizeof(on));
    for (unsigned i = 0; i < BAR_MAPPINGS; i++) {
        at[i] = mmap(NULL, BAR_SIZE, PROT_READ, MAP_SHARED, files.device, 0);
        CHECK(at[i] != MAP_FAILED);
    }
    CHECK_EQUAL(pwrite(files.device, &off, sizeof(off), command), sizeof(off));
    for (unsigned i = 0; i < BAR_MAPPINGS; i++)
        CHECK_OK(munmap(at[i], BAR_SIZE));
    close_files(&files);
}

static const struct conform_case cases[] = {
    CASE(allowed_ranges), CASE(many_areas),   CASE(attached_areas),
    CASE(bar_vectors),    CASE(bar_mappings), CASE(reset),
    CASE(fire),           CASE(look_through), CASE(left_mapped),
};

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    device = argc > 1 ? argv[1] : "";
    return conform_run(cases, sizeof(cases) / sizeof(cases[0]), NULL, argc, argv);
}
