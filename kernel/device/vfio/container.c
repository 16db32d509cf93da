/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/device/vfio/container.h"
#include <linux/vfio.h>
#include "kernel/cpu/mutex.h"
#include "kernel/file/tree.h"
#include "kernel/lib/error.h"
#include "kernel/lib/list.h"
#include "kernel/lib/panic.h"
#include "kernel/mm/heap.h"
#include "kernel/device/vfio/type1.h"

#define CONTAINER_MAJOR 10
#define CONTAINER_MINOR 196

struct vfio_container {
    struct file *file;   /* the groups hold references to it */
    struct mutex lock;   /* everything below, and the address space */
    struct type1 *type1; /* NULL before SET_IOMMU */
    struct list groups;  /* struct vfio_container_member */
};

/* The one program of this machine. */
static const struct ioas_user *the_user;

/* ---- SET_IOMMU ---- */

static int attach_members(struct vfio_container *container, struct type1 *type1)
{
    struct vfio_container_member *member, *undo;
    int error;

    list_for_each_entry (member, &container->groups, link) {
        error = ioas_attach_group(&type1->tables, member->group);
        if (error)
            goto detach;
    }
    return 0;

detach:
    list_for_each_entry (undo, &container->groups, link) {
        if (undo == member)
            break;
        ioas_detach_group(&type1->tables, undo->group);
    }
    return error;
}

static int64_t set_iommu(struct ioctl_call *call)
{
    struct vfio_container *container = call->context;
    uint64_t type = call->argument;
    struct type1 *type1;
    int error;

    if (container->type1 || list_empty(&container->groups))
        return -EINVAL;
    if (type != VFIO_TYPE1_IOMMU && type != VFIO_TYPE1v2_IOMMU)
        return -ENODEV;
    error = type1_create(the_user, &container->lock, type == VFIO_TYPE1v2_IOMMU, &type1);
    if (error)
        return error;
    error = attach_members(container, type1);
    if (error)
        type1_destroy(type1);
    else
        container->type1 = type1;
    return error;
}

/* ---- the file ---- */

static int64_t check_extension(struct ioctl_call *call)
{
    const struct vfio_container *container = call->context;

    return type1_check_extension(container->type1, call->argument);
}

static const struct ioctl_row calls[] = {
    {VFIO_CHECK_EXTENSION, IOCTL_PLAIN, 0, 0, check_extension},
    {VFIO_SET_IOMMU, IOCTL_PLAIN, 0, 0, set_iommu},
};

static int64_t locked_ioctl(struct vfio_container *container, uint32_t command, uint64_t argument)
{
    const struct ioctl_row *row = container->type1 ? type1_find(command) : NULL;
    void *context = container->type1;

    if (!row) {
        row = ioctl_find(calls, ARRAY_SIZE(calls), command);
        context = container;
    }
    /* Before SET_IOMMU every other call, even one that nobody knows, is invalid. */
    return row || container->type1 ? ioctl_run(row, context, argument) : -EINVAL;
}

static int64_t container_ioctl(struct file *file, uint32_t command, uint64_t argument)
{
    struct vfio_container *container = file->context;

    /* Of the interface: whatever another thread keeps the container busy with. */
    if (command == VFIO_GET_API_VERSION)
        return VFIO_API_VERSION;
    return mutex_run(&container->lock, "vfio container",
                     locked_ioctl(container, command, argument));
}

static void container_release(struct file *file)
{
    struct vfio_container *container = file->context;

    ASSERT(list_empty(&container->groups));
    (void)mutex_lock_deaf(&container->lock, "vfio container");
    mutex_retire(&container->lock);
    kfree(container);
}

static const struct file_ops container_ops = {
    .ioctl = container_ioctl,
    .release = container_release,
};

int vfio_container_open(void *context, unsigned flags, struct file **out)
{
    struct vfio_container *container = kzalloc(sizeof(*container));

    if (!container)
        return -ENOMEM;
    mutex_init(&container->lock);
    list_init(&container->groups);
    container->file = file_create(&container_ops, container, flags, "vfio-container");
    if (!container->file) {
        kfree(container);
        return -ENOMEM;
    }
    *out = container->file;
    return 0;
}

int vfio_container_add_file(const struct ioas_user *user)
{
    the_user = user;
    return tree_add_device("/dev/vfio/vfio", CONTAINER_MAJOR, CONTAINER_MINOR, vfio_container_open,
                           NULL);
}

struct vfio_container *vfio_container_of(struct file *file)
{
    return file->ops == &container_ops ? file->context : NULL;
}

/* ---- groups ---- */

static int join(struct vfio_container *container, struct vfio_container_member *member)
{
    struct type1 *type1 = container->type1;
    int error = type1 ? ioas_attach_group(&type1->tables, member->group) : 0;

    if (error)
        return error;
    list_push_back(&container->groups, &member->link);
    file_get(container->file);
    return 0;
}

int vfio_container_add_group(struct vfio_container *container, struct vfio_container_member *member)
{
    return mutex_run(&container->lock, "vfio container", join(container, member));
}

void vfio_container_remove_group(struct vfio_container *container,
                                 struct vfio_container_member *member)
{
    (void)mutex_lock_deaf(&container->lock, "vfio container");
    if (container->type1)
        ioas_detach_group(&container->type1->tables, member->group);
    list_remove(&member->link);
    if (list_empty(&container->groups) && container->type1) {
        type1_destroy(container->type1);
        container->type1 = NULL;
    }
    mutex_unlock(&container->lock);
    file_put(container->file);
}

bool vfio_container_ready(const struct vfio_container *container)
{
    return container->type1 != NULL;
}
