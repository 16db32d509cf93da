/* SPDX-License-Identifier: BSD-2-Clause */
/* The file /dev/iommu: objects by id, and one table for all calls. */
#include "kernel/device/iommufd/iommufd.h"
#include <linux/vfio.h>
#include "kernel/file/tree.h"
#include "kernel/device/iommufd/internal.h"
#include "kernel/lib/error.h"
#include "kernel/lib/string.h"
#include "kernel/mm/heap.h"

#define IOMMUFD_MAJOR 10
#define IOMMUFD_MINOR 54 /* of the range for dynamic numbers; nothing depends on it */

#define OBJECT_ID_MAX INT32_MAX
#define OBJECT_WORK   800 /* work (breathe_after()) of destroying one */

const struct ioas_user *iommufd_user;

/* ---- objects ---- */

/* Ids are not used again: one that somebody kept too long names nothing, not something else. */
int object_add(struct iommufd *ctx, struct object *object, enum object_type type)
{
    if (ctx->last_id == OBJECT_ID_MAX)
        return -ENOSPC;
    object->node.first = object->node.last = ++ctx->last_id;
    object->type = type;
    object->users = 0;
    itree_insert(&ctx->objects, &object->node);
    return 0;
}

struct object *object_find(const struct iommufd *ctx, uint32_t id)
{
    struct itree_node *node = itree_find(&ctx->objects, id, id);

    return node ? container_of(node, struct object, node) : NULL;
}

static struct object *find_typed(const struct iommufd *ctx, uint32_t id, enum object_type type)
{
    struct object *object = object_find(ctx, id);

    return object && object->type == type ? object : NULL;
}

#define FIND(kind, type)                                                                           \
    struct iommufd_##kind *find_##kind(const struct iommufd *ctx, uint32_t id)                     \
    {                                                                                              \
        struct object *object = find_typed(ctx, id, type);                                         \
                                                                                                   \
        return object ? container_of(object, struct iommufd_##kind, object) : NULL;                \
    }
FIND(ioas, OBJECT_IOAS)
FIND(hwpt, OBJECT_HWPT)
FIND(device, OBJECT_DEVICE)

static void object_destroy(struct iommufd *ctx, struct object *object)
{
    if (object->type == OBJECT_HWPT)
        hwpt_destroy(ctx, container_of(object, struct iommufd_hwpt, object));
    else
        ioas_object_destroy(ctx, container_of(object, struct iommufd_ioas, object));
}

static int64_t call_destroy(struct ioctl_call *call)
{
    const struct iommu_destroy *command = call->data;
    struct object *object = object_find(call->context, command->id);

    if (!object)
        return -ENOENT;
    if (object->users)
        return -EBUSY;
    object_destroy(call->context, object);
    return 0;
}

/* ---- calls ---- */

static const struct ioctl_row calls[] = {
#define STRUCT(type, last) IOCTL_STRUCT(IOCTL_SIZE, struct type, last)
    {IOMMU_DESTROY, STRUCT(iommu_destroy, id), call_destroy},
    {IOMMU_IOAS_ALLOC, STRUCT(iommu_ioas_alloc, out_ioas_id), call_ioas_alloc},
    {IOMMU_IOAS_ALLOW_IOVAS, STRUCT(iommu_ioas_allow_iovas, allowed_iovas), call_allow_iovas},
    {IOMMU_IOAS_COPY, STRUCT(iommu_ioas_copy, src_iova), call_copy},
    {IOMMU_IOAS_IOVA_RANGES, STRUCT(iommu_ioas_iova_ranges, out_iova_alignment), call_iova_ranges},
    {IOMMU_IOAS_MAP, STRUCT(iommu_ioas_map, iova), call_map},
    {IOMMU_IOAS_UNMAP, STRUCT(iommu_ioas_unmap, length), call_unmap},
    {IOMMU_OPTION, STRUCT(iommu_option, val64), call_option},
    {IOMMU_VFIO_IOAS, STRUCT(iommu_vfio_ioas, __reserved), call_vfio_ioas},
    {IOMMU_HWPT_ALLOC, STRUCT(iommu_hwpt_alloc, __reserved), call_hwpt_alloc},
    {IOMMU_GET_HW_INFO, STRUCT(iommu_hw_info, __reserved), call_hw_info},
    {IOMMU_HWPT_SET_DIRTY_TRACKING, STRUCT(iommu_hwpt_set_dirty_tracking, __reserved),
     call_set_dirty},
    {IOMMU_HWPT_GET_DIRTY_BITMAP, STRUCT(iommu_hwpt_get_dirty_bitmap, data), call_get_dirty},
    {IOMMU_HWPT_INVALIDATE, STRUCT(iommu_hwpt_invalidate, __reserved), call_invalidate},
    {IOMMU_FAULT_QUEUE_ALLOC, STRUCT(iommu_fault_alloc, out_fault_fd), call_fault_alloc},
    {IOMMU_IOAS_MAP_FILE, STRUCT(iommu_ioas_map_file, iova), call_map_file},
    {IOMMU_VIOMMU_ALLOC, STRUCT(iommu_viommu_alloc, out_viommu_id), call_viommu_alloc},
    {IOMMU_VDEVICE_ALLOC, STRUCT(iommu_vdevice_alloc, virt_id), call_vdevice_alloc},
    {IOMMU_IOAS_CHANGE_PROCESS, STRUCT(iommu_ioas_change_process, __reserved), call_change_process},
    {IOMMU_VEVENTQ_ALLOC, STRUCT(iommu_veventq_alloc, out_veventq_fd), call_veventq_alloc},
    {IOMMU_HW_QUEUE_ALLOC, STRUCT(iommu_hw_queue_alloc, length), call_hw_queue_alloc},
#undef STRUCT
    {VFIO_GET_API_VERSION, IOCTL_PLAIN, 0, 0, compat_api_version},
    {VFIO_CHECK_EXTENSION, IOCTL_PLAIN, 0, 0, compat_check_extension},
    {VFIO_SET_IOMMU, IOCTL_PLAIN, 0, 0, compat_set_iommu},
#define STRUCT(type, last) IOCTL_STRUCT(IOCTL_ARGSZ, struct type, last)
    {VFIO_IOMMU_GET_INFO, STRUCT(vfio_iommu_type1_info, iova_pgsizes), compat_get_info},
    {VFIO_IOMMU_MAP_DMA, STRUCT(vfio_iommu_type1_dma_map, size), compat_map_dma},
    {VFIO_IOMMU_UNMAP_DMA, STRUCT(vfio_iommu_type1_dma_unmap, size), compat_unmap_dma},
#undef STRUCT
};

static int64_t iommufd_ioctl(struct file *file, uint32_t command, uint64_t argument)
{
    struct iommufd *ctx = file->context;

    return mutex_run(&ctx->lock, LOCK_POINT,
                     ioctl_run(ioctl_find(calls, ARRAY_SIZE(calls), command), ctx, argument));
}

/* ---- life ---- */

/* Devices keep the file open, so what is left uses only each other: page tables, then spaces. */
static void iommufd_release(struct file *file)
{
    static const enum object_type order[] = {OBJECT_HWPT, OBJECT_IOAS};
    struct iommufd *ctx = file->context;

    (void)mutex_lock_deaf(&ctx->lock, LOCK_POINT);
    for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
        struct itree_node *node = itree_first(&ctx->objects);

        while (node) {
            struct object *object = container_of(node, struct object, node);

            node = itree_next(node);
            if (object->type == order[i])
                object_destroy(ctx, object);
            breathe_deaf_after(OBJECT_WORK, "closing an iommufd");
        }
    }
    mutex_retire(&ctx->lock);
    kfree(ctx);
}

static const struct file_ops iommufd_ops = {
    .ioctl = iommufd_ioctl,
    .release = iommufd_release,
};

int iommufd_open(void *context, unsigned flags, struct file **out)
{
    struct iommufd *ctx = kzalloc(sizeof(*ctx));

    if (!ctx)
        return -ENOMEM;
    mutex_init(&ctx->lock);
    itree_init(&ctx->objects);
    ctx->file = file_create(&iommufd_ops, ctx, flags, "iommufd");
    if (!ctx->file) {
        kfree(ctx);
        return -ENOMEM;
    }
    *out = ctx->file;
    return 0;
}

int iommufd_add_file(const struct ioas_user *user)
{
    iommufd_user = user;
    return tree_add_device("/dev/iommu", IOMMUFD_MAJOR, IOMMUFD_MINOR, iommufd_open, NULL);
}

bool file_is_iommufd(const struct file *file)
{
    return file->ops == &iommufd_ops;
}
