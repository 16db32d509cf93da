/* SPDX-License-Identifier: BSD-2-Clause */
/* Sizes of structures and numbers of calls. */
#define _GNU_SOURCE
#include "iommufd.h"

static const struct {
    unsigned long command;
    uint32_t size, size_min;
} calls[] = {
    {IOMMU_DESTROY, 8, 8},
    {IOMMU_IOAS_ALLOC, 12, 12},
    {IOMMU_IOAS_ALLOW_IOVAS, 24, 24},
    {IOMMU_IOAS_COPY, 40, 40},
    {IOMMU_IOAS_IOVA_RANGES, 32, 32},
    {IOMMU_IOAS_MAP, 40, 40},
    {IOMMU_IOAS_UNMAP, 24, 24},
    {IOMMU_OPTION, 24, 24},
    {IOMMU_VFIO_IOAS, 12, 12},
    {IOMMU_HWPT_ALLOC, 48, 24},
    {IOMMU_GET_HW_INFO, 40, 32},
    {IOMMU_HWPT_SET_DIRTY_TRACKING, 16, 16},
    {IOMMU_HWPT_GET_DIRTY_BITMAP, 48, 48},
    {IOMMU_HWPT_INVALIDATE, 32, 32},
    {IOMMU_FAULT_QUEUE_ALLOC, 16, 16},
    {IOMMU_IOAS_MAP_FILE, 40, 40},
    {IOMMU_VIOMMU_ALLOC, 40, 24},
    {IOMMU_VDEVICE_ALLOC, 24, 24},
    {IOMMU_IOAS_CHANGE_PROCESS, 8, 8},
    {IOMMU_VEVENTQ_ALLOC, 32, 28},
    {IOMMU_HW_QUEUE_ALLOC, 40, 40},
};
#define CALLS (sizeof(calls) / sizeof(calls[0]))

/* Result of a call with an all-zero structure of that size: 0 or the error. */
static int zero_call(size_t i, uint32_t size, size_t garbage)
{
    unsigned char buffer[256] = {0};

    memcpy(buffer, &size, sizeof(size));
    if (garbage)
        buffer[garbage] = 1;
    return ioctl(iommu, calls[i].command, buffer) ? errno : 0;
}

static void size_too_short(void)
{
    NEW_IOAS(ioas);
    for (size_t i = 0; i < CALLS; i++)
        for (uint32_t size = 0; size < calls[i].size_min; size++)
            CHECK_EQUAL(zero_call(i, size, 0), EINVAL);
}

static void size_at_least_the_minimum(void)
{
    NEW_IOAS(ioas);
    for (size_t i = 0; i < CALLS; i++)
        CHECK_EQUAL(zero_call(i, calls[i].size_min, 0), zero_call(i, calls[i].size, 0));
}

static void size_longer_with_zeros(void)
{
    NEW_IOAS(ioas);
    for (size_t i = 0; i < CALLS; i++) {
        int exact = zero_call(i, calls[i].size, 0);

        CHECK_EQUAL(zero_call(i, calls[i].size + 1, 0), exact);
        CHECK_EQUAL(zero_call(i, 200, 0), exact);
    }
}

static void size_longer_with_garbage(void)
{
    NEW_IOAS(ioas);
    for (size_t i = 0; i < CALLS; i++) {
        CHECK_EQUAL(zero_call(i, calls[i].size + 1, calls[i].size), E2BIG);
        CHECK_EQUAL(zero_call(i, 200, 199), E2BIG);
    }
}

static void structure_out_of_reach(void)
{
    NEW_IOAS(ioas);
    for (size_t i = 0; i < CALLS; i++)
        CHECK_ERROR(ioctl(iommu, calls[i].command, NULL), EFAULT);
}

static void wrong_command_numbers(void)
{
    unsigned char buffer[256] = {200};

    NEW_IOAS(ioas);
    for (size_t i = 0; i < CALLS; i++)
        CHECK_ERROR(ioctl(iommu, calls[i].command | 0x80000000ul, buffer), ENOTTY);
    CHECK_ERROR(ioctl(iommu, _IO(IOMMUFD_TYPE, 0x95), buffer), ENOTTY);
    CHECK_ERROR(ioctl(iommu, _IO(IOMMUFD_TYPE, 0xff), buffer), ENOTTY);
    CHECK_ERROR(ioctl(iommu, _IO(IOMMUFD_TYPE, 0x7f), buffer), ENOTTY);
}

const struct conform_case sizes_cases[] = {
    CASE(size_too_short),
    CASE(size_at_least_the_minimum),
    CASE(size_longer_with_zeros),
    CASE(size_longer_with_garbage),
    CASE(structure_out_of_reach),
    CASE(wrong_command_numbers),
    LAST_CASE,
};
