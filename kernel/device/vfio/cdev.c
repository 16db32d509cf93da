/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The device's own file, /dev/vfio/devices/vfioN: bound to an iommufd, then attached to one of its
 * address spaces or page tables. One file at a time can be bound.
 */
#include <linux/vfio.h>

#include "kernel/cpu/user.h"
#include "kernel/file/tree.h"
#include "kernel/device/iommufd/iommufd.h"
#include "kernel/lib/error.h"
#include "kernel/device/vfio/device.h"

#define VFIO_CDEV_MAJOR 511 /* of the range for dynamic numbers; nothing depends on it */
#define PATH_SIZE       80

/* The parts of the structures that every version of the interface has. */
#define BIND_SIZE_MIN   offsetof(struct vfio_device_bind_iommufd, token_uuid_ptr)
#define ATTACH_SIZE_MIN offsetof(struct vfio_device_attach_iommufd_pt, pasid)
#define DETACH_SIZE_MIN offsetof(struct vfio_device_detach_iommufd_pt, pasid)

static int cdev_open(void *context, unsigned flags, struct file **out)
{
    *out = vfio_device_file(context, flags);
    return *out ? 0 : -ENOMEM;
}

/* Uses the device through the iommufd and tells its id there; all of it or nothing. */
static int bind_to(struct vfio_opened *opened, struct file *iommufd, uaddr_t argument)
{
    uint32_t id;
    int error = vfio_device_use(opened, iommufd);

    if (error)
        return error;
    id = iommufd_device_id(opened->device->lease.bound);
    error = copy_to_user(argument + offsetof(struct vfio_device_bind_iommufd, out_devid), &id,
                         sizeof(id));
    if (error)
        vfio_device_unuse(opened);
    return error;
}

/* There are no virtual functions here, so no token can be right. */
int vfio_cdev_bind(struct vfio_opened *opened, uaddr_t argument)
{
    struct vfio_device_bind_iommufd bind;
    struct file *iommufd;
    int error;

    if (copy_from_user(&bind, argument, BIND_SIZE_MIN))
        return -EFAULT;
    if (bind.argsz < BIND_SIZE_MIN || bind.flags || bind.iommufd < 0)
        return -EINVAL;
    if (opened->group || opened->ready)
        return -EINVAL;
    if (vfio_group_opened(opened->device->group))
        return -EBUSY;
    if (opened->device->users)
        return -EINVAL; /* bound through another file */
    iommufd = fd_get(bind.iommufd);
    if (!iommufd)
        return -EBADF;
    error = bind_to(opened, iommufd, argument);
    file_put(iommufd);
    return error;
}

int vfio_cdev_attach(struct vfio_opened *opened, uaddr_t argument)
{
    struct vfio_device_attach_iommufd_pt attach;
    int error;

    if (copy_from_user(&attach, argument, ATTACH_SIZE_MIN))
        return -EFAULT;
    if (attach.argsz < ATTACH_SIZE_MIN || (attach.flags & ~(uint32_t)VFIO_DEVICE_ATTACH_PASID))
        return -EINVAL;
    if (attach.flags) /* process address spaces need scalable mode */
        return attach.argsz < sizeof(attach) ? -EINVAL : -EOPNOTSUPP;
    error = iommufd_attach(opened->device->lease.bound, &attach.pt_id);
    if (error)
        return error;
    error = copy_to_user(argument, &attach, ATTACH_SIZE_MIN);
    if (error)
        iommufd_detach(opened->device->lease.bound);
    return error;
}

int vfio_cdev_detach(struct vfio_opened *opened, uaddr_t argument)
{
    struct vfio_device_detach_iommufd_pt detach;

    if (copy_from_user(&detach, argument, DETACH_SIZE_MIN))
        return -EFAULT;
    if (detach.argsz < DETACH_SIZE_MIN || (detach.flags & ~(uint32_t)VFIO_DEVICE_DETACH_PASID))
        return -EINVAL;
    if (detach.flags)
        return detach.argsz < sizeof(detach) ? -EINVAL : -EOPNOTSUPP;
    iommufd_detach(opened->device->lease.bound);
    return 0;
}

static void show_numbers(void *context, struct text *out)
{
    text_printf(out, "%u:%u\n", VFIO_CDEV_MAJOR, ((const struct vfio_device *)context)->number);
}

int vfio_cdev_register(struct vfio_device *device)
{
    char path[PATH_SIZE], name[PCI_NAME_SIZE];
    int error;

    format(path, sizeof(path), "/dev/vfio/devices/vfio%u", device->number);
    error = tree_add_device(path, VFIO_CDEV_MAJOR, device->number, cdev_open, device);
    if (error)
        return error;
    format(path, sizeof(path), "/sys/bus/pci/devices/%s/vfio-dev/vfio%u/dev",
           pci_name(device->pci, name), device->number);
    return tree_add_text(path, show_numbers, device);
}
