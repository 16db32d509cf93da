/* SPDX-License-Identifier: BSD-2-Clause */
/* The container before and after SET_IOMMU. */
#define _GNU_SOURCE
#include "type1.h"

static void api_version(void)
{
    CHECK(open_group());
    CHECK_EQUAL(ioctl(container, VFIO_GET_API_VERSION), 0);
}

static void extensions(void)
{
    static const struct {
        int extension;
        int expected;
    } table[] = {
        {VFIO_TYPE1_IOMMU, 1},
        {VFIO_TYPE1v2_IOMMU, 1},
        {VFIO_UNMAP_ALL, 1},
        {2, 0},
        {5, 0},
        {7, 0},
        {8, 0},
        {9999, 0},
    };

    CHECK(join());
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        CHECK_EQUAL(ioctl(container, VFIO_CHECK_EXTENSION, table[i].extension), table[i].expected);
}

static void extension_cache_coherent(void)
{
    CHECK(join());
    CHECK_EQUAL(ioctl(container, VFIO_CHECK_EXTENSION, VFIO_DMA_CC_IOMMU), 0);
    CHECK_OK(ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU));
    int with = ioctl(container, VFIO_CHECK_EXTENSION, VFIO_DMA_CC_IOMMU);
    CHECK(with == 0 || with == 1);
    CHECK_EQUAL(ioctl(container, VFIO_CHECK_EXTENSION, VFIO_TYPE1_IOMMU), 1);
    CHECK_EQUAL(ioctl(container, VFIO_CHECK_EXTENSION, VFIO_UNMAP_ALL), 1);
}

static void set_iommu_without_group(void)
{
    CHECK(open_group());
    CHECK_ERROR(ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU), EINVAL);
}

static void set_iommu_unsupported(void)
{
    CHECK(join());
    CHECK_ERROR(ioctl(container, VFIO_SET_IOMMU, 99), ENODEV);
}

static void set_iommu_twice(void)
{
    START_V2();
    CHECK_ERROR(ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU), EINVAL);
}

static void calls_before_set_iommu(void)
{
    struct vfio_iommu_type1_info info = {.argsz = sizeof(info)};

    CHECK(join());
    CHECK_ERROR(map(IOVA, memory, PAGE), EINVAL);
    CHECK_ERROR(unmap(IOVA, PAGE), EINVAL);
    CHECK_ERROR(ioctl(container, VFIO_IOMMU_GET_INFO, &info), EINVAL);
    CHECK_ERROR(ioctl(container, _IO(VFIO_TYPE, VFIO_BASE + 99)), EINVAL);
}

static void unknown_call(void)
{
    START_V2();
    for (unsigned number = 0; number < 256; number++) {
        unsigned call = number - VFIO_BASE;

        if (call > 2 && (call < 12 || call > 14) && call != 17)
            CHECK_ERROR(ioctl(container, _IO(VFIO_TYPE, number), memory), ENOTTY);
    }
}

static void calls_of_other_files(void)
{
    START_V2();
    /* The same numbers as device and group calls; what the file is decides. */
    CHECK_ERROR(ioctl(container, VFIO_GROUP_GET_STATUS, NULL), ENOTTY);
    CHECK_ERROR(ioctl(container, VFIO_DEVICE_GET_INFO, NULL), ENOTTY);
    CHECK_ERROR(ioctl(container, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, NULL), EFAULT);
    CHECK_ERROR(read(container, memory, 8), EINVAL);
}

static void mappings_end_with_the_container(void)
{
    START_V2();
    CHECK_OK(map(IOVA, memory, PAGE));
    close_all();
    START_V2();
    CHECK_EQUAL(unmap(IOVA, PAGE), 0);
    CHECK_OK(map(IOVA, memory, PAGE));
}

static void leaving_the_last_group_drops_the_iommu(void)
{
    START_V2();
    CHECK_OK(map(IOVA, memory, PAGE));
    CHECK_OK(ioctl(group, VFIO_GROUP_UNSET_CONTAINER));
    CHECK_ERROR(map(IOVA, memory, PAGE), EINVAL);
    CHECK_OK(ioctl(group, VFIO_GROUP_SET_CONTAINER, &container));
    CHECK_OK(ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU));
    CHECK_EQUAL(unmap(IOVA, PAGE), 0);
}

const struct conform_case container_cases[] = {
    CASE(api_version),
    CASE(extensions),
    CASE(extension_cache_coherent),
    CASE(set_iommu_without_group),
    CASE(set_iommu_unsupported),
    CASE(set_iommu_twice),
    CASE(calls_before_set_iommu),
    CASE(unknown_call),
    CASE(calls_of_other_files),
    CASE(mappings_end_with_the_container),
    CASE(leaving_the_last_group_drops_the_iommu),
    LAST_CASE,
};
