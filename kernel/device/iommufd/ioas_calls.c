/* SPDX-License-Identifier: BSD-2-Clause */
/* IO address spaces as objects: the calls that name one. */
#include "kernel/cpu/user.h"
#include "kernel/file/ramfile.h"
#include "kernel/device/iommufd/internal.h"
#include "kernel/lib/error.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/memobj.h"
#include "kernel/mm/paging/paging.h"

#define MAP_PERMISSIONS (IOMMU_IOAS_MAP_WRITEABLE | IOMMU_IOAS_MAP_READABLE)
#define MAP_FLAGS       (IOMMU_IOAS_MAP_FIXED_IOVA | MAP_PERMISSIONS)
/* More ranges than this are refused as too much memory. */
#define ALLOWED_MAX 65536u
#define OBJECT_WORK 150 /* work (breathe_after()) of looking at one object */

/* ---- life ---- */

int ioas_object_create(struct iommufd *ctx, struct iommufd_ioas **out)
{
    struct iommufd_ioas *ioas = kmalloc(sizeof(*ioas));
    int error;

    if (!ioas)
        return -ENOMEM;
    error = ioas_create(iommufd_user->account, &ctx->lock, &ioas->ioas);
    if (error)
        goto free;
    list_init(&ioas->hwpts);
    error = object_add(ctx, &ioas->object, OBJECT_IOAS);
    if (error)
        goto destroy;
    *out = ioas;
    return 0;

destroy:
    ioas_destroy(ioas->ioas);
free:
    kfree(ioas);
    return error;
}

void ioas_object_destroy(struct iommufd *ctx, struct iommufd_ioas *ioas)
{
    if (ctx->compat == ioas)
        ctx->compat = NULL;
    itree_remove(&ctx->objects, &ioas->object.node);
    ioas_destroy(ioas->ioas);
    kfree(ioas);
}

int64_t call_ioas_alloc(struct ioctl_call *call)
{
    struct iommu_ioas_alloc *command = call->data;
    struct iommufd_ioas *ioas;
    int error;

    if (command->flags)
        return -EOPNOTSUPP;
    error = ioas_object_create(call->context, &ioas);
    if (error)
        return error;
    command->out_ioas_id = object_id(&ioas->object);
    error = ioctl_reply(call);
    if (error)
        ioas_object_destroy(call->context, ioas);
    return error;
}

/* ---- ranges ---- */

int64_t call_iova_ranges(struct ioctl_call *call)
{
    struct iommu_ioas_iova_ranges *command = call->data;
    struct iommufd_ioas *ioas = find_ioas(call->context, command->ioas_id);
    uint32_t room = command->num_iovas, count = 0;
    struct ioas_range range;
    int error;

    if (command->__reserved)
        return -EOPNOTSUPP;
    if (!ioas)
        return -ENOENT;
    ioas_for_each_usable(range, ioas->ioas)
    {
        struct iommu_iova_range out = {range.first, range.last};

        if (count < room &&
            copy_to_user(command->allowed_iovas + count * sizeof(out), &out, sizeof(out)))
            return -EFAULT;
        count++;
    }
    command->num_iovas = count;
    command->out_iova_alignment = ioas_alignment(ioas->ioas);
    error = ioctl_reply(call);
    return !error && count > room ? -EMSGSIZE : error;
}

_Static_assert(sizeof(struct iommu_iova_range) == sizeof(struct ioas_range),
               "copied in as they are");

int64_t call_allow_iovas(struct ioctl_call *call)
{
    const struct iommu_ioas_allow_iovas *command = call->data;
    struct iommufd_ioas *ioas = find_ioas(call->context, command->ioas_id);
    size_t bytes = command->num_iovas * sizeof(struct ioas_range);
    struct ioas_range *ranges = NULL;
    int error = 0;

    if (command->__reserved)
        return -EOPNOTSUPP;
    if (!ioas)
        return -ENOENT;
    if (command->num_iovas) {
        ranges = command->num_iovas <= ALLOWED_MAX ? kmalloc(bytes) : NULL;
        if (!ranges)
            return -ENOMEM;
        error = copy_from_user(ranges, command->allowed_iovas, bytes);
    }
    if (!error)
        error = ioas_allow(ioas->ioas, ranges, command->num_iovas);
    kfree(ranges);
    return error;
}

/* ---- mapping ---- */

/* Flags of the interface as flags of ours. */
static unsigned map_flags(uint32_t flags)
{
    return (flags & IOMMU_IOAS_MAP_READABLE ? IOAS_READ : 0) |
           (flags & IOMMU_IOAS_MAP_WRITEABLE ? IOAS_WRITE : 0) |
           (flags & IOMMU_IOAS_MAP_FIXED_IOVA ? IOAS_FIXED : 0) | IOAS_RAM_ONLY;
}

/* The checks that all three calls begin with. */
static int check_map(uint32_t flags, uint32_t reserved, uint64_t iova, uint64_t length)
{
    if ((flags & ~MAP_FLAGS) || reserved)
        return -EOPNOTSUPP;
    if (iova == UINT64_MAX || length == UINT64_MAX)
        return -EOVERFLOW;
    if (!(flags & MAP_PERMISSIONS))
        return -EINVAL;
    /* No place could be aligned to such a length. */
    return !(flags & IOMMU_IOAS_MAP_FIXED_IOVA) && length >= UINT64_MAX / 2 ? -EOVERFLOW : 0;
}

/* Ends a call that mapped, or did not. The caller must learn where: otherwise it was not. */
static int reply_mapped(const struct ioctl_call *call, int error, struct ioas *ioas, uint64_t iova,
                        uint64_t length)
{
    if (error)
        return error;
    error = ioctl_reply(call);
    if (error)
        (void)ioas_unmap_deaf(ioas, iova, iova + (length - 1));
    return error;
}

int64_t call_map(struct ioctl_call *call)
{
    struct iommu_ioas_map *command = call->data;
    int error = check_map(command->flags, command->__reserved, command->iova, command->length);
    struct iommufd_ioas *ioas = find_ioas(call->context, command->ioas_id);
    uint64_t end;

    if (error)
        return error;
    if (!ioas)
        return -ENOENT;
    if (command->length && !range_end(command->user_va, command->length, &end))
        return -EOVERFLOW;
    error = ioas_map(ioas->ioas, &iommufd_user->memory, command->user_va, command->length,
                     map_flags(command->flags), (uint64_t *)&command->iova);
    return reply_mapped(call, error, ioas->ioas, command->iova, command->length);
}

/* The memory of a file in RAM. -EINVAL: the file is something else. */
static int file_memory(struct file *file, bool write, struct memobj **out)
{
    unsigned protection = PAGE_READ | (write ? PAGE_WRITE : 0);
    uint64_t offset;

    if (!file_ramfile(file))
        return -EINVAL;
    return file->ops->mmap(file, 0, 0, protection, true, out, &offset);
}

static int map_file(struct iommufd_ioas *ioas, struct iommu_ioas_map_file *command,
                    struct file *file)
{
    struct ioas_source source;
    struct memobj *object;
    uint64_t end;
    int error;

    if (command->length && !range_end(command->start, command->length, &end))
        return -EOVERFLOW;
    error = file_memory(file, command->flags & IOMMU_IOAS_MAP_WRITEABLE, &object);
    if (error)
        return error;
    source = ioas_source_memobj(object);
    error = ioas_map(ioas->ioas, &source, command->start, command->length,
                     map_flags(command->flags), (uint64_t *)&command->iova);
    memobj_put(object);
    return error;
}

int64_t call_map_file(struct ioctl_call *call)
{
    struct iommu_ioas_map_file *command = call->data;
    int error = check_map(command->flags, 0, command->iova, command->length);
    struct iommufd_ioas *ioas = find_ioas(call->context, command->ioas_id);
    struct file *file;

    if (error)
        return error;
    if (!ioas)
        return -ENOENT;
    file = command->fd < 0 ? NULL : fd_get(command->fd);
    if (!file)
        return -EBADF;
    error = map_file(ioas, command, file);
    file_put(file);
    return reply_mapped(call, error, ioas->ioas, command->iova, command->length);
}

int64_t call_copy(struct ioctl_call *call)
{
    struct iommu_ioas_copy *command = call->data;
    int error = check_map(command->flags, 0, command->dst_iova, command->length);
    struct iommufd_ioas *from = find_ioas(call->context, command->src_ioas_id);
    struct iommufd_ioas *to = find_ioas(call->context, command->dst_ioas_id);

    if (error)
        return error;
    if (command->src_iova == UINT64_MAX)
        return -EOVERFLOW;
    if (!from || !to)
        return -ENOENT;
    error = ioas_copy(to->ioas, from->ioas, command->src_iova, command->length,
                      map_flags(command->flags), (uint64_t *)&command->dst_iova);
    return reply_mapped(call, error, to->ioas, command->dst_iova, command->length);
}

int64_t call_unmap(struct ioctl_call *call)
{
    struct iommu_ioas_unmap *command = call->data;
    struct iommufd_ioas *ioas = find_ioas(call->context, command->ioas_id);
    uint64_t unmapped, last;
    int error;

    if (!ioas)
        return -ENOENT;
    if (command->iova == 0 && command->length == UINT64_MAX) {
        error = ioas_unmap_all(ioas->ioas, &unmapped);
    } else {
        if (command->iova == UINT64_MAX || command->length == UINT64_MAX)
            return -EOVERFLOW;
        if (!command->length)
            return -EINVAL;
        if (__builtin_add_overflow(command->iova, command->length - 1, &last))
            return -EOVERFLOW;
        error = ioas_unmap(ioas->ioas, command->iova, last, &unmapped);
        if (error == -EINVAL)
            error = -ENOENT; /* an area is cut */
    }
    if (error)
        return error;
    command->length = unmapped;
    return ioctl_reply(call);
}

/* ---- options ---- */

/* One program pays for everything: the mode is remembered, and makes no difference. */
static int option_rlimit_mode(struct iommufd *ctx, struct iommu_option *command)
{
    if (command->object_id)
        return -EOPNOTSUPP;
    if (command->op == IOMMU_OPTION_OP_GET) {
        command->val64 = ctx->rlimit_mode;
        return 0;
    }
    if (command->op != IOMMU_OPTION_OP_SET)
        return -EOPNOTSUPP;
    if (ctx->objects.count)
        return -EBUSY;
    if (command->val64 > 1)
        return -EINVAL;
    ctx->rlimit_mode = command->val64;
    return 0;
}

static int option_huge_pages(struct iommufd *ctx, struct iommu_option *command)
{
    struct iommufd_ioas *ioas = find_ioas(ctx, command->object_id);

    if (!ioas)
        return -ENOENT;
    if (command->op == IOMMU_OPTION_OP_GET) {
        command->val64 = !ioas_small_leaves(ioas->ioas);
        return 0;
    }
    if (command->op != IOMMU_OPTION_OP_SET)
        return -EOPNOTSUPP;
    return command->val64 > 1 ? -EINVAL : ioas_set_small_leaves(ioas->ioas, !command->val64);
}

int64_t call_option(struct ioctl_call *call)
{
    struct iommu_option *command = call->data;
    int error;

    if (command->__reserved)
        return -EOPNOTSUPP;
    switch (command->option_id) {
    case IOMMU_OPTION_RLIMIT_MODE:
        error = option_rlimit_mode(call->context, command);
        break;
    case IOMMU_OPTION_HUGE_PAGES:
        error = option_huge_pages(call->context, command);
        break;
    default:
        return -EOPNOTSUPP;
    }
    if (error || command->op != IOMMU_OPTION_OP_GET)
        return error;
    return ioctl_reply(call);
}

/* There is one program, so nothing changes; but what Linux refuses is refused. */
int64_t call_change_process(struct ioctl_call *call)
{
    const struct iommu_ioas_change_process *command = call->data;
    struct iommufd *ctx = call->context;
    struct itree_node *node;

    if (command->__reserved)
        return -EOPNOTSUPP;
    for (node = itree_first(&ctx->objects); node; node = itree_next(node)) {
        struct iommufd_ioas *ioas = find_ioas(ctx, (uint32_t)node->first);

        if (ioas && !ioas_all_from(ioas->ioas, &ioas_memobj_ops))
            return -EINVAL;
        if (breathe_after(OBJECT_WORK, "looking at address spaces"))
            return -EINTR;
    }
    return 0;
}
