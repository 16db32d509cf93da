/* SPDX-License-Identifier: BSD-2-Clause */
/* Objects and their ids, and the ranges of an IOAS. */
#define _GNU_SOURCE
#include "iommufd.h"

/* ---- objects ---- */

static void alloc_and_destroy(void)
{
    struct iommu_ioas_alloc a = {.size = sizeof(a), .flags = 1};

    NEW_IOAS(ioas);
    CHECK(ioas != new_ioas());
    CHECK_ERROR(ioctl(iommu, IOMMU_IOAS_ALLOC, &a), EOPNOTSUPP);
    CHECK_OK(destroy(ioas));
    CHECK_ERROR(destroy(ioas), ENOENT);
    CHECK_ERROR(destroy(0), ENOENT);
    CHECK_ERROR(destroy(NO_ID), ENOENT);
}

static void unknown_ids(void)
{
    struct iommu_iova_range range;
    uint64_t alignment, value = 0;
    uint32_t count = 1, unknown = NO_ID;

    NEW_IOAS(ioas);
    CHECK_ERROR(map(NO_ID, IOVA, memory, PAGE), ENOENT);
    CHECK_ERROR(unmap(NO_ID, IOVA, PAGE), ENOENT);
    CHECK_ERROR(copy(NO_ID, IOVA, ioas, IOVA, PAGE), ENOENT);
    CHECK_ERROR(copy(ioas, IOVA, NO_ID, IOVA, PAGE), ENOENT);
    CHECK_ERROR(map_file(NO_ID, 0, 0, PAGE, IOVA), ENOENT);
    CHECK_ERROR(allow(NO_ID, NULL, 0), ENOENT);
    CHECK_ERROR(list_ranges(NO_ID, &range, &count, &alignment), ENOENT);
    CHECK_ERROR(option(IOMMU_OPTION_HUGE_PAGES, IOMMU_OPTION_OP_GET, NO_ID, &value), ENOENT);
    CHECK_ERROR(vfio_ioas(IOMMU_VFIO_IOAS_SET, &unknown), ENOENT);
}

static void ids_belong_to_one_file(void)
{
    NEW_IOAS(ioas);
    file = open("/dev/iommu", O_RDWR);
    CHECK_OK(file);
    struct iommu_destroy d = {.size = sizeof(d), .id = ioas};
    CHECK_ERROR(ioctl(file, IOMMU_DESTROY, &d), ENOENT);
    CHECK_OK(destroy(ioas));
}

/* ---- ranges ---- */

static void ranges_of_a_fresh_space(void)
{
    struct iommu_iova_range range = {1, 2};
    uint64_t alignment = 0;
    uint32_t count = 1;

    NEW_IOAS(ioas);
    CHECK_OK(list_ranges(ioas, &range, &count, &alignment));
    CHECK_EQUAL(count, 1);
    CHECK_EQUAL(range.start, 0);
    CHECK_EQUAL(range.last, UINT64_MAX);
    CHECK_EQUAL(alignment, 1);
}

static void ranges_with_every_buffer_size(void)
{
    struct iommu_iova_range all[18];
    uint64_t alignment = 0;
    uint32_t total = 0;

    NEW_ATTACHED(ioas);
    CHECK_ERROR(list_ranges(ioas, NULL, &total, &alignment), EMSGSIZE);
    CHECK(total >= 2 && total <= 16);
    for (uint32_t room = 0; room <= total + 1; room++) {
        uint32_t count = room, filled = room < total ? room : total;

        memset(all, 0x5a, sizeof(all));
        alignment = 0;
        if (room < total)
            CHECK_ERROR(list_ranges(ioas, all, &count, &alignment), EMSGSIZE);
        else
            CHECK_OK(list_ranges(ioas, all, &count, &alignment));
        CHECK_EQUAL(count, total);
        CHECK_EQUAL(alignment, PAGE);
        CHECK(filled == 0 || all[0].start == 0);
        CHECK(filled < 1 || all[filled - 1].last > all[filled - 1].start);
        for (size_t i = filled * sizeof(all[0]); i < sizeof(all); i++)
            CHECK_EQUAL(((unsigned char *)all)[i], 0x5a);
    }
}

static void ranges_of_an_attached_space(void)
{
    struct iommu_iova_range ranges[16];
    uint64_t alignment = 0;
    uint32_t count = 0;

    NEW_ATTACHED(ioas);
    CHECK_ERROR(list_ranges(ioas, NULL, &count, &alignment), EMSGSIZE);
    CHECK(count >= 2 && count <= 16);
    CHECK_EQUAL(alignment, PAGE);
    CHECK_OK(list_ranges(ioas, ranges, &count, &alignment));
    CHECK(ranges[count - 1].last < UINT64_MAX);
    for (uint32_t i = 0; i < count; i++) {
        CHECK(ranges[i].start < ranges[i].last);
        CHECK(i == 0 || ranges[i].start > ranges[i - 1].last);
        CHECK(ranges[i].last < INTERRUPTS || ranges[i].start >= INTERRUPTS + MIB);
    }
    CHECK_OK(detach());
    CHECK_OK(list_ranges(ioas, ranges, &count, &alignment));
    CHECK_EQUAL(count, 1);
    CHECK_EQUAL(alignment, 1);
}

static void allow_refusals(void)
{
    static const struct iommu_iova_range empty = {PAGE, PAGE}, backward = {2 * PAGE, PAGE},
                                         overlap[] = {{0, PAGE}, {PAGE, 2 * PAGE}};

    NEW_IOAS(ioas);
    CHECK_ERROR(allow(ioas, &empty, 1), EINVAL);
    CHECK_ERROR(allow(ioas, &backward, 1), EINVAL);
    CHECK_ERROR(allow(ioas, overlap, 2), EINVAL);
    CHECK_ERROR(allow(ioas, NULL, 1), EFAULT);
}

static void allow_steers_automatic_addresses(void)
{
    static const struct iommu_iova_range one = {MIB, MIB + PAGE - 1};
    uint64_t iova = 0;

    NEW_IOAS(ioas);
    CHECK_OK(allow(ioas, &one, 1));
    CHECK_OK(map_at(ioas, READ_WRITE, (uintptr_t)memory, PAGE, &iova));
    CHECK_EQUAL(iova, MIB);
    CHECK_ERROR(map_at(ioas, READ_WRITE, (uintptr_t)memory, PAGE, &iova), ENOSPC);
    CHECK_OK(allow(ioas, NULL, 0));
    CHECK_OK(map_at(ioas, READ_WRITE, (uintptr_t)memory, PAGE, &iova));
}

static void allow_against_reserved(void)
{
    static const struct iommu_iova_range window = {INTERRUPTS, INTERRUPTS + PAGE - 1};

    NEW_ATTACHED(ioas);
    CHECK_ERROR(allow(ioas, &window, 1), EADDRINUSE);
    CHECK_OK(detach());
    CHECK_OK(allow(ioas, &window, 1));
    uint32_t id = ioas;
    CHECK_ERROR(attach(&id), EADDRINUSE);
    CHECK_OK(allow(ioas, NULL, 0));
    CHECK_OK(attach(&id));
}

const struct conform_case objects_cases[] = {
    CASE(alloc_and_destroy),
    CASE(unknown_ids),
    CASE(ids_belong_to_one_file),
    CASE(ranges_of_a_fresh_space),
    CASE(ranges_with_every_buffer_size),
    CASE(ranges_of_an_attached_space),
    CASE(allow_refusals),
    CASE(allow_steers_automatic_addresses),
    CASE(allow_against_reserved),
    LAST_CASE,
};
