/* SPDX-License-Identifier: BSD-2-Clause */
/* VFIO_IOMMU_GET_INFO: page sizes, and a chain of capabilities if the caller has room for all. */
#include <linux/vfio.h>
#include "kernel/cpu/user.h"
#include "kernel/lib/error.h"
#include "kernel/mm/heap.h"
#include "kernel/device/vfio/type1.h"

#define INFO_SIZE_MIN  offsetof(struct vfio_iommu_type1_info, cap_offset)
#define INFO_SIZE_CAPS offsetof(struct vfio_iommu_type1_info, pad)
#define BITMAP_MAX     ((uint64_t)1 << 28)

/* The part with a fixed size, as it follows the info structure; every capability is 8-aligned. */
struct fixed_capabilities {
    struct vfio_iommu_type1_info_cap_migration migration;
    struct vfio_iommu_type1_info_dma_avail avail;
    __u32 pad;
    struct vfio_iommu_type1_info_cap_iova_range ranges;
};

/* Stores the usable ranges at `out` (NULL: nowhere). Returns how many there are. */
static size_t list_ranges(const struct type1 *type1, struct vfio_iova_range *out)
{
    struct ioas_range range = {0, 0};
    size_t count = 0;

    for (uint64_t from = 0; ioas_usable(type1->ioas, from, &range); from = range.last + 1) {
        if (out)
            out[count] = (struct vfio_iova_range){range.first, range.last};
        count++;
        if (range.last == UINT64_MAX)
            break;
    }
    return count;
}

/* The chain in one allocation, which the caller frees; NULL when out of memory. */
static struct fixed_capabilities *build(const struct type1 *type1, size_t *size)
{
    const uint32_t start = sizeof(struct vfio_iommu_type1_info);
    size_t count = list_ranges(type1, NULL);
    struct fixed_capabilities *caps;

    *size = sizeof(*caps) + count * sizeof(struct vfio_iova_range);
    caps = kzalloc(*size);
    if (!caps)
        return NULL;
    caps->migration.header = (struct vfio_info_cap_header){
        VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION, 1, start + offsetof(struct fixed_capabilities, avail)};
    caps->migration.pgsize_bitmap = PAGE_SIZE;
    caps->migration.max_dirty_bitmap_size = BITMAP_MAX;
    caps->avail.header = (struct vfio_info_cap_header){
        VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL, 1, start + offsetof(struct fixed_capabilities, ranges)};
    caps->avail.avail = TYPE1_MAPPINGS_MAX - (uint32_t)ioas_area_count(type1->ioas);
    caps->ranges.header = (struct vfio_info_cap_header){VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE, 1, 0};
    caps->ranges.nr_iovas = (uint32_t)count;
    list_ranges(type1, caps->ranges.iova_ranges);
    return caps;
}

APART int64_t type1_get_info(const struct type1 *type1, uaddr_t argument)
{
    struct vfio_iommu_type1_info info = {0};
    struct iommu_geometry geometry;
    struct fixed_capabilities *caps;
    size_t size, caps_size;
    int error = 0;

    if (copy_from_user(&info, argument, INFO_SIZE_MIN))
        return -EFAULT;
    if (info.argsz < INFO_SIZE_MIN)
        return -EINVAL;
    size = info.argsz >= INFO_SIZE_CAPS ? INFO_SIZE_CAPS : INFO_SIZE_MIN;
    caps = build(type1, &caps_size);
    if (!caps)
        return -ENOMEM;
    ioas_tables_geometry(&type1->tables, &geometry);
    info.flags = VFIO_IOMMU_INFO_PGSIZES | VFIO_IOMMU_INFO_CAPS;
    info.iova_pgsizes = geometry.page_sizes;
    info.cap_offset = 0;
    if (info.argsz < sizeof(info) + caps_size) {
        info.argsz = (uint32_t)(sizeof(info) + caps_size);
    } else {
        info.cap_offset = sizeof(info);
        error = copy_to_user(argument + sizeof(info), caps, caps_size);
    }
    kfree(caps);
    return error ? error : copy_to_user(argument, &info, size);
}
