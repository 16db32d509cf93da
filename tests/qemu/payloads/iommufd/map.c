/* SPDX-License-Identifier: BSD-2-Clause */
/* MAP and MAP_FILE. */
#define _GNU_SOURCE
#include "iommufd.h"
#include "leaf_count.h"

/* ---- MAP ---- */

static void map_error_order(void)
{
    uint64_t iova = UINT64_MAX, good = IOVA;

    NEW_IOAS(ioas);
    CHECK_ERROR(map_at(NO_ID, 0x80, 0, 0, &iova), EOPNOTSUPP);
    CHECK_ERROR(map_at(NO_ID, 0, 0, 0, &iova), EOVERFLOW);
    CHECK_ERROR(map_at(NO_ID, READ_WRITE, 0, UINT64_MAX, &good), EOVERFLOW);
    CHECK_ERROR(map_at(NO_ID, IOMMU_IOAS_MAP_FIXED_IOVA, 0, PAGE, &good), EINVAL);
    CHECK_ERROR(map_at(NO_ID, FIXED, 0, PAGE, &good), ENOENT);
    CHECK_ERROR(map_at(ioas, FIXED, 0, 0, &good), EINVAL);
    CHECK_ERROR(map_at(ioas, FIXED, -PAGE, 2 * PAGE, &good), EOVERFLOW);
    CHECK_ERROR(map(ioas, -PAGE, memory, 2 * PAGE), EOVERFLOW);
}

static void map_reserved_field(void)
{
    NEW_IOAS(ioas);
    struct iommu_ioas_map m = {.size = sizeof(m),
                               .flags = FIXED,
                               .ioas_id = ioas,
                               .__reserved = 1,
                               .user_va = (uintptr_t)memory,
                               .length = PAGE,
                               .iova = IOVA};
    CHECK_ERROR(ioctl(iommu, IOMMU_IOAS_MAP, &m), EOPNOTSUPP);
}

static void map_overlap(void)
{
    NEW_IOAS(ioas);
    CHECK_OK(map(ioas, IOVA, memory, 4 * PAGE));
    CHECK_ERROR(map(ioas, IOVA, memory, 4 * PAGE), EEXIST);
    CHECK_ERROR(map(ioas, IOVA - PAGE, memory, 2 * PAGE), EEXIST);
    CHECK_ERROR(map(ioas, IOVA + 3 * PAGE, memory, 2 * PAGE), EEXIST);
    CHECK_ERROR(map(ioas, IOVA + PAGE, memory, PAGE), EEXIST);
    CHECK_ERROR(map(ioas, IOVA - PAGE, memory, 6 * PAGE), EEXIST);
    CHECK_OK(map(ioas, IOVA - PAGE, memory, PAGE));
    CHECK_OK(map(ioas, IOVA + 4 * PAGE, memory, PAGE));
}

static void map_bogus_memory_without_a_device(void)
{
    uint64_t iova = 0x123457;

    NEW_IOAS(ioas);
    CHECK_OK(map_at(ioas, FIXED, 0x1001, 511, &iova));
    CHECK_EQUAL(unmap(ioas, iova, 511), 511);
}

static void map_bogus_memory_with_a_device(void)
{
    NEW_ATTACHED(ioas);
    CHECK_ERROR(map(ioas, IOVA, (void *)0x1000, PAGE), EFAULT);
    CHECK_ERROR(unmap(ioas, IOVA, PAGE), ENOENT);
    CHECK_OK(map(ioas, IOVA, memory, PAGE));
}

static void bogus_memory_refuses_the_attach(void)
{
    NEW_IOAS(ioas);
    uint32_t id = ioas;
    CHECK(bind_device());
    CHECK_OK(map(ioas, IOVA, memory, PAGE));
    CHECK_OK(map(ioas, IOVA + MIB, (void *)0x1000, PAGE));
    CHECK_ERROR(attach(&id), EFAULT);
    CHECK_EQUAL(unmap(ioas, IOVA + MIB, PAGE), PAGE);
    CHECK_OK(attach(&id));
}

static void map_alignment_with_a_device(void)
{
    NEW_ATTACHED(ioas);
    CHECK_ERROR(map(ioas, IOVA + 1, memory, PAGE), EINVAL);
    CHECK_ERROR(map(ioas, IOVA, memory, PAGE - 1), EINVAL);
    CHECK_ERROR(map(ioas, IOVA, memory + 1, PAGE), EINVAL);
    CHECK_ERROR(map(ioas, INTERRUPTS, memory, PAGE), EINVAL);
    CHECK_ERROR(map(ioas, INTERRUPTS - PAGE, memory, 2 * PAGE), EINVAL);
}

static void map_automatic_alignment(void)
{
    NEW_IOAS(ioas);
    for (uint64_t length = PAGE; length <= MEMORY; length += PAGE) {
        uint64_t iova = 0, natural = length & -length;

        CHECK_OK(map_at(ioas, READ_WRITE, (uintptr_t)memory, length, &iova));
        CHECK_EQUAL(iova % natural, 0);
        CHECK_EQUAL(unmap(ioas, iova, length), length);
    }
}

static void map_last_page(void)
{
    NEW_IOAS(ioas);
    CHECK_OK(map(ioas, -PAGE, memory, PAGE));
    CHECK_ERROR(map(ioas, -PAGE, memory, PAGE), EEXIST);
    CHECK_EQUAL(unmap(ioas, -PAGE, PAGE), PAGE);
}

/* ---- MAP_FILE ---- */

static void map_file_memfd(void)
{
    NEW_ATTACHED(ioas);
    file = memfd_create("memory", 0);
    CHECK_OK(file);
    CHECK_OK(ftruncate(file, 4 * PAGE));
    CHECK_OK(map_file(ioas, file, 0, 4 * PAGE, IOVA));
    CHECK_ERROR(map_file(ioas, file, 0, PAGE, IOVA), EEXIST);
    CHECK_OK(map_file(ioas, file, 2 * PAGE, PAGE, IOVA + MIB));
    CHECK_EQUAL(unmap(ioas, IOVA, 4 * PAGE), 4 * PAGE);
    CHECK_EQUAL(unmap(ioas, IOVA + MIB, PAGE), PAGE);
}

/* Whole pages become one leaf each; and mapping changes nothing of the file. */
static void map_file_of_huge_pages(void)
{
    NEW_ATTACHED(ioas);
    struct leaf_count leaves = {0};
    file = memfd_create("pages", 4 /* MFD_HUGETLB */);
    CHECK_OK(file);
    CHECK_OK(ftruncate(file, 4 * MIB));
    CHECK_OK(map_file(ioas, file, 2 * MIB, 2 * MIB, IOVA));
    CHECK_OK(map_file(ioas, file, 0, PAGE, IOVA + 4 * MIB));
    if (leaf_count_at(IOVA, &leaves) >= 0) {
        CHECK_EQUAL(leaves.of_2m, 1);
        CHECK_EQUAL(leaves.small, 0);
    }
    CHECK_EQUAL(lseek(file, 0, SEEK_END), 4 * MIB);
    CHECK_EQUAL(unmap(ioas, IOVA, 2 * MIB), 2 * MIB);
    CHECK_EQUAL(unmap(ioas, IOVA + 4 * MIB, PAGE), PAGE);
}

static void map_file_refusals(void)
{
    NEW_IOAS(ioas);
    CHECK_ERROR(map_file(ioas, -1, 0, PAGE, IOVA), EBADF);
    CHECK_ERROR(map_file(ioas, 999, 0, PAGE, IOVA), EBADF);
    CHECK_ERROR(map_file(ioas, iommu, 0, PAGE, IOVA), EINVAL);
    file = memfd_create("memory", 0);
    CHECK_OK(file);
    CHECK_ERROR(map_file(ioas, file, -PAGE, 2 * PAGE, IOVA), EOVERFLOW);
    CHECK_ERROR(map_file(ioas, file, 0, 0, IOVA), EINVAL);
}

const struct conform_case map_cases[] = {
    CASE(map_error_order),
    CASE(map_reserved_field),
    CASE(map_overlap),
    CASE(map_bogus_memory_without_a_device),
    CASE(map_bogus_memory_with_a_device),
    CASE(bogus_memory_refuses_the_attach),
    CASE(map_alignment_with_a_device),
    CASE(map_automatic_alignment),
    CASE(map_last_page),
    CASE(map_file_memfd),
    CASE(map_file_of_huge_pages),
    CASE(map_file_refusals),
    LAST_CASE,
};
