/* SPDX-License-Identifier: BSD-2-Clause */
/* UNMAP_DMA, and where version 1 differs from version 2. */
#define _GNU_SOURCE
#include "type1.h"

static void unmap_argument_checks(void)
{
    struct vfio_iommu_type1_dma_unmap u = {.argsz = sizeof(u) - 1, .iova = IOVA, .size = PAGE};

    START_V2();
    CHECK_OK(map(IOVA, memory, PAGE));
    CHECK_ERROR(ioctl(container, VFIO_IOMMU_UNMAP_DMA, &u), EINVAL);
    CHECK_ERROR(unmap(IOVA, 0), EINVAL);
    CHECK_ERROR(unmap(IOVA + 1, PAGE), EINVAL);
    CHECK_ERROR(unmap(IOVA, PAGE - 1), EINVAL);
    CHECK_ERROR(unmap_flags(IOVA, PAGE, 0x80), EINVAL);
    CHECK_ERROR2(unmap(-PAGE, 2 * PAGE), EOVERFLOW, EINVAL);
    CHECK_EQUAL(unmap(IOVA, PAGE), PAGE);
}

static void unmap_structure_sizes(void)
{
    struct {
        uint32_t argsz, flags;
        uint64_t iova, size, more;
    } u = {.iova = IOVA, .size = PAGE, .more = ~0ull};

    START_V2();
    for (u.argsz = 0; u.argsz < sizeof(struct vfio_iommu_type1_dma_unmap); u.argsz++)
        CHECK_ERROR(ioctl(container, VFIO_IOMMU_UNMAP_DMA, &u), EINVAL);
    CHECK_ERROR(ioctl(container, VFIO_IOMMU_UNMAP_DMA, NULL), EFAULT);
    CHECK_OK(map(IOVA, memory, PAGE));
    u.argsz = sizeof(u);
    CHECK_OK(ioctl(container, VFIO_IOMMU_UNMAP_DMA, &u));
    CHECK_EQUAL(u.size, PAGE);
}

static void unmap_empty_range(void)
{
    START_V2();
    CHECK_EQUAL(unmap(IOVA, 16 * PAGE), 0);
}

static void unmap_all(void)
{
    START_V2();
    CHECK_OK(map(IOVA, memory, PAGE));
    CHECK_OK(map(IOVA + MIB, memory, 3 * PAGE));
    CHECK_ERROR(unmap_flags(IOVA, 0, VFIO_DMA_UNMAP_FLAG_ALL), EINVAL);
    CHECK_ERROR(unmap_flags(0, PAGE, VFIO_DMA_UNMAP_FLAG_ALL), EINVAL);
    CHECK_EQUAL(unmap_flags(0, 0, VFIO_DMA_UNMAP_FLAG_ALL), 4 * PAGE);
    CHECK_EQUAL(unmap_flags(0, 0, VFIO_DMA_UNMAP_FLAG_ALL), 0);
}

static void unmap_several_with_holes(void)
{
    START_V2();
    CHECK_OK(map(IOVA, memory, PAGE));
    CHECK_OK(map(IOVA + 4 * PAGE, memory, 2 * PAGE));
    CHECK_OK(map(IOVA + 9 * PAGE, memory, PAGE));
    CHECK_EQUAL(unmap(IOVA, 9 * PAGE), 3 * PAGE);
    CHECK_EQUAL(unmap(IOVA, 16 * PAGE), PAGE);
}

static void unmap_vaddr_flag(void)
{
    START_V2();
    if (ioctl(container, VFIO_CHECK_EXTENSION, VFIO_UPDATE_VADDR))
        return; /* see map_vaddr_flag */
    CHECK_OK(map(IOVA, memory, PAGE));
    CHECK_ERROR(unmap_flags(IOVA, PAGE, VFIO_DMA_UNMAP_FLAG_VADDR), EINVAL);
    CHECK_EQUAL(unmap(IOVA, PAGE), PAGE);
}

/* What is unmapped is free again, with the quota, and so is the memory's charge. */
static void unmap_then_map_again(void)
{
    START_V2();
    for (int i = 0; i < 3; i++) {
        CHECK_OK(map(IOVA, memory, 4 * PAGE));
        CHECK_ERROR(map(IOVA, memory, 4 * PAGE), EEXIST);
        CHECK_EQUAL(unmap(IOVA, 4 * PAGE), 4 * PAGE);
        CHECK_EQUAL(mappings_left(), QUOTA);
    }
}

static void v2_refuses_to_cut(void)
{
    START_V2();
    CHECK_OK(map(IOVA, memory, 4 * PAGE));
    CHECK_OK(map(IOVA + 4 * PAGE, memory, 4 * PAGE));
    CHECK_ERROR(unmap(IOVA + PAGE, 3 * PAGE), EINVAL);
    CHECK_ERROR(unmap(IOVA, 2 * PAGE), EINVAL);
    CHECK_ERROR(unmap(IOVA, 6 * PAGE), EINVAL);
    CHECK_ERROR(unmap(IOVA + 2 * PAGE, 6 * PAGE), EINVAL);
    CHECK_EQUAL(unmap(IOVA, 8 * PAGE), 8 * PAGE);
}

static void v1_cutting_rules(void)
{
    START(VFIO_TYPE1_IOMMU);
    CHECK_OK(map(IOVA, memory, 4 * PAGE));
    CHECK_OK(map(IOVA + 4 * PAGE, memory, 4 * PAGE));
    /* The first overlapping mapping starts below the range: nothing, whatever follows. */
    CHECK_EQUAL(unmap(IOVA + PAGE, 7 * PAGE), 0);
    /* A call that covers a mapping's first byte removes it whole. */
    CHECK_EQUAL(unmap(IOVA + 4 * PAGE, PAGE), 4 * PAGE);
    CHECK_EQUAL(unmap(IOVA, PAGE), 4 * PAGE);
    CHECK_EQUAL(unmap(IOVA, 8 * PAGE), 0);
}

/* Version 1 follows from the lowest mapping up, and stops at one that starts below the range. */
static void v1_whole_mappings(void)
{
    START(VFIO_TYPE1_IOMMU);
    CHECK_OK(map(IOVA, memory, 2 * PAGE));
    CHECK_OK(map(IOVA + 4 * PAGE, memory, 2 * PAGE));
    CHECK_OK(map(IOVA + 8 * PAGE, memory, 2 * PAGE));
    CHECK_EQUAL(unmap(IOVA + 2 * PAGE, 7 * PAGE), 4 * PAGE);
    CHECK_EQUAL(unmap(IOVA + PAGE, 8 * PAGE), 0);
    CHECK_EQUAL(unmap_flags(0, 0, VFIO_DMA_UNMAP_FLAG_ALL), 2 * PAGE);
}

const struct conform_case unmap_cases[] = {
    CASE(unmap_argument_checks),
    CASE(unmap_structure_sizes),
    CASE(unmap_empty_range),
    CASE(unmap_all),
    CASE(unmap_several_with_holes),
    CASE(unmap_vaddr_flag),
    CASE(unmap_then_map_again),
    CASE(v2_refuses_to_cut),
    CASE(v1_cutting_rules),
    CASE(v1_whole_mappings),
    LAST_CASE,
};
