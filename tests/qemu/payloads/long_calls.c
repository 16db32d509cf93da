/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls on address spaces and devices that have much to do; the device is the first argument. How
 * long the kernel keeps everything else out meanwhile is measured from outside; here they only have
 * to come to their right end.
 */
#include <linux/iommufd.h>
#include <stdlib.h>
#include <sys/uio.h>

#include "conform.h"
#include "vfio_open.h"

#define PAGE      4096u
#define RANGES    65536u
#define AREAS     40000u
#define ATTACHED  8000u
#define BAR_PIECE (128u << 10)

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

static void reset(void)
{
    struct vfio_files files;

    CHECK_OK(vfio_open(device, &files));
    CHECK_OK(ioctl(files.device, VFIO_DEVICE_RESET));
    close_files(&files);
}

static const struct conform_case cases[] = {
    CASE(allowed_ranges), CASE(many_areas), CASE(attached_areas), CASE(bar_vectors), CASE(reset),
};

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    device = argc > 1 ? argv[1] : "";
    return conform_run(cases, sizeof(cases) / sizeof(cases[0]), NULL, argc, argv);
}
