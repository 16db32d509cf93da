/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls about what this hardware has not: dirty bits in its tables, page requests, nested
 * translation, virtual IOMMUs. Each refuses with the errors, and in the order, that Linux has
 * without such hardware.
 */
#include "kernel/device/iommufd/internal.h"
#include "kernel/lib/error.h"

/* ---- dirty tracking ---- */

int64_t call_set_dirty(struct ioctl_call *call)
{
    const struct iommu_hwpt_set_dirty_tracking *command = call->data;

    if ((command->flags & ~(uint32_t)IOMMU_HWPT_DIRTY_TRACKING_ENABLE) || command->__reserved)
        return -EOPNOTSUPP;
    return find_hwpt(call->context, command->hwpt_id) ? -EOPNOTSUPP : -ENOENT;
}

/* The range must consist of whole pages, both of the address space and of the bitmap. */
static int check_bitmap(const struct iommu_hwpt_get_dirty_bitmap *command, const struct ioas *ioas)
{
    uint64_t last, ends;

    if (__builtin_add_overflow(command->iova, command->length - 1, &last))
        return -EOVERFLOW;
    ends = command->iova | (last + 1);
    if ((ends & (ioas_alignment(ioas) - 1)) || !command->page_size ||
        (ends & (command->page_size - 1)))
        return -EINVAL;
    return 0;
}

int64_t call_get_dirty(struct ioctl_call *call)
{
    const struct iommu_hwpt_get_dirty_bitmap *command = call->data;
    const struct iommufd_hwpt *hwpt = find_hwpt(call->context, command->hwpt_id);
    int error;

    if ((command->flags & ~(uint32_t)IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR) || command->__reserved)
        return -EOPNOTSUPP;
    if (!hwpt)
        return -ENOENT;
    error = check_bitmap(command, hwpt->ioas->ioas);
    return error ? error : -EOPNOTSUPP;
}

/* ---- page requests ---- */

/* Linux hands out a queue here that could never hold anything. */
int64_t call_fault_alloc(struct ioctl_call *call)
{
    return -EOPNOTSUPP;
}

/* ---- nested translation ---- */

/* Only nested page tables have something to invalidate. Says that no entry was dealt with. */
int64_t call_invalidate(struct ioctl_call *call)
{
    struct iommu_hwpt_invalidate *command = call->data;
    int error = -EINVAL;

    if (command->__reserved)
        error = -EOPNOTSUPP;
    else if (command->entry_num && (!command->data_uptr || !command->entry_len))
        error = -EINVAL;
    else if (!object_find(call->context, command->hwpt_id))
        error = -ENOENT;
    command->entry_num = 0;
    return ioctl_reply(call) ? -EFAULT : error;
}

int64_t call_viommu_alloc(struct ioctl_call *call)
{
    const struct iommu_viommu_alloc *command = call->data;

    if (command->flags || command->type == IOMMU_VIOMMU_TYPE_DEFAULT)
        return -EOPNOTSUPP;
    return find_device(call->context, command->dev_id) ? -EOPNOTSUPP : -ENOENT;
}

/* The other three name a virtual IOMMU, and there is none. */

int64_t call_vdevice_alloc(struct ioctl_call *call)
{
    return -ENOENT;
}

int64_t call_veventq_alloc(struct ioctl_call *call)
{
    const struct iommu_veventq_alloc *command = call->data;

    if (command->flags || command->__reserved || command->type == IOMMU_VEVENTQ_TYPE_DEFAULT)
        return -EOPNOTSUPP;
    return command->veventq_depth ? -ENOENT : -EINVAL;
}

int64_t call_hw_queue_alloc(struct ioctl_call *call)
{
    const struct iommu_hw_queue_alloc *command = call->data;
    uint64_t last;

    if (command->flags || command->type == IOMMU_HW_QUEUE_TYPE_DEFAULT)
        return -EOPNOTSUPP;
    if (!command->length)
        return -EINVAL;
    if (__builtin_add_overflow(command->nesting_parent_iova, command->length - 1, &last))
        return -EOVERFLOW;
    return -ENOENT;
}
