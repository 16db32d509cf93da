/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Devices as objects: bound by a device file, attached to page tables together with their group.
 */
#include "kernel/cpu/user.h"
#include "kernel/device/iommufd/internal.h"
#include "kernel/lib/error.h"
#include "kernel/lib/panic.h"
#include "kernel/mm/heap.h"

#define OBJECT_WORK 150 /* work (breathe_after()) of looking at one object */

static struct list groups = LIST_INIT(groups);

/* ---- binding ---- */

static struct iommufd_group *group_find(const struct pci_group *pci)
{
    struct iommufd_group *group;

    list_for_each_entry (group, &groups, link)
        if (group->pci == pci)
            return group;
    return NULL;
}

/* The group with one more device bound. -EBUSY: another iommufd has it. */
static int group_get(struct iommufd *ctx, struct pci_group *pci, struct iommufd_group **out)
{
    struct iommufd_group *group = group_find(pci);

    if (!group) {
        group = kzalloc(sizeof(*group));
        if (!group)
            return -ENOMEM;
        group->owner = ctx;
        group->pci = pci;
        list_push_back(&groups, &group->link);
    }
    if (group->owner != ctx)
        return -EBUSY;
    group->bound++;
    *out = group;
    return 0;
}

static void group_put(struct iommufd_group *group)
{
    if (--group->bound)
        return;
    list_remove(&group->link);
    kfree(group);
}

/* Its id; 0: it is not bound. */
static uint32_t bound_id(const struct iommufd *ctx, const struct pci_device *pci)
{
    struct itree_node *node;

    for (node = itree_first(&ctx->objects); node; node = itree_next(node)) {
        const struct iommufd_device *device = find_device(ctx, (uint32_t)node->first);

        if (device && device->pci == pci)
            return object_id(&device->object);
        breathe_deaf_after(OBJECT_WORK, "looking for a device");
    }
    return 0;
}

static int bind(struct iommufd *ctx, struct pci_device *pci, struct iommufd_device **out)
{
    struct iommufd_device *device;
    int error;

    if (bound_id(ctx, pci))
        return -EBUSY;
    device = kzalloc(sizeof(*device));
    if (!device)
        return -ENOMEM;
    device->owner = ctx;
    device->pci = pci;
    error = group_get(ctx, pci->group, &device->group);
    if (error)
        goto free;
    error = object_add(ctx, &device->object, OBJECT_DEVICE);
    if (error)
        goto put;
    device->object.users = 1;
    file_get(ctx->file);
    *out = device;
    return 0;

put:
    group_put(device->group);
free:
    kfree(device);
    return error;
}

int iommufd_bind(struct file *file, struct pci_device *pci, struct iommufd_device **out)
{
    struct iommufd *ctx = file->context;

    if (!file_is_iommufd(file))
        return -EBADFD;
    return mutex_run(&ctx->lock, LOCK_POINT, bind(ctx, pci, out));
}

uint32_t iommufd_device_id(const struct iommufd_device *device)
{
    return object_id(&device->object);
}

uint32_t iommufd_id_of(const struct iommufd_device *device, const struct pci_device *pci)
{
    struct iommufd *ctx = device->owner;
    uint32_t id = IOMMUFD_NOT_OWNED;
    const struct iommufd_group *group;

    (void)mutex_lock_deaf(&ctx->lock, LOCK_POINT);
    group = group_find(pci->group);
    if (group && group->owner == ctx)
        id = bound_id(ctx, pci);
    mutex_unlock(&ctx->lock);
    return id;
}

/* ---- attaching ---- */

/* One group less; an automatic page table goes with its last one. */
static void hwpt_left(struct iommufd_hwpt *hwpt, struct iommufd *ctx)
{
    if (--hwpt->object.users == 0 && hwpt->automatic)
        hwpt_destroy(ctx, hwpt);
}

static void group_detach(struct iommufd_group *group)
{
    struct iommufd_hwpt *hwpt = group->hwpt;

    ioas_requesters_detach(group->pci, hwpt->domain);
    ioas_unreserve(hwpt->ioas->ioas, group->pci);
    group->hwpt = NULL;
    hwpt_left(hwpt, group->owner);
}

/*
 * Sends the group through a page table; one that is attached already, without a moment of refused
 * requests.
 */
static int group_attach(struct iommufd_group *group, struct iommufd_hwpt *hwpt)
{
    struct iommufd_hwpt *old = group->hwpt;
    bool same_space = old && old->ioas == hwpt->ioas;
    int error;

    if (old == hwpt)
        return 0;
    error = same_space ? 0 : ioas_reserve_group(hwpt->ioas->ioas, group->pci);
    if (error)
        return error;
    error = ioas_requesters_attach(group->pci, old ? old->domain : NULL, hwpt->domain);
    if (error) {
        if (!same_space)
            ioas_unreserve(hwpt->ioas->ioas, group->pci);
        return error;
    }
    group->hwpt = hwpt;
    hwpt->object.users++;
    if (!old)
        return 0;
    if (!same_space)
        ioas_unreserve(old->ioas->ioas, group->pci);
    hwpt_left(old, group->owner);
    return 0;
}

static int attach_to(struct iommufd_device *device, struct iommufd_hwpt *hwpt)
{
    struct iommufd_group *group = device->group;
    int error = 0;

    if (hwpt->unit != ioas_requesters_unit(group->pci))
        return -EINVAL;
    if (!group->hwpt || device->attached)
        error = group_attach(group, hwpt);
    else if (group->hwpt != hwpt)
        error = -EINVAL; /* the rest of the group goes elsewhere */
    if (error)
        return error;
    group->attached += !device->attached;
    device->attached = true;
    return 0;
}

/* An automatic page table of the space that fits the device, or NULL. */
static struct iommufd_hwpt *automatic_hwpt(const struct iommufd_ioas *ioas,
                                           const struct iommu_unit *unit)
{
    struct iommufd_hwpt *hwpt;

    list_for_each_entry (hwpt, &ioas->hwpts, link) {
        if (hwpt->automatic && hwpt->unit == unit)
            return hwpt;
        breathe_deaf_after(OBJECT_WORK, "looking for a page table");
    }
    return NULL;
}

static int attach_to_ioas(struct iommufd_device *device, struct iommufd_ioas *ioas)
{
    struct iommufd_group *group = device->group;
    struct iommu_unit *unit = ioas_requesters_unit(group->pci);
    struct iommufd_hwpt *hwpt;
    int error;

    if (!unit)
        return -ENODEV;
    hwpt = automatic_hwpt(ioas, unit);
    if (hwpt)
        return attach_to(device, hwpt);
    /* A second device of a group cannot have a page table of its own. */
    if (group->hwpt && !device->attached)
        return -EINVAL;
    error = hwpt_create(device->owner, ioas, unit, true, &hwpt);
    if (error)
        return error;
    error = attach_to(device, hwpt);
    if (error)
        hwpt_destroy(device->owner, hwpt);
    return error;
}

static int attach(struct iommufd_device *device, uint32_t *id)
{
    struct iommufd *ctx = device->owner;
    struct iommufd_ioas *ioas = id ? find_ioas(ctx, *id) : ctx->compat;
    struct iommufd_hwpt *hwpt = id ? find_hwpt(ctx, *id) : NULL;
    int error;

    if (ioas)
        error = attach_to_ioas(device, ioas);
    else if (hwpt)
        error = attach_to(device, hwpt);
    else if (!id)
        error = -ENODEV;
    else
        error = object_find(ctx, *id) ? -EINVAL : -ENOENT;
    if (!error && id)
        *id = object_id(&device->group->hwpt->object);
    return error;
}

int iommufd_attach(struct iommufd_device *device, uint32_t *id)
{
    return mutex_run(&device->owner->lock, LOCK_POINT, attach(device, id));
}

static void detach(struct iommufd_device *device)
{
    if (!device->attached)
        return;
    device->attached = false;
    if (--device->group->attached == 0)
        group_detach(device->group);
}

void iommufd_detach(struct iommufd_device *device)
{
    struct mutex *lock = &device->owner->lock;

    (void)mutex_lock_deaf(lock, LOCK_POINT);
    detach(device);
    mutex_unlock(lock);
}

void iommufd_unbind(struct iommufd_device *device)
{
    struct iommufd *ctx = device->owner;

    (void)mutex_lock_deaf(&ctx->lock, LOCK_POINT);
    detach(device);
    itree_remove(&ctx->objects, &device->object.node);
    group_put(device->group);
    mutex_unlock(&ctx->lock);
    kfree(device);
    file_put(ctx->file); /* the file may go with this, and the lock with it */
}

/* ---- GET_HW_INFO ---- */

/* Stores what fits, and zeros where the caller has more room than there is to say. */
static int store_info(uaddr_t to, uint32_t room, const void *info, uint32_t size)
{
    if (copy_to_user(to, info, MIN(room, size)))
        return -EFAULT;
    return room > size ? clear_user(to + size, room - size) : 0;
}

int64_t call_hw_info(struct ioctl_call *call)
{
    struct iommu_hw_info *command = call->data;
    const struct iommufd_device *device = find_device(call->context, command->dev_id);
    struct iommu_hw_info_vtd vtd = {0};
    struct iommu_unit *unit;
    uint64_t cap, ecap;

    if ((command->flags & ~(uint32_t)IOMMU_HW_INFO_FLAG_INPUT_TYPE) || command->__reserved[0] ||
        command->__reserved[1] || command->__reserved[2])
        return -EOPNOTSUPP;
    if (!device)
        return -ENOENT;
    if ((command->flags & IOMMU_HW_INFO_FLAG_INPUT_TYPE) &&
        command->in_data_type != IOMMU_HW_INFO_TYPE_DEFAULT &&
        command->in_data_type != IOMMU_HW_INFO_TYPE_INTEL_VTD)
        return -EOPNOTSUPP;
    unit = iommu_unit_of(device->pci->requesters[0]);
    if (!unit)
        return -ENODEV;
    iommu_unit_registers(unit, &cap, &ecap);
    vtd.cap_reg = cap;
    vtd.ecap_reg = ecap;
    if (store_info(command->data_uptr, command->data_len, &vtd, sizeof(vtd)))
        return -EFAULT;
    command->data_len = sizeof(vtd);
    command->out_data_type = IOMMU_HW_INFO_TYPE_INTEL_VTD;
    command->out_max_pasid_log2 = 0;
    command->out_capabilities = 0;
    return ioctl_reply(call);
}
