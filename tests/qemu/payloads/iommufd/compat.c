/* SPDX-License-Identifier: BSD-2-Clause */
/* VFIO's container calls on an iommufd. */
#define _GNU_SOURCE
#include "iommufd.h"

static int vfio_map(uint32_t flags, uint64_t iova, uint64_t size)
{
    struct vfio_iommu_type1_dma_map m = {
        .argsz = sizeof(m), .flags = flags, .vaddr = (uintptr_t)memory, .iova = iova, .size = size};

    return ioctl(iommu, VFIO_IOMMU_MAP_DMA, &m);
}

static long long vfio_unmap(uint32_t flags, uint64_t iova, uint64_t size)
{
    struct vfio_iommu_type1_dma_unmap u = {
        .argsz = sizeof(u), .flags = flags, .iova = iova, .size = size};

    return ioctl(iommu, VFIO_IOMMU_UNMAP_DMA, &u) ? -1 : (long long)u.size;
}

static void vfio_calls_without_a_space(void)
{
    struct vfio_iommu_type1_info info = {.argsz = sizeof(info)};

    NEW_IOAS(ioas);
    CHECK_EQUAL(ioctl(iommu, VFIO_GET_API_VERSION), 0);
    CHECK_ERROR(ioctl(iommu, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU), ENODEV);
    CHECK_ERROR(ioctl(iommu, VFIO_SET_IOMMU, 99), EINVAL);
    CHECK_ERROR(ioctl(iommu, VFIO_IOMMU_GET_INFO, &info), ENODEV);
    CHECK_ERROR(vfio_map(VFIO_DMA_MAP_FLAG_READ, IOVA, PAGE), ENODEV);
    CHECK_ERROR(vfio_unmap(0, IOVA, PAGE), ENODEV);
    CHECK_ERROR(ioctl(iommu, VFIO_IOMMU_DIRTY_PAGES, &info), ENOTTY);
}

static void vfio_extensions(void)
{
    NEW_IOAS(ioas);
    CHECK_EQUAL(ioctl(iommu, VFIO_CHECK_EXTENSION, VFIO_TYPE1_IOMMU), 1);
    CHECK_EQUAL(ioctl(iommu, VFIO_CHECK_EXTENSION, VFIO_TYPE1v2_IOMMU), 1);
    CHECK_EQUAL(ioctl(iommu, VFIO_CHECK_EXTENSION, VFIO_UNMAP_ALL), 1);
    CHECK_EQUAL(ioctl(iommu, VFIO_CHECK_EXTENSION, 6), 0);
    CHECK_EQUAL(ioctl(iommu, VFIO_CHECK_EXTENSION, 10), 0);
}

/* Only a page table can say no, so that it takes a space to ask. */
static void vfio_extension_cache_coherent(void)
{
    int answer;

    NEW_ATTACHED(ioas);
    CHECK_ERROR(ioctl(iommu, VFIO_CHECK_EXTENSION, VFIO_DMA_CC_IOMMU), ENODEV);
    uint32_t id = ioas;
    CHECK_OK(vfio_ioas(IOMMU_VFIO_IOAS_SET, &id));
    answer = ioctl(iommu, VFIO_CHECK_EXTENSION, VFIO_DMA_CC_IOMMU);
    CHECK(answer == 0 || answer == 1);
    CHECK_OK(detach());
    CHECK_EQUAL(ioctl(iommu, VFIO_CHECK_EXTENSION, VFIO_DMA_CC_IOMMU), 1);
}

static void vfio_version_2(void)
{
    NEW_IOAS(ioas);
    uint32_t id = ioas;
    CHECK_OK(vfio_ioas(IOMMU_VFIO_IOAS_SET, &id));
    CHECK_OK(ioctl(iommu, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU));
    CHECK_ERROR(vfio_map(VFIO_DMA_MAP_FLAG_READ | 0x80, IOVA, PAGE), EINVAL);
    CHECK_OK(vfio_map(VFIO_DMA_MAP_FLAG_READ, IOVA, 4 * PAGE));
    CHECK_ERROR(vfio_unmap(0, IOVA, PAGE), ENOENT);
    CHECK_ERROR(vfio_unmap(0x80, IOVA, 4 * PAGE), EINVAL);
    CHECK_ERROR(vfio_unmap(VFIO_DMA_UNMAP_FLAG_ALL, IOVA, 0), EINVAL);
    CHECK_EQUAL(vfio_unmap(0, IOVA, 4 * PAGE), 4 * PAGE);
    CHECK_EQUAL(vfio_unmap(0, IOVA, 4 * PAGE), 0);
    CHECK_EQUAL(vfio_unmap(VFIO_DMA_UNMAP_FLAG_ALL, 0, 0), 0);
}

static void vfio_version_1_cuts(void)
{
    NEW_IOAS(ioas);
    uint32_t id = ioas;
    CHECK_OK(vfio_ioas(IOMMU_VFIO_IOAS_SET, &id));
    CHECK_OK(ioctl(iommu, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU));
    CHECK_OK(vfio_map(VFIO_DMA_MAP_FLAG_READ, IOVA, 4 * PAGE));
    CHECK_EQUAL(vfio_unmap(0, IOVA + PAGE, PAGE), PAGE);
    CHECK_EQUAL(vfio_unmap(0, IOVA, 4 * PAGE), 3 * PAGE);
}

static void vfio_information(void)
{
    unsigned char buffer[256] = {0};
    struct vfio_iommu_type1_info *info = (void *)buffer;
    uint32_t size;

    NEW_ATTACHED(ioas);
    uint32_t id = ioas;
    CHECK_OK(vfio_ioas(IOMMU_VFIO_IOAS_SET, &id));
    info->argsz = 15;
    CHECK_ERROR(ioctl(iommu, VFIO_IOMMU_GET_INFO, info), EINVAL);
    memset(buffer, 0x5a, sizeof(buffer));
    info->argsz = 16;
    CHECK_OK(ioctl(iommu, VFIO_IOMMU_GET_INFO, info));
    CHECK_EQUAL(buffer[16], 0x5a);
    size = info->argsz;
    CHECK(size > sizeof(*info) && size <= sizeof(buffer));
    CHECK_OK(ioctl(iommu, VFIO_IOMMU_GET_INFO, info));
    CHECK(info->iova_pgsizes & PAGE);
    CHECK(info->flags & VFIO_IOMMU_INFO_CAPS);
    CHECK(info->cap_offset >= sizeof(*info) && info->cap_offset < size);
}

/* The chain ends, stays inside, and has both capabilities; one byte less, and there is none. */
static void vfio_information_chain(void)
{
    _Alignas(8) unsigned char buffer[256] = {0};
    struct vfio_iommu_type1_info *info = (void *)buffer;
    const struct vfio_info_cap_header *header;
    unsigned count = 0, ids = 0;

    NEW_ATTACHED(ioas);
    uint32_t id = ioas;
    CHECK_OK(vfio_ioas(IOMMU_VFIO_IOAS_SET, &id));
    info->argsz = sizeof(*info);
    CHECK_OK(ioctl(iommu, VFIO_IOMMU_GET_INFO, info));
    CHECK_EQUAL(info->cap_offset, 0);
    uint32_t size = info->argsz;
    CHECK(size > sizeof(*info) && size <= sizeof(buffer));
    CHECK_OK(ioctl(iommu, VFIO_IOMMU_GET_INFO, info));
    for (uint32_t at = info->cap_offset; at && count < 8; at = header->next, count++) {
        CHECK(at % 4 == 0 && at >= sizeof(*info) && at + sizeof(*header) <= size);
        header = (const void *)(buffer + at);
        CHECK_EQUAL(header->version, 1);
        CHECK(header->id < 8);
        ids |= 1u << header->id;
    }
    CHECK_EQUAL(count, 2);
    CHECK_EQUAL(ids,
                1u << VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE | 1u << VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL);
    info->argsz = size - 1;
    CHECK_OK(ioctl(iommu, VFIO_IOMMU_GET_INFO, info));
    CHECK_EQUAL(info->cap_offset, 0);
    CHECK_EQUAL(info->argsz, size);
}

static void locked_memory_limit(void)
{
    struct rlimit old, low;
    int unattached, attached, error, fits;
    uint32_t id;

    NEW_IOAS(ioas);
    CHECK(bind_device());
    CHECK_OK(getrlimit(RLIMIT_MEMLOCK, &old));
    low = old;
    low.rlim_cur = 16 * PAGE;
    CHECK_OK(setrlimit(RLIMIT_MEMLOCK, &low));
    unattached = map(ioas, IOVA, memory, 17 * PAGE);
    id = ioas;
    attached = attach(&id);
    error = errno;
    fits = unmap(ioas, IOVA, 17 * PAGE) < 0 || map(ioas, IOVA, memory, 16 * PAGE) || attach(&id);
    setrlimit(RLIMIT_MEMLOCK, &old);
    CHECK_EQUAL(unattached, 0);
    CHECK_EQUAL(attached, -1);
    CHECK_EQUAL(error, ENOMEM);
    CHECK_EQUAL(fits, 0);
}

const struct conform_case compat_cases[] = {
    CASE(vfio_calls_without_a_space),
    CASE(vfio_extensions),
    CASE(vfio_extension_cache_coherent),
    CASE(vfio_version_2),
    CASE(vfio_version_1_cuts),
    CASE(vfio_information),
    CASE(vfio_information_chain),
    CASE(locked_memory_limit),
    LAST_CASE,
};
