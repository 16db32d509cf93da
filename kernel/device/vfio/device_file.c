/* SPDX-License-Identifier: BSD-2-Clause */
/* Open files of VFIO devices: which call does what. */
#include <linux/vfio.h>

#include "kernel/lib/error.h"
#include "kernel/mm/heap.h"
#include "kernel/pci/reset.h"
#include "kernel/device/vfio/device.h"

static int64_t device_info(struct ioctl_call *call)
{
    const struct vfio_opened *opened = call->context;
    struct vfio_device_info *info = call->data;

    info->flags = VFIO_DEVICE_FLAGS_PCI;
    if (pci_reset_method(opened->device->pci) != PCI_RESET_NONE)
        info->flags |= VFIO_DEVICE_FLAGS_RESET;
    info->num_regions = VFIO_PCI_NUM_REGIONS;
    info->num_irqs = VFIO_PCI_NUM_IRQS;
    return ioctl_reply(call);
}

static int64_t reset(struct ioctl_call *call)
{
    const struct vfio_opened *opened = call->context;

    return vfio_device_reset(opened->device);
}

static const struct ioctl_row calls[] = {
#define STRUCT(type, last) IOCTL_STRUCT(IOCTL_ARGSZ, struct type, last)
    {VFIO_DEVICE_GET_INFO, STRUCT(vfio_device_info, num_irqs), device_info},
    {VFIO_DEVICE_GET_REGION_INFO, STRUCT(vfio_region_info, offset), vfio_region_info},
    {VFIO_DEVICE_GET_IRQ_INFO, STRUCT(vfio_irq_info, count), vfio_irq_info},
    {VFIO_DEVICE_SET_IRQS, STRUCT(vfio_irq_set, count), vfio_irqs_set},
    {VFIO_DEVICE_IOEVENTFD, STRUCT(vfio_device_ioeventfd, fd), vfio_ioeventfd},
    {VFIO_DEVICE_FEATURE, STRUCT(vfio_device_feature, flags), vfio_feature},
    {VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, STRUCT(vfio_pci_hot_reset_info, count),
     vfio_hot_reset_info},
    {VFIO_DEVICE_PCI_HOT_RESET, STRUCT(vfio_pci_hot_reset, count), vfio_hot_reset},
#undef STRUCT
    {VFIO_DEVICE_RESET, IOCTL_PLAIN, 0, 0, reset},
};

/* The parts of the structures that every version of the interface has. */
#define BIND_SIZE   offsetof(struct vfio_device_bind_iommufd, token_uuid_ptr)
#define ATTACH_SIZE offsetof(struct vfio_device_attach_iommufd_pt, pasid)
#define DETACH_SIZE offsetof(struct vfio_device_detach_iommufd_pt, pasid)

static const struct ioctl_row bind_call = {VFIO_DEVICE_BIND_IOMMUFD, IOCTL_ARGSZ, BIND_SIZE,
                                           BIND_SIZE, vfio_cdev_bind};

/* Calls about the iommufd, for files that were not obtained through a group. */
static const struct ioctl_row own_calls[] = {
    {VFIO_DEVICE_ATTACH_IOMMUFD_PT, IOCTL_ARGSZ, ATTACH_SIZE, ATTACH_SIZE, vfio_cdev_attach},
    {VFIO_DEVICE_DETACH_IOMMUFD_PT, IOCTL_ARGSZ, DETACH_SIZE, DETACH_SIZE, vfio_cdev_detach},
};

static int64_t locked_ioctl(struct vfio_opened *opened, uint32_t command, uint64_t argument)
{
    const struct ioctl_row *row = NULL;
    int error;

    if (command == bind_call.command)
        return ioctl_run(&bind_call, opened, argument);
    error = opened->ready ? vfio_low_power_wake(opened->device) : -EINVAL;
    if (error)
        return error;
    if (!opened->group)
        row = ioctl_find(own_calls, ARRAY_SIZE(own_calls), command);
    if (!row)
        row = ioctl_find(calls, ARRAY_SIZE(calls), command);
    return ioctl_run(row, opened, argument);
}

static int64_t device_ioctl(struct file *file, uint32_t command, uint64_t argument)
{
    struct vfio_opened *opened = file->context;

    return mutex_run(&opened->device->lock, "vfio device", locked_ioctl(opened, command, argument));
}

static int64_t access_region(struct vfio_opened *opened, bool write, uaddr_t buffer, size_t length,
                             uint64_t *position)
{
    int error = opened->ready ? vfio_low_power_wake(opened->device) : -EINVAL;

    return error ? error : vfio_region_access(opened->device, write, buffer, length, position);
}

static int64_t device_read(struct file *file, uaddr_t buffer, size_t length, uint64_t *position)
{
    struct vfio_opened *opened = file->context;

    return mutex_run(&opened->device->lock, "vfio device",
                     access_region(opened, false, buffer, length, position));
}

static int64_t device_write(struct file *file, uaddr_t buffer, size_t length, uint64_t *position)
{
    struct vfio_opened *opened = file->context;

    return mutex_run(&opened->device->lock, "vfio device",
                     access_region(opened, true, buffer, length, position));
}

static int device_mmap(struct file *file, uint64_t offset, uint64_t length, unsigned protection,
                       bool shared, struct memobj **out, uint64_t *object_offset)
{
    struct vfio_opened *opened = file->context;

    if (!opened->ready)
        return -EINVAL;
    if (opened->device->pci->removed)
        return -ENODEV;
    return vfio_region_map(opened->device, offset, length, shared, out, object_offset);
}

static void device_release(struct file *file)
{
    struct vfio_opened *opened = file->context;

    (void)mutex_lock_deaf(&opened->device->lock, "vfio device");
    if (opened->ready)
        vfio_device_unuse(opened);
    mutex_unlock(&opened->device->lock);
    file_put(opened->group);
    kfree(opened);
}

static const struct file_ops device_ops = {
    .seekable = true,
    .read = device_read,
    .write = device_write,
    .ioctl = device_ioctl,
    .mmap = device_mmap,
    .release = device_release,
};

struct file *vfio_device_file(struct vfio_device *device, unsigned flags)
{
    struct vfio_opened *opened = kzalloc(sizeof(*opened));
    struct file *file;

    if (!opened)
        return NULL;
    opened->device = device;
    file = file_create(&device_ops, opened, flags, "vfio-device");
    if (!file)
        kfree(opened);
    return file;
}
