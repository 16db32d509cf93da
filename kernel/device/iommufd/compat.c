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

#define TABLE_WORK 30 /* work (breathe_after()) of looking at one page table */

/* ---- which space ---- */

int iommufd_compat_create(struct file *file)
{
    struct iommufd *ctx = file->context;
    int error = mutex_lock(&ctx->lock, LOCK_POINT);

    if (error)
        return error;
    if (!ctx->compat)
        error = ioas_object_create(ctx, &ctx->compat);
    mutex_unlock(&ctx->lock);
    return error;
}

int iommufd_compat_id(struct file *file, uint32_t *id)
{
    struct iommufd *ctx = file->context;
    int error = mutex_lock(&ctx->lock, LOCK_POINT);

    if (error)
        return error;
    if (ctx->compat)
        *id = object_id(&ctx->compat->object);
    else
        error = -ENODEV;
    mutex_unlock(&ctx->lock);
    return error;
}

int call_vfio_ioas(struct call *call)
{
    struct iommu_vfio_ioas *command = &call->command.vfio_ioas;
    struct iommufd_ioas *ioas;

    if (command->__reserved)
        return -EOPNOTSUPP;
    switch (command->op) {
    case IOMMU_VFIO_IOAS_GET:
        if (!call->ctx->compat)
            return -ENODEV;
        command->ioas_id = object_id(&call->ctx->compat->object);
        return call_reply(call, sizeof(*command));
    case IOMMU_VFIO_IOAS_SET:
        ioas = find_ioas(call->ctx, command->ioas_id);
        if (!ioas)
            return -ENOENT;
        call->ctx->compat = ioas;
        return 0;
    case IOMMU_VFIO_IOAS_CLEAR:
        call->ctx->compat = NULL;
        return 0;
    default:
        return -EOPNOTSUPP;
    }
}

/* ---- what can it do ---- */

static int64_t check_extension(struct iommufd_ioas *ioas, uint64_t extension)
{
    struct iommu_geometry geometry;
    struct iommufd_hwpt *hwpt;

    switch (extension) {
    case VFIO_TYPE1_IOMMU:
    case VFIO_TYPE1v2_IOMMU:
    case VFIO_UNMAP_ALL:
        return 1;
    case VFIO_DMA_CC_IOMMU:
        if (!ioas)
            return -ENODEV;
        list_for_each_entry (hwpt, &ioas->hwpts, link) {
            iommu_domain_geometry(hwpt->domain, &geometry);
            if (!geometry.snoop_control)
                return 0;
            breathe_deaf_after(TABLE_WORK, "looking at page tables");
        }
        return 1;
    default:
        return 0;
    }
}

static int64_t set_iommu(struct iommufd_ioas *ioas, uint64_t type)
{
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

/* Page sizes that all page tables have; without any, nothing stands in the way of any. */
static uint64_t page_sizes(const struct iommufd_ioas *ioas)
{
    uint64_t sizes = ~(PAGE_SIZE - 1);
    struct iommu_geometry geometry;
    struct iommufd_hwpt *hwpt;

    list_for_each_entry (hwpt, &ioas->hwpts, link) {
        iommu_domain_geometry(hwpt->domain, &geometry);
        sizes &= geometry.page_sizes;
        breathe_deaf_after(TABLE_WORK, "looking at page tables");
    }
    return sizes;
}

static int64_t get_info(struct iommufd_ioas *ioas, uaddr_t argument)
{
    const size_t size_min = offsetof(struct vfio_iommu_type1_info, cap_offset);
    struct info *info;
    uint32_t argsz;
    size_t size;
    int error;

    if (copy_from_user(&argsz, argument, sizeof(argsz)))
        return -EFAULT;
    if (argsz < size_min)
        return -EINVAL;
    if (!ioas)
        return -ENODEV;
    size = offsetof(struct info, dma) + dma_info_size(ioas->ioas);
    info = kzalloc(size);
    if (!info)
        return -ENOMEM;
    info->info.argsz = (uint32_t)size;
    info->info.flags = VFIO_IOMMU_INFO_PGSIZES | VFIO_IOMMU_INFO_CAPS;
    info->info.iova_pgsizes = page_sizes(ioas);
    info->info.cap_offset = argsz >= size ? offsetof(struct info, dma) : 0;
    dma_info_fill(&info->dma, offsetof(struct info, dma), ioas->ioas, UINT32_MAX);
    error = copy_to_user(argument, info, argsz >= size ? size : MIN(argsz, sizeof(info->info)));
    kfree(info);
    return error;
}

/* ---- MAP_DMA, UNMAP_DMA ---- */

static int64_t map_dma(struct iommufd_ioas *ioas, uaddr_t argument)
{
    struct vfio_iommu_type1_dma_map map;
    uint64_t iova, end;

    if (copy_from_user(&map, argument, sizeof(map)))
        return -EFAULT;
    if (map.argsz < sizeof(map) ||
        (map.flags & ~(VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE)))
        return -EINVAL;
    if (!ioas)
        return -ENODEV;
    if (map.size && !range_end(map.vaddr, map.size, &end))
        return -EOVERFLOW;
    iova = map.iova;
    return ioas_map(ioas->ioas, &iommufd_user()->memory, map.vaddr, map.size,
                    map.flags | IOAS_FIXED | IOAS_RAM_ONLY, &iova);
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

static int64_t unmap_dma(struct iommufd_ioas *ioas, uaddr_t argument)
{
    struct vfio_iommu_type1_dma_unmap unmap;
    uint64_t unmapped = 0;
    int error;

    if (copy_from_user(&unmap, argument, sizeof(unmap)))
        return -EFAULT;
    if (unmap.argsz < sizeof(unmap) || (unmap.flags & ~VFIO_DMA_UNMAP_FLAG_ALL))
        return -EINVAL;
    if (!ioas)
        return -ENODEV;
    if (!(unmap.flags & VFIO_DMA_UNMAP_FLAG_ALL))
        error = unmap_range(ioas->ioas, unmap.iova, unmap.size, &unmapped);
    else if (unmap.iova || unmap.size)
        return -EINVAL;
    else
        error = ioas_unmap_all(ioas->ioas, &unmapped);
    unmap.size = unmapped;
    return copy_to_user(argument, &unmap, sizeof(unmap)) ? -EFAULT : error;
}

int64_t compat_ioctl(struct iommufd *ctx, uint32_t command, uint64_t argument)
{
    switch (command) {
    case VFIO_GET_API_VERSION:
        return VFIO_API_VERSION;
    case VFIO_CHECK_EXTENSION:
        return check_extension(ctx->compat, argument);
    case VFIO_SET_IOMMU:
        return set_iommu(ctx->compat, argument);
    case VFIO_IOMMU_GET_INFO:
        return get_info(ctx->compat, argument);
    case VFIO_IOMMU_MAP_DMA:
        return map_dma(ctx->compat, argument);
    case VFIO_IOMMU_UNMAP_DMA:
        return unmap_dma(ctx->compat, argument);
    default:
        return -ENOTTY;
    }
}
