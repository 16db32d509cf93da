/* SPDX-License-Identifier: BSD-2-Clause */
/* MAP_DMA. */
#define _GNU_SOURCE
#include "type1.h"

static void map_argument_checks(void)
{
    struct vfio_iommu_type1_dma_map m = {.argsz = sizeof(m) - 1,
                                         .flags = VFIO_DMA_MAP_FLAG_READ,
                                         .vaddr = (uintptr_t)memory,
                                         .iova = IOVA,
                                         .size = PAGE};

    START_V2();
    CHECK_ERROR(ioctl(container, VFIO_IOMMU_MAP_DMA, &m), EINVAL);
    CHECK_ERROR(ioctl(container, VFIO_IOMMU_MAP_DMA, NULL), EFAULT);
    CHECK_ERROR(map_flags(IOVA, memory, PAGE, 0), EINVAL);
    CHECK_ERROR(map_flags(IOVA, memory, PAGE, 8 | 1), EINVAL);
    CHECK_ERROR(map_flags(IOVA, memory, PAGE, 0x80000001), EINVAL);
    CHECK_ERROR(map(IOVA, memory, 0), EINVAL);
    CHECK_ERROR(map(IOVA + 1, memory, PAGE), EINVAL);
    CHECK_ERROR(map(IOVA, memory + 1, PAGE), EINVAL);
    CHECK_ERROR(map(IOVA, memory, PAGE + 1), EINVAL);
    CHECK_EQUAL(unmap_flags(0, 0, VFIO_DMA_UNMAP_FLAG_ALL), 0);
}

static void map_structure_sizes(void)
{
    struct vfio_iommu_type1_dma_map m = {
        .flags = VFIO_DMA_MAP_FLAG_READ, .vaddr = (uintptr_t)memory, .iova = IOVA, .size = PAGE};

    START_V2();
    for (m.argsz = 0; m.argsz < sizeof(m); m.argsz++)
        CHECK_ERROR(ioctl(container, VFIO_IOMMU_MAP_DMA, &m), EINVAL);
    CHECK_OK(ioctl(container, VFIO_IOMMU_MAP_DMA, &m));
}

static void map_larger_argsz(void)
{
    struct {
        struct vfio_iommu_type1_dma_map m;
        uint64_t more;
    } a = {.m = {.argsz = sizeof(a),
                 .flags = VFIO_DMA_MAP_FLAG_READ,
                 .vaddr = (uintptr_t)memory,
                 .iova = IOVA,
                 .size = PAGE},
           .more = ~0ull};

    START_V2();
    CHECK_OK(ioctl(container, VFIO_IOMMU_MAP_DMA, &a));
}

static void map_vaddr_flag(void)
{
    START_V2();
    if (ioctl(container, VFIO_CHECK_EXTENSION, VFIO_UPDATE_VADDR)) {
        NOTE_LINUX("addresses of mappings can be updated");
        return;
    }
    CHECK_ERROR(map_flags(IOVA, memory, PAGE, VFIO_DMA_MAP_FLAG_VADDR), EINVAL);
    CHECK_ERROR(map_flags(IOVA, memory, PAGE, VFIO_DMA_MAP_FLAG_VADDR | VFIO_DMA_MAP_FLAG_READ),
                EINVAL);
}

static void map_wraps(void)
{
    START_V2();
    CHECK_ERROR2(map(-PAGE, memory, 2 * PAGE), EOVERFLOW, EINVAL);
    CHECK_ERROR2(map(IOVA, (void *)-PAGE, 2 * PAGE), EOVERFLOW, EINVAL);
    CHECK_ERROR2(map(IOVA, memory, -PAGE), EOVERFLOW, EINVAL);
}

static void map_overlap(void)
{
    START_V2();
    CHECK_OK(map(IOVA + PAGE, memory, 2 * PAGE));
    CHECK_ERROR(map(IOVA + PAGE, memory, 2 * PAGE), EEXIST);
    CHECK_ERROR(map(IOVA, memory, 2 * PAGE), EEXIST);
    CHECK_ERROR(map(IOVA + 2 * PAGE, memory, 2 * PAGE), EEXIST);
    CHECK_ERROR(map(IOVA, memory, 8 * PAGE), EEXIST);
    CHECK_OK(map(IOVA, memory, PAGE));
    CHECK_OK(map(IOVA + 3 * PAGE, memory, PAGE));
    CHECK_EQUAL(unmap(IOVA, 4 * PAGE), 4 * PAGE);
}

static void map_interrupt_window(void)
{
    START_V2();
    CHECK_ERROR(map(INTERRUPTS, memory, PAGE), EINVAL);
    CHECK_ERROR(map(INTERRUPTS + MIB - PAGE, memory, PAGE), EINVAL);
    CHECK_ERROR(map(INTERRUPTS - PAGE, memory, 2 * PAGE), EINVAL);
    CHECK_OK(map(INTERRUPTS - PAGE, memory, PAGE));
    CHECK_OK(map(INTERRUPTS + MIB, memory, PAGE));
}

static void map_last_page_of_the_aperture(void)
{
    START_V2();
    uint64_t last = last_iova();
    CHECK(last);
    CHECK_OK(map(last + 1 - PAGE, memory, PAGE));
    CHECK_ERROR(map(last + 1, memory, PAGE), EINVAL);
    CHECK_EQUAL(unmap(last + 1 - PAGE, PAGE), PAGE);
    CHECK_ERROR(map(last + 1 - PAGE, memory, 2 * PAGE), EINVAL);
    CHECK_OK(map(0, memory, PAGE));
    CHECK_EQUAL(unmap(0, PAGE), PAGE);
}

static void map_unreachable_memory(void)
{
    unsigned char *hole = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

    START_V2();
    CHECK(hole != MAP_FAILED);
    CHECK_OK(munmap(hole + 2 * PAGE, PAGE));
    CHECK_ERROR(map(IOVA, hole, 4 * PAGE), EFAULT);
    CHECK_EQUAL(unmap(IOVA, 4 * PAGE), 0);
    CHECK_EQUAL(mappings_left(), QUOTA);
    CHECK_OK(map(IOVA, hole, 2 * PAGE));
    CHECK_EQUAL(unmap(IOVA, 2 * PAGE), 2 * PAGE);
    CHECK_ERROR(map(IOVA, NULL, PAGE), EFAULT);
    munmap(hole, 4 * PAGE);
}

static void map_protection(void)
{
    unsigned char *page =
        mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

    START_V2();
    CHECK(page != MAP_FAILED);
    CHECK_ERROR(map(IOVA, page, PAGE), EFAULT);
    CHECK_ERROR(map_flags(IOVA, page, PAGE, VFIO_DMA_MAP_FLAG_WRITE), EFAULT);
    CHECK_OK(map_flags(IOVA, page, PAGE, VFIO_DMA_MAP_FLAG_READ));
    CHECK_EQUAL(unmap(IOVA, PAGE), PAGE);
    CHECK_OK(mprotect(page, PAGE, PROT_NONE));
    CHECK_ERROR(map_flags(IOVA, page, PAGE, VFIO_DMA_MAP_FLAG_READ), EFAULT);
    munmap(page, PAGE);
}

static void map_locked_memory_limit(void)
{
    struct rlimit old, low = {16 * PAGE, 0};
    bool binds;

    CHECK_OK(getrlimit(RLIMIT_MEMLOCK, &old));
    low.rlim_max = old.rlim_max;
    START_V2();
    CHECK_OK(setrlimit(RLIMIT_MEMLOCK, &low));
    binds = map(IOVA, memory, 17 * PAGE) == -1 && errno == ENOMEM;
    binds = binds && unmap(IOVA, 17 * PAGE) == 0;
    binds = binds && map(IOVA, memory, 16 * PAGE) == 0;
    binds = binds && map(IOVA + MIB, memory, PAGE) == -1 && errno == ENOMEM;
    binds = binds && unmap(IOVA, 16 * PAGE) == 16 * (long long)PAGE;
    binds = binds && map(IOVA, memory, 16 * PAGE) == 0;
    setrlimit(RLIMIT_MEMLOCK, &old);
    CHECK(binds || is_unlimited());
}

static void map_same_memory_twice(void)
{
    START_V2();
    CHECK_OK(map(IOVA, memory, PAGE));
    CHECK_OK(map(IOVA + MIB, memory, PAGE));
    CHECK_EQUAL(unmap(IOVA, PAGE), PAGE);
    CHECK_EQUAL(unmap(IOVA + MIB, PAGE), PAGE);
}

static void map_quota(void)
{
    START_V2();
    for (uint64_t i = 0; i < QUOTA; i++)
        if (map(IOVA + i * 2 * PAGE, memory, PAGE)) {
            CONFORM_FAIL("mapping %llu: %s", (unsigned long long)i, strerror(errno));
            return;
        }
    CHECK_EQUAL(mappings_left(), 0);
    CHECK_ERROR(map(IOVA + QUOTA * 2 * PAGE, memory, PAGE), ENOSPC);
    CHECK_ERROR(map(IOVA, memory, PAGE), EEXIST);
    CHECK_ERROR(map(INTERRUPTS, memory, PAGE), ENOSPC);
    CHECK_EQUAL(unmap_flags(0, 0, VFIO_DMA_UNMAP_FLAG_ALL), QUOTA * PAGE);
    CHECK_EQUAL(mappings_left(), QUOTA);
}

const struct conform_case map_cases[] = {
    CASE(map_argument_checks),
    CASE(map_structure_sizes),
    CASE(map_larger_argsz),
    CASE(map_vaddr_flag),
    CASE(map_wraps),
    CASE(map_overlap),
    CASE(map_interrupt_window),
    CASE(map_last_page_of_the_aperture),
    CASE(map_unreachable_memory),
    CASE(map_protection),
    CASE(map_locked_memory_limit),
    CASE(map_same_memory_twice),
    CASE(map_quota),
    LAST_CASE,
};
