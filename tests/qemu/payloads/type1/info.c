/* SPDX-License-Identifier: BSD-2-Clause */
/* GET_INFO. */
#define _GNU_SOURCE
#include "type1.h"

static void info_needs_16_bytes(void)
{
    struct vfio_iommu_type1_info info = {.argsz = 15};

    START_V2();
    CHECK_ERROR(ioctl(container, VFIO_IOMMU_GET_INFO, &info), EINVAL);
}

static void info_never_writes_past_argsz(void)
{
    unsigned char buffer[256];
    struct vfio_iommu_type1_info *info = (void *)buffer;

    START_V2();
    for (uint32_t argsz = 16; argsz <= 200; argsz++) {
        memset(buffer, CANARY, sizeof(buffer));
        info->argsz = argsz;
        CHECK_OK(ioctl(container, VFIO_IOMMU_GET_INFO, info));
        for (uint32_t i = argsz; i < sizeof(buffer); i++)
            CHECK_EQUAL(buffer[i], CANARY);
    }
}

static void info_tells_the_size_it_needs(void)
{
    struct vfio_iommu_type1_info info = {.argsz = sizeof(info)};

    START_V2();
    CHECK_OK(ioctl(container, VFIO_IOMMU_GET_INFO, &info));
    CHECK(info.flags & VFIO_IOMMU_INFO_PGSIZES);
    CHECK(info.flags & VFIO_IOMMU_INFO_CAPS);
    CHECK_EQUAL(info.cap_offset, 0);
    CHECK(info.argsz > sizeof(info));
    CHECK(info.iova_pgsizes & PAGE);
}

/* With exactly the size needed the chain is complete; with one byte less it is not there at all. */
static void info_chain_of_capabilities(void)
{
    static const uint16_t ids[] = {VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE,
                                   VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION,
                                   VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL};
    unsigned count = 0;
    bool ok;

    START_V2();
    struct vfio_iommu_type1_info *info = get_info();
    CHECK(info);
    uint32_t size = info->argsz, at = info->cap_offset;
    ok = at == sizeof(*info);
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
        ok = ok && capability(info, ids[i]) && capability(info, ids[i])->version == 1;
    while (ok && at && count++ < 8) {
        ok = at % 4 == 0 && at + sizeof(struct vfio_info_cap_header) <= size;
        at = ok ? ((struct vfio_info_cap_header *)((char *)info + at))->next : 0;
    }
    memset(info, CANARY, size);
    info->argsz = size - 1;
    ok = ok && !ioctl(container, VFIO_IOMMU_GET_INFO, info) && info->cap_offset == 0 &&
         info->argsz == size;
    free(info);
    CHECK(ok);
    CHECK(count >= 2 && count <= 8);
}

static void info_ranges(void)
{
    START_V2();
    struct vfio_iommu_type1_info *info = get_info();
    CHECK(info);
    const struct vfio_iommu_type1_info_cap_iova_range *r =
        (const void *)capability(info, VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE);
    bool ok = r && r->nr_iovas >= 2 && r->header.version == 1;

    for (uint32_t i = 0; ok && i < r->nr_iovas; i++) {
        ok = r->iova_ranges[i].start < r->iova_ranges[i].end;
        ok = ok &&
             (r->iova_ranges[i].end < INTERRUPTS || r->iova_ranges[i].start > INTERRUPTS + MIB - 1);
        ok = ok && (i == 0 || r->iova_ranges[i].start > r->iova_ranges[i - 1].end);
    }
    free(info);
    CHECK(ok);
}

static void info_mappings_left(void)
{
    START_V2();
    CHECK_EQUAL(mappings_left(), QUOTA);
    CHECK_OK(map(IOVA, memory, PAGE));
    CHECK_EQUAL(mappings_left(), QUOTA - 1);
    CHECK_EQUAL(unmap(IOVA, PAGE), PAGE);
    CHECK_EQUAL(mappings_left(), QUOTA);
}

const struct conform_case info_cases[] = {
    CASE(info_needs_16_bytes),
    CASE(info_never_writes_past_argsz),
    CASE(info_tells_the_size_it_needs),
    CASE(info_chain_of_capabilities),
    CASE(info_ranges),
    CASE(info_mappings_left),
    LAST_CASE,
};
