/* SPDX-License-Identifier: BSD-2-Clause */
/* Hardware page tables as objects. */
#include "kernel/device/iommufd/internal.h"
#include "kernel/lib/error.h"
#include "kernel/mm/heap.h"

int hwpt_create(struct iommufd *ctx, struct iommufd_ioas *ioas, struct iommu_unit *unit,
                bool automatic, struct iommufd_hwpt **out)
{
    struct iommufd_hwpt *hwpt = kmalloc(sizeof(*hwpt));
    int error;

    if (!hwpt)
        return -ENOMEM;
    hwpt->ioas = ioas;
    hwpt->unit = unit;
    hwpt->automatic = automatic;
    error = iommu_domain_create(unit, &hwpt->domain);
    if (error)
        goto free;
    error = ioas_attach(ioas->ioas, hwpt->domain);
    if (error)
        goto destroy;
    error = object_add(ctx, &hwpt->object, OBJECT_HWPT);
    if (error)
        goto detach;
    list_push_back(&ioas->hwpts, &hwpt->link);
    ioas->object.users++;
    *out = hwpt;
    return 0;

detach:
    ioas_detach(ioas->ioas, hwpt->domain);
destroy:
    iommu_domain_destroy(hwpt->domain);
free:
    kfree(hwpt);
    return error;
}

void hwpt_destroy(struct iommufd *ctx, struct iommufd_hwpt *hwpt)
{
    itree_remove(&ctx->objects, &hwpt->object.node);
    list_remove(&hwpt->link);
    hwpt->ioas->object.users--;
    ioas_detach(hwpt->ioas->ioas, hwpt->domain);
    iommu_domain_destroy(hwpt->domain);
    kfree(hwpt);
}

/*
 * Of the flags none can be had: nesting, dirty tracking, fault delivery and process address spaces
 * all need more of the hardware than legacy-mode translation.
 */
static int check_alloc(const struct iommu_hwpt_alloc *command, const struct object *table)
{
    if (table->type == OBJECT_HWPT)
        return -EOPNOTSUPP; /* nested */
    if (table->type != OBJECT_IOAS)
        return -EINVAL;
    return command->flags || command->data_type != IOMMU_HWPT_DATA_NONE ? -EOPNOTSUPP : 0;
}

int64_t call_hwpt_alloc(struct ioctl_call *call)
{
    struct iommu_hwpt_alloc *command = call->data;
    struct iommufd_device *device = find_device(call->context, command->dev_id);
    struct object *table = object_find(call->context, command->pt_id);
    struct iommu_unit *unit;
    struct iommufd_hwpt *hwpt;
    int error;

    if (command->__reserved || command->__reserved2)
        return -EOPNOTSUPP;
    if ((command->data_type == IOMMU_HWPT_DATA_NONE) != (command->data_len == 0))
        return -EINVAL;
    if (!device)
        return -ENOENT;
    if (!table)
        return -EINVAL;
    error = check_alloc(command, table);
    if (error)
        return error;
    unit = ioas_requesters_unit(device->group->pci);
    if (!unit)
        return -ENODEV;
    error = hwpt_create(call->context, container_of(table, struct iommufd_ioas, object), unit,
                        false, &hwpt);
    if (error)
        return error;
    command->out_hwpt_id = object_id(&hwpt->object);
    error = ioctl_reply(call);
    if (error)
        hwpt_destroy(call->context, hwpt);
    return error;
}
