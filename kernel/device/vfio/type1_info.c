/* SPDX-License-Identifier: BSD-2-Clause */
/* VFIO_IOMMU_GET_INFO: page sizes, and a chain of capabilities if the caller has room for all. */
#include "kernel/cpu/user.h"
#include "kernel/device/dma_info.h"
#include "kernel/lib/error.h"
#include "kernel/mm/heap.h"
#include "kernel/device/vfio/type1.h"

#define INFO_SIZE_CAPS offsetof(struct vfio_iommu_type1_info, pad)
#define BITMAP_MAX     ((uint64_t)1 << 28)

/* All capabilities; every one is 8-aligned. */
struct capabilities {
    struct vfio_iommu_type1_info_cap_migration migration;
    struct dma_info dma;
};

/* The chain in one allocation, which the caller frees; NULL when out of memory. */
static struct capabilities *build(const struct type1 *type1, size_t *size)
{
    const uint32_t dma = sizeof(struct vfio_iommu_type1_info) + offsetof(struct capabilities, dma);
    struct capabilities *caps;

    *size = offsetof(struct capabilities, dma) + dma_info_size(type1->ioas);
    caps = kzalloc(*size);
    if (!caps)
        return NULL;
    caps->migration.header =
        (struct vfio_info_cap_header){VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION, 1, dma};
    caps->migration.pgsize_bitmap = PAGE_SIZE;
    caps->migration.max_dirty_bitmap_size = BITMAP_MAX;
    dma_info_fill(&caps->dma, dma, type1->ioas,
                  TYPE1_MAPPINGS_MAX - (uint32_t)ioas_area_count(type1->ioas));
    return caps;
}

int64_t type1_get_info(struct ioctl_call *call)
{
    struct vfio_iommu_type1_info *info = call->data;
    const struct type1 *type1 = call->context;
    struct capabilities *caps;
    size_t caps_size, size = call->size < INFO_SIZE_CAPS ? call->row->size_min : INFO_SIZE_CAPS;
    int error = 0;

    caps = build(type1, &caps_size);
    if (!caps)
        return -ENOMEM;
    info->flags = VFIO_IOMMU_INFO_PGSIZES | VFIO_IOMMU_INFO_CAPS;
    info->iova_pgsizes = ioas_geometry(type1->ioas).page_sizes;
    if (call->size < sizeof(*info) + caps_size) {
        info->argsz = (uint32_t)(sizeof(*info) + caps_size);
    } else {
        info->cap_offset = sizeof(*info);
        error = copy_to_user(call->argument + sizeof(*info), caps, caps_size);
    }
    kfree(caps);
    return error ? error : copy_to_user(call->argument, info, size);
}
