/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The device's own file, /dev/vfio/devices/vfioN: bound to an iommufd, then attached to one of its
 * address spaces or page tables. One file at a time can be bound.
 */
#include <linux/vfio.h>

#include "kernel/file/tree.h"
#include "kernel/device/iommufd/iommufd.h"
#include "kernel/lib/error.h"
#include "kernel/device/vfio/device.h"

#define VFIO_CDEV_MAJOR 511 /* of the range for dynamic numbers; nothing depends on it */

static int cdev_open(void *context, unsigned flags, struct file **out)
{
    *out = vfio_device_file(context, flags);
    return *out ? 0 : -ENOMEM;
}

/* Uses the device through the iommufd and tells its id there; all of it or nothing. */
static int bind_to(struct ioctl_call *call, struct file *iommufd)
{
    struct vfio_device_bind_iommufd *bind = call->data;
    struct vfio_opened *opened = call->context;
    int error = vfio_device_use(opened, iommufd);

    if (error)
        return error;
    bind->out_devid = iommufd_device_id(opened->device->lease.bound);
    error = ioctl_reply(call);
    if (error)
        vfio_device_unuse(opened);
    return error;
}

/* Nobody is asked for a token, so none can be right. */
int64_t vfio_cdev_bind(struct ioctl_call *call)
{
    const struct vfio_device_bind_iommufd *bind = call->data;
    const struct vfio_opened *opened = call->context;
    struct file *iommufd;
    int error;

    if (bind->flags || bind->iommufd < 0)
        return -EINVAL;
    if (opened->group || opened->ready)
        return -EINVAL;
    if (vfio_group_opened(opened->device->group))
        return -EBUSY;
    if (vfio_device_in_use(opened->device))
        return -EINVAL; /* bound through another file */
    iommufd = fd_get(bind->iommufd);
    if (!iommufd)
        return -EBADF;
    /* Said before anybody is asked for the device: the wrong file is no matter of who has it. */
    error = file_is_iommufd(iommufd) ? bind_to(call, iommufd) : -EBADFD;
    file_put(iommufd);
    return error;
}

int64_t vfio_cdev_attach(struct ioctl_call *call)
{
    struct vfio_device_attach_iommufd_pt *attach = call->data;
    const struct vfio_opened *opened = call->context;
    int error;

    if (attach->flags & ~(uint32_t)VFIO_DEVICE_ATTACH_PASID)
        return -EINVAL;
    if (attach->flags) /* process address spaces need scalable mode */
        return call->size < sizeof(*attach) ? -EINVAL : -EOPNOTSUPP;
    error = iommufd_attach(opened->device->lease.bound, &attach->pt_id);
    if (error)
        return error;
    error = ioctl_reply(call);
    if (error)
        iommufd_detach(opened->device->lease.bound);
    return error;
}

int64_t vfio_cdev_detach(struct ioctl_call *call)
{
    const struct vfio_device_detach_iommufd_pt *detach = call->data;
    const struct vfio_opened *opened = call->context;

    if (detach->flags & ~(uint32_t)VFIO_DEVICE_DETACH_PASID)
        return -EINVAL;
    if (detach->flags)
        return call->size < sizeof(*detach) ? -EINVAL : -EOPNOTSUPP;
    iommufd_detach(opened->device->lease.bound);
    return 0;
}

TREE_SHOW(show_numbers, struct vfio_device, "%u:%u", VFIO_CDEV_MAJOR, it->number)

int vfio_cdev_add(struct vfio_device *device)
{
    unsigned n = device->number;
    const char *folder = format_short("bus/pci/devices/%s", pci_name(device->pci));

    if (tree_add_device(format_short("/dev/vfio/devices/vfio%u", n), VFIO_CDEV_MAJOR, n, cdev_open,
                        device) ||
        tree_add_text(format_short("/sys/%s/vfio-dev/vfio%u/dev", folder, n), show_numbers,
                      device) ||
        tree_add_link(format_short("/sys/class/vfio-dev/vfio%u", n),
                      format_short("../../%s/vfio-dev/vfio%u", folder, n)) ||
        tree_add_file(format_short("/sys/%s/config", folder), 0644, device->pci->config_size,
                      vfio_config_open, device))
        return -ENOMEM;
    return 0;
}
