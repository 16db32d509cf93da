/* SPDX-License-Identifier: BSD-2-Clause */
/* OPTION, VFIO_IOAS and CHANGE_PROCESS. */
#define _GNU_SOURCE
#include "iommufd.h"

static void option_rlimit_mode(void)
{
    uint64_t value = 9;

    iommu = open("/dev/iommu", O_RDWR);
    CHECK_OK(iommu);
    CHECK_OK(option(IOMMU_OPTION_RLIMIT_MODE, IOMMU_OPTION_OP_GET, 0, &value));
    CHECK_EQUAL(value, 0);
    CHECK_ERROR(set_option(IOMMU_OPTION_RLIMIT_MODE, 1, 1), EOPNOTSUPP);
    CHECK_ERROR(set_option(IOMMU_OPTION_RLIMIT_MODE, 0, 2), EINVAL);
    CHECK_OK(set_option(IOMMU_OPTION_RLIMIT_MODE, 0, 1));
    CHECK_OK(option(IOMMU_OPTION_RLIMIT_MODE, IOMMU_OPTION_OP_GET, 0, &value));
    CHECK_EQUAL(value, 1);
    CHECK(new_ioas());
    CHECK_ERROR(set_option(IOMMU_OPTION_RLIMIT_MODE, 0, 0), EBUSY);
}

static void option_huge_pages(void)
{
    uint64_t value = 9;

    NEW_IOAS(ioas);
    CHECK_OK(option(IOMMU_OPTION_HUGE_PAGES, IOMMU_OPTION_OP_GET, ioas, &value));
    CHECK_EQUAL(value, 1);
    CHECK_ERROR(set_option(IOMMU_OPTION_HUGE_PAGES, ioas, 2), EINVAL);
    CHECK_OK(set_option(IOMMU_OPTION_HUGE_PAGES, ioas, 0));
    CHECK_OK(set_option(IOMMU_OPTION_HUGE_PAGES, ioas, 1));
    CHECK_OK(map(ioas, 511, memory, 511));
    CHECK_ERROR(set_option(IOMMU_OPTION_HUGE_PAGES, ioas, 0), EADDRINUSE);
}

static void option_huge_pages_attached(void)
{
    NEW_ATTACHED(ioas);
    CHECK_OK(map(ioas, IOVA, memory, PAGE));
    CHECK_ERROR(set_option(IOMMU_OPTION_HUGE_PAGES, ioas, 0), EINVAL);
    CHECK_EQUAL(unmap(ioas, IOVA, PAGE), PAGE);
    CHECK_OK(set_option(IOMMU_OPTION_HUGE_PAGES, ioas, 0));
}

static void option_unknown(void)
{
    uint64_t value = 0;

    NEW_IOAS(ioas);
    CHECK_ERROR(set_option(99, 0, 0), EOPNOTSUPP);
    CHECK_ERROR(option(IOMMU_OPTION_HUGE_PAGES, 2, ioas, &value), EOPNOTSUPP);
    CHECK_ERROR(option(IOMMU_OPTION_RLIMIT_MODE, 2, 0, &value), EOPNOTSUPP);
}

static void vfio_ioas_operations(void)
{
    uint32_t id = 0;

    NEW_IOAS(ioas);
    CHECK_ERROR(vfio_ioas(IOMMU_VFIO_IOAS_GET, &id), ENODEV);
    id = ioas;
    CHECK_OK(vfio_ioas(IOMMU_VFIO_IOAS_SET, &id));
    id = 0;
    CHECK_OK(vfio_ioas(IOMMU_VFIO_IOAS_GET, &id));
    CHECK_EQUAL(id, ioas);
    CHECK_ERROR(vfio_ioas(3, &id), EOPNOTSUPP);
    CHECK_OK(vfio_ioas(IOMMU_VFIO_IOAS_CLEAR, &id));
    CHECK_ERROR(vfio_ioas(IOMMU_VFIO_IOAS_GET, &id), ENODEV);
}

static void change_process(void)
{
    struct iommu_ioas_change_process c = {.size = sizeof(c)};

    NEW_IOAS(ioas);
    file = memfd_create("memory", 0);
    CHECK_OK(file);
    CHECK_OK(ftruncate(file, PAGE));
    CHECK_OK(map_file(ioas, file, 0, PAGE, IOVA));
    CHECK_OK(ioctl(iommu, IOMMU_IOAS_CHANGE_PROCESS, &c));
    CHECK_OK(map(ioas, IOVA + MIB, memory, PAGE));
    CHECK_ERROR(ioctl(iommu, IOMMU_IOAS_CHANGE_PROCESS, &c), EINVAL);
    c.__reserved = 1;
    CHECK_ERROR(ioctl(iommu, IOMMU_IOAS_CHANGE_PROCESS, &c), EOPNOTSUPP);
}

const struct conform_case options_cases[] = {
    CASE(option_rlimit_mode),
    CASE(option_huge_pages),
    CASE(option_huge_pages_attached),
    CASE(option_unknown),
    CASE(vfio_ioas_operations),
    CASE(change_process),
    LAST_CASE,
};
