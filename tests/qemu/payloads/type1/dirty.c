/* SPDX-License-Identifier: BSD-2-Clause */
/* Dirty pages: the tables hold no dirty bits, so every mapped page counts as dirty. */
#define _GNU_SOURCE
#include "type1.h"

#define BITS 64u

/* The two structures with what follows them. */
struct get {
    uint32_t argsz, flags;
    struct vfio_iommu_type1_dirty_bitmap_get range;
};

struct unmap_with_bitmap {
    uint32_t argsz, flags;
    uint64_t iova, size;
    struct vfio_bitmap bitmap;
};

static int dirty(uint32_t flags)
{
    struct vfio_iommu_type1_dirty_bitmap d = {.argsz = sizeof(d), .flags = flags};

    return ioctl(container, VFIO_IOMMU_DIRTY_PAGES, &d);
}

/* Reads the bitmap of `pages` pages from IOVA on; at most BITS. */
static int get_bitmap(uint64_t pages, uint64_t page_size, uint64_t bytes, uint64_t *bits)
{
    struct get g = {
        .argsz = sizeof(g),
        .flags = VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP,
        .range = {.iova = IOVA,
                  .size = pages * PAGE,
                  .bitmap = {.pgsize = page_size, .size = bytes, .data = (void *)bits}}};

    return ioctl(container, VFIO_IOMMU_DIRTY_PAGES, &g);
}

static void dirty_version_1(void)
{
    START(VFIO_TYPE1_IOMMU);
    CHECK_ERROR(dirty(VFIO_IOMMU_DIRTY_PAGES_FLAG_START), EACCES);
}

static void dirty_argument_checks(void)
{
    struct vfio_iommu_type1_dirty_bitmap d = {.flags = VFIO_IOMMU_DIRTY_PAGES_FLAG_START};

    START_V2();
    for (d.argsz = 0; d.argsz < sizeof(d); d.argsz++)
        CHECK_ERROR(ioctl(container, VFIO_IOMMU_DIRTY_PAGES, &d), EINVAL);
    CHECK_ERROR(ioctl(container, VFIO_IOMMU_DIRTY_PAGES, NULL), EFAULT);
    CHECK_ERROR(dirty(8), EINVAL);
    CHECK_ERROR(dirty(VFIO_IOMMU_DIRTY_PAGES_FLAG_START | VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP),
                EINVAL);
    CHECK_ERROR(dirty(VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP), EINVAL);
}

static void dirty_start_and_stop(void)
{
    uint64_t bits = 0;

    START_V2();
    CHECK_OK(map(IOVA, memory, PAGE));
    CHECK_OK(dirty(VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP));
    CHECK_ERROR(get_bitmap(1, PAGE, 8, &bits), EINVAL);
    CHECK_OK(dirty(VFIO_IOMMU_DIRTY_PAGES_FLAG_START));
    CHECK_OK(dirty(VFIO_IOMMU_DIRTY_PAGES_FLAG_START));
    CHECK_OK(get_bitmap(1, PAGE, 8, &bits));
    CHECK_EQUAL(bits, 1);
    CHECK_OK(dirty(VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP));
    CHECK_ERROR(get_bitmap(1, PAGE, 8, &bits), EINVAL);
}

static void dirty_bitmap_of_every_mapped_page(void)
{
    uint64_t bits = 0;

    START_V2();
    CHECK_OK(map(IOVA, memory, 3 * PAGE));
    CHECK_OK(map(IOVA + 8 * PAGE, memory, PAGE));
    CHECK_OK(map(IOVA + 63 * PAGE, memory, PAGE));
    CHECK_OK(dirty(VFIO_IOMMU_DIRTY_PAGES_FLAG_START));
    for (int i = 0; i < 2; i++) {
        bits = 0;
        CHECK_OK(get_bitmap(BITS, PAGE, 8, &bits));
        if (i && bits == (0x10707ull | 1ull << 63))
            NOTE_LINUX("a bitmap that is asked for again has bits too many");
        else
            CHECK_EQUAL(bits, 0x107ull | 1ull << 63);
    }
}

static void dirty_bitmap_refusals(void)
{
    uint64_t bits[2] = {0};

    START_V2();
    CHECK_OK(map(IOVA, memory, 4 * PAGE));
    CHECK_OK(dirty(VFIO_IOMMU_DIRTY_PAGES_FLAG_START));
    CHECK_ERROR(get_bitmap(0, PAGE, 8, bits), EINVAL);
    CHECK_ERROR(get_bitmap(4, PAGE, 0, bits), EINVAL);
    CHECK_ERROR(get_bitmap(65, PAGE, 8, bits), EINVAL);
    CHECK_ERROR(get_bitmap(4, 2 * MIB, 8, bits), EINVAL);
    CHECK_ERROR(get_bitmap(3, PAGE, 8, bits), EINVAL); /* cuts the mapping */
    CHECK_OK(get_bitmap(5, PAGE, 8, bits));
}

static void dirty_bitmap_with_unmap(void)
{
    uint64_t bits = 0;
    struct unmap_with_bitmap u = {.argsz = sizeof(u),
                                  .flags = VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP,
                                  .iova = IOVA,
                                  .size = 8 * PAGE,
                                  .bitmap = {.pgsize = PAGE, .size = 8, .data = (void *)&bits}};

    START_V2();
    CHECK_OK(map(IOVA, memory, 8 * PAGE));
    CHECK_ERROR(ioctl(container, VFIO_IOMMU_UNMAP_DMA, &u), EINVAL);
    CHECK_OK(dirty(VFIO_IOMMU_DIRTY_PAGES_FLAG_START));
    u.flags |= VFIO_DMA_UNMAP_FLAG_ALL;
    CHECK_ERROR(ioctl(container, VFIO_IOMMU_UNMAP_DMA, &u), EINVAL);
    u.flags = VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP;
    u.argsz = sizeof(struct vfio_iommu_type1_dma_unmap);
    CHECK_ERROR(ioctl(container, VFIO_IOMMU_UNMAP_DMA, &u), EINVAL);
    u.argsz = sizeof(u);
    CHECK_OK(ioctl(container, VFIO_IOMMU_UNMAP_DMA, &u));
    CHECK_EQUAL(u.size, 8 * PAGE);
    CHECK_EQUAL(bits, 0xff);
    CHECK_EQUAL(mappings_left(), QUOTA);
}

const struct conform_case dirty_cases[] = {
    CASE(dirty_version_1),
    CASE(dirty_argument_checks),
    CASE(dirty_start_and_stop),
    CASE(dirty_bitmap_of_every_mapped_page),
    CASE(dirty_bitmap_refusals),
    CASE(dirty_bitmap_with_unmap),
    LAST_CASE,
};
