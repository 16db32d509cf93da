/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/device/vfio/type1.h"
#include <linux/vfio.h>
#include "kernel/lib/error.h"
#include "kernel/mm/heap.h"

int type1_create(const struct ioas_user *user, struct mutex *lock, bool v2, struct type1 **out)
{
    struct type1 *type1 = kzalloc(sizeof(*type1));
    int error;

    if (!type1)
        return -ENOMEM;
    error = ioas_create(user->account, lock, &type1->ioas);
    if (error) {
        kfree(type1);
        return error;
    }
    ioas_tables_init(&type1->tables, type1->ioas);
    type1->user = user;
    type1->v2 = v2;
    *out = type1;
    return 0;
}

void type1_destroy(struct type1 *type1)
{
    ioas_destroy(type1->ioas);
    kfree(type1);
}

APART int type1_check_extension(const struct type1 *type1, uint64_t extension)
{
    switch (extension) {
    case VFIO_TYPE1_IOMMU:
    case VFIO_TYPE1v2_IOMMU:
    case VFIO_UNMAP_ALL:
        return 1;
    case VFIO_DMA_CC_IOMMU:
        return type1 && ioas_geometry(type1->ioas).snoop_control;
    default:
        return 0;
    }
}

/* ---- MAP_DMA ---- */

static int check_map(const struct vfio_iommu_type1_dma_map *map)
{
    uint64_t last;

    if ((map->flags & ~(VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE)) || !map->flags)
        return -EINVAL;
    if (!map->size || !IS_ALIGNED(map->size | map->iova | map->vaddr, PAGE_SIZE))
        return -EINVAL;
    if (__builtin_add_overflow(map->iova, map->size - 1, &last) ||
        __builtin_add_overflow(map->vaddr, map->size - 1, &last))
        return -EOVERFLOW;
    return 0;
}

_Static_assert(VFIO_DMA_MAP_FLAG_READ == IOAS_READ && VFIO_DMA_MAP_FLAG_WRITE == IOAS_WRITE,
               "flags pass through");

static int64_t map_dma(struct ioctl_call *call)
{
    const struct vfio_iommu_type1_dma_map *map = call->data;
    struct type1 *type1 = call->context;
    uint64_t iova = map->iova;
    struct ioas_range area;
    int error = check_map(map);

    if (error)
        return error;
    if (ioas_area_count(type1->ioas) >= TYPE1_MAPPINGS_MAX)
        error = -ENOSPC;
    else
        error = ioas_map(type1->ioas, &type1->user->memory, map->vaddr, map->size,
                         map->flags | IOAS_FIXED, &iova);
    if (!error)
        return 0;
    /* An overlap is reported before the quota and before a range that cannot be used. */
    if ((error == -ENOSPC || error == -EINVAL) &&
        ioas_find(type1->ioas, map->iova, map->iova + (map->size - 1), &area))
        error = -EEXIST;
    return error;
}

/* ---- UNMAP_DMA ---- */

/* Stores the last byte of what is to be unmapped. */
static int check_unmap(const struct vfio_iommu_type1_dma_unmap *unmap, uint64_t *last)
{
    const uint32_t known = VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP | VFIO_DMA_UNMAP_FLAG_ALL;

    *last = UINT64_MAX;
    if ((unmap->flags & ~known) || unmap->flags == known)
        return -EINVAL;
    if (!IS_ALIGNED(unmap->iova, PAGE_SIZE))
        return -EINVAL;
    if (unmap->flags & VFIO_DMA_UNMAP_FLAG_ALL)
        return unmap->iova || unmap->size ? -EINVAL : 0;
    if (!unmap->size || !IS_ALIGNED(unmap->size, PAGE_SIZE))
        return -EINVAL;
    if (__builtin_add_overflow(unmap->iova, unmap->size - 1, last))
        return -EOVERFLOW;
    return 0;
}

/*
 * Version 1: a call that covers the first byte of a mapping removes it whole; one whose first
 * mapping starts below the range removes nothing.
 */
static bool v1_range(const struct type1 *type1, uint64_t iova, uint64_t *last)
{
    struct ioas_range area;

    if (!ioas_find(type1->ioas, iova, *last, &area) || area.first < iova)
        return false;
    if (ioas_find(type1->ioas, *last, *last, &area))
        *last = area.last;
    return true;
}

static int unmap_range(struct type1 *type1, uint64_t iova, uint64_t last, uint64_t *bytes)
{
    int error;

    *bytes = 0;
    if (!type1->v2 && !v1_range(type1, iova, &last))
        return 0;
    error = ioas_unmap(type1->ioas, iova, last, bytes);
    return error == -ENOENT ? 0 : error;
}

/* The dirty pages of what is about to be unmapped. */
static APART int report_dirty(const struct ioctl_call *call)
{
    const struct vfio_iommu_type1_dma_unmap *unmap = call->data;
    const struct type1 *type1 = call->context;
    struct vfio_bitmap bitmap;
    int error;

    if (call->size < sizeof(*unmap) + sizeof(bitmap))
        return -EINVAL;
    error = type1_dirty_read(type1, call->argument + sizeof(*unmap), unmap->size, &bitmap);
    if (error)
        return error;
    return type1_dirty_mark(type1, &bitmap, unmap->iova, unmap->iova + (unmap->size - 1));
}

static int64_t unmap_dma(struct ioctl_call *call)
{
    struct vfio_iommu_type1_dma_unmap *unmap = call->data;
    struct type1 *type1 = call->context;
    uint64_t bytes, last;
    int error = check_unmap(unmap, &last);

    if (!error && (unmap->flags & VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP))
        error = report_dirty(call);
    if (!error)
        error = unmap_range(type1, unmap->iova, last, &bytes);
    if (error)
        return error;
    if (bytes == unmap->size)
        return 0; /* it says so already */
    unmap->size = bytes;
    return ioctl_reply(call);
}

/* The two that matter for speed come first. */
static const struct ioctl_row calls[] = {
#define STRUCT(type, last) IOCTL_STRUCT(IOCTL_ARGSZ, struct type, last)
    {VFIO_IOMMU_MAP_DMA, STRUCT(vfio_iommu_type1_dma_map, size), map_dma},
    {VFIO_IOMMU_UNMAP_DMA, STRUCT(vfio_iommu_type1_dma_unmap, size), unmap_dma},
    {VFIO_IOMMU_GET_INFO, STRUCT(vfio_iommu_type1_info, iova_pgsizes), type1_get_info},
#undef STRUCT
    {VFIO_IOMMU_DIRTY_PAGES, IOCTL_PLAIN, 0, 0, type1_dirty_pages},
};

const struct ioctl_row *type1_find(uint32_t command)
{
    return ioctl_find(calls, ARRAY_SIZE(calls), command);
}
