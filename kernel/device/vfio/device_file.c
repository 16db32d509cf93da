/* SPDX-License-Identifier: BSD-2-Clause */
/* Open files of VFIO devices: which call does what. */
#include <linux/vfio.h>

#include "kernel/cpu/user.h"
#include "kernel/lib/error.h"
#include "kernel/mm/heap.h"
#include "kernel/pci/reset.h"
#include "kernel/device/vfio/device.h"

/* The least argsz that the interface asks for: what comes after it was added later. */
#define INFO_SIZE_MIN offsetof(struct vfio_device_info, cap_offset)

static int device_info(struct vfio_device *device, uaddr_t argument)
{
    struct vfio_device_info info = {0};
    uint32_t argsz;

    if (copy_from_user(&argsz, argument, sizeof(argsz)))
        return -EFAULT;
    if (argsz < INFO_SIZE_MIN)
        return -EINVAL;
    info.argsz = argsz;
    info.flags = VFIO_DEVICE_FLAGS_PCI;
    if (pci_reset_method(device->pci) != PCI_RESET_NONE)
        info.flags |= VFIO_DEVICE_FLAGS_RESET;
    info.num_regions = VFIO_PCI_NUM_REGIONS;
    info.num_irqs = VFIO_PCI_NUM_IRQS;
    return copy_to_user(argument, &info, MIN(argsz, sizeof(info)));
}

static int reset(struct vfio_device *device, uaddr_t argument)
{
    return vfio_device_reset(device);
}

/* A reset of the whole bus would reach functions that are not in the group: not offered. */
static int hot_reset(struct vfio_device *device, uaddr_t argument)
{
    return -ENODEV;
}

/* Features come and go with the hardware; there is none here that has to be asked for. */
static int feature(struct vfio_device *device, uaddr_t argument)
{
    struct vfio_device_feature header;

    if (copy_from_user(&header, argument, sizeof(header)))
        return -EFAULT;
    return header.argsz < sizeof(header) ? -EINVAL : -ENOTTY;
}

static const struct {
    uint32_t command;
    int (*call)(struct vfio_device *device, uaddr_t argument);
} calls[] = {
    {VFIO_DEVICE_GET_INFO, device_info},
    {VFIO_DEVICE_GET_REGION_INFO, vfio_region_info},
    {VFIO_DEVICE_GET_IRQ_INFO, vfio_irq_info},
    {VFIO_DEVICE_SET_IRQS, vfio_irqs_set},
    {VFIO_DEVICE_RESET, reset},
    {VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, hot_reset},
    {VFIO_DEVICE_PCI_HOT_RESET, hot_reset},
    {VFIO_DEVICE_FEATURE, feature},
};

/* Calls about the iommufd, for files that were not obtained through a group. */
static const struct {
    uint32_t command;
    int (*call)(struct vfio_opened *opened, uaddr_t argument);
} own_calls[] = {
    {VFIO_DEVICE_ATTACH_IOMMUFD_PT, vfio_cdev_attach},
    {VFIO_DEVICE_DETACH_IOMMUFD_PT, vfio_cdev_detach},
};

static int64_t locked_ioctl(struct vfio_opened *opened, uint32_t command, uint64_t argument)
{
    if (command == VFIO_DEVICE_BIND_IOMMUFD)
        return vfio_cdev_bind(opened, argument);
    if (!opened->ready)
        return -EINVAL;
    for (size_t i = 0; i < ARRAY_SIZE(own_calls) && !opened->group; i++)
        if (own_calls[i].command == command)
            return own_calls[i].call(opened, argument);
    for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
        if (calls[i].command == command)
            return calls[i].call(opened->device, argument);
    return -ENOTTY;
}

static int64_t device_ioctl(struct file *file, uint32_t command, uint64_t argument)
{
    struct vfio_opened *opened = file->context;
    int64_t result = mutex_lock(&opened->device->lock, "vfio device");

    if (result)
        return result;
    result = locked_ioctl(opened, command, argument);
    mutex_unlock(&opened->device->lock);
    return result;
}

static int64_t access_region(struct file *file, bool write, uaddr_t buffer, size_t length,
                             uint64_t *position)
{
    struct vfio_opened *opened = file->context;
    int64_t result = mutex_lock(&opened->device->lock, "vfio device");

    if (result)
        return result;
    result = opened->ready ? vfio_region_access(opened->device, write, buffer, length, position)
                           : -EINVAL;
    mutex_unlock(&opened->device->lock);
    return result;
}

static int64_t device_read(struct file *file, uaddr_t buffer, size_t length, uint64_t *position)
{
    return access_region(file, false, buffer, length, position);
}

static int64_t device_write(struct file *file, uaddr_t buffer, size_t length, uint64_t *position)
{
    return access_region(file, true, buffer, length, position);
}

static int device_mmap(struct file *file, uint64_t offset, uint64_t length, unsigned protection,
                       bool shared, struct memobj **out, uint64_t *object_offset)
{
    struct vfio_opened *opened = file->context;

    if (!opened->ready)
        return -EINVAL;
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
    if (!file) {
        kfree(opened);
        return NULL;
    }
    file->seekable = true;
    return file;
}
