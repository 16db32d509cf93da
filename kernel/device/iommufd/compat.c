/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VFIO container calls on an iommufd: they work on one of its IO address spaces, which an attached
 * VFIO group makes or IOMMU_VFIO_IOAS names.
 */
#include "kernel/cpu/user.h"
#include "kernel/device/dma_info.h"
#include "kernel/device/iommufd/internal.h"
#include "kernel/lib/error.h"
#include "kernel/mm/heap.h"

/* ---- which space ---- */

int iommufd_compat_create(struct file *file)
{
    struct iommufd *ctx = file->context;

    return mutex_run(&ctx->lock, LOCK_POINT,
                     ctx->compat ? 0 : ioas_object_create(ctx, &ctx->compat));
}

int64_t call_vfio_ioas(struct ioctl_call *call)
{
    struct iommu_vfio_ioas *command = call->data;
    struct iommufd *ctx = call->context;
    struct iommufd_ioas *ioas;

    if (command->__reserved)
        return -EOPNOTSUPP;
    switch (command->op) {
    case IOMMU_VFIO_IOAS_GET:
        if (!ctx->compat)
            return -ENODEV;
        command->ioas_id = object_id(&ctx->compat->object);
        return ioctl_reply(call);
    case IOMMU_VFIO_IOAS_SET:
        ioas = find_ioas(ctx, command->ioas_id);
        if (!ioas)
            return -ENOENT;
        ctx->compat = ioas;
        return 0;
    case IOMMU_VFIO_IOAS_CLEAR:
        ctx->compat = NULL;
        return 0;
    default:
        return -EOPNOTSUPP;
    }
}

/* ---- what can it do ---- */

static struct iommufd_ioas *compat_ioas(const struct ioctl_call *call)
{
    return ((const struct iommufd *)call->context)->compat;
}

int64_t compat_api_version(struct ioctl_call *call)
{
    return VFIO_API_VERSION;
}

int64_t compat_check_extension(struct ioctl_call *call)
{
    const struct iommufd_ioas *ioas = compat_ioas(call);

    switch (call->argument) {
    case VFIO_TYPE1_IOMMU:
    case VFIO_TYPE1v2_IOMMU:
    case VFIO_UNMAP_ALL:
        return 1;
    case VFIO_DMA_CC_IOMMU:
        return ioas ? ioas_geometry(ioas->ioas).snoop_control : -ENODEV;
    default:
        return 0;
    }
}

int64_t compat_set_iommu(struct ioctl_call *call)
{
    struct iommufd_ioas *ioas = compat_ioas(call);
    uint64_t type = call->argument;

    if (type != VFIO_TYPE1_IOMMU && type != VFIO_TYPE1v2_IOMMU)
        return -EINVAL;
    if (!ioas)
        return -ENODEV;
    /* Version 1 may cut mappings anywhere, which a large leaf does not bear. */
    return type == VFIO_TYPE1_IOMMU ? ioas_set_small_leaves(ioas->ioas, true) : 0;
}

/* ---- GET_INFO ---- */

struct info {
    struct vfio_iommu_type1_info info;
    struct dma_info dma;
};

int64_t compat_get_info(struct ioctl_call *call)
{
    struct iommufd_ioas *ioas = compat_ioas(call);
    struct info *info;
    uint64_t sizes;
    size_t size;
    int error;

    if (!ioas)
        return -ENODEV;
    /* Breathes, which must not happen once the ranges are counted. */
    sizes = ioas_geometry(ioas->ioas).page_sizes;
    size = offsetof(struct info, dma) + dma_info_size(ioas->ioas);
    info = kzalloc(size);
    if (!info)
        return -ENOMEM;
    info->info.argsz = (uint32_t)size;
    info->info.flags = VFIO_IOMMU_INFO_PGSIZES | VFIO_IOMMU_INFO_CAPS;
    info->info.iova_pgsizes = sizes;
    info->info.cap_offset = call->size >= size ? offsetof(struct info, dma) : 0;
    dma_info_fill(&info->dma, offsetof(struct info, dma), ioas->ioas, UINT32_MAX);
    error = copy_to_user(call->argument, info,
                         call->size >= size ? size : MIN(call->size, sizeof(info->info)));
    kfree(info);
    return error;
}

/* ---- MAP_DMA, UNMAP_DMA ---- */

int64_t compat_map_dma(struct ioctl_call *call)
{
    const struct vfio_iommu_type1_dma_map *map = call->data;
    struct iommufd_ioas *ioas = compat_ioas(call);
    uint64_t iova = map->iova, end;

    if (map->flags & ~(VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE))
        return -EINVAL;
    if (!ioas)
        return -ENODEV;
    if (map->size && !range_end(map->vaddr, map->size, &end))
        return -EOVERFLOW;
    return ioas_map(ioas->ioas, &iommufd_user->memory, map->vaddr, map->size,
                    map->flags | IOAS_FIXED | IOAS_RAM_ONLY, &iova);
}

static int unmap_range(struct ioas *ioas, uint64_t iova, uint64_t size, uint64_t *unmapped)
{
    uint64_t last;
    int error = 0;

    if (!size)
        return -EINVAL;
    if (__builtin_add_overflow(iova, size - 1, &last))
        return -EOVERFLOW;
    if (ioas_small_leaves(ioas))
        error = ioas_cut(ioas, iova, last);
    if (error)
        return error;
    error = ioas_unmap(ioas, iova, last, unmapped);
    if (error == -EINVAL)
        return -ENOENT; /* version 2: a mapping is cut */
    return error == -ENOENT ? 0 : error;
}

int64_t compat_unmap_dma(struct ioctl_call *call)
{
    struct vfio_iommu_type1_dma_unmap *unmap = call->data;
    struct iommufd_ioas *ioas = compat_ioas(call);
    uint64_t unmapped = 0;
    int error;

    if (unmap->flags & ~VFIO_DMA_UNMAP_FLAG_ALL)
        return -EINVAL;
    if (!ioas)
        return -ENODEV;
    if (!(unmap->flags & VFIO_DMA_UNMAP_FLAG_ALL))
        error = unmap_range(ioas->ioas, unmap->iova, unmap->size, &unmapped);
    else if (unmap->iova || unmap->size)
        return -EINVAL;
    else
        error = ioas_unmap_all(ioas->ioas, &unmapped);
    unmap->size = unmapped;
    return ioctl_reply(call) ? -EFAULT : error;
}
