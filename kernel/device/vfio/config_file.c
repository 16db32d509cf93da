/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * /sys/bus/pci/devices/ADDRESS/config of an assigned function: VFIO's view, by VFIO's rules,
 * whoever uses the function. Its context is the struct vfio_device.
 */
#include <linux/vfio.h>

#include "kernel/device/vfio/device.h"
#include "kernel/lib/error.h"

static int64_t access_view(struct vfio_device *device, bool write, uaddr_t buffer, size_t length,
                           uint64_t position)
{
    int error = vfio_device_in_use(device) ? vfio_low_power_wake(device) : vfio_device_view(device);

    position += (uint64_t)VFIO_PCI_CONFIG_REGION_INDEX << VFIO_REGION_SHIFT;
    return error ? error : vfio_region_access(device, write, buffer, length, &position);
}

/* The end of the file is no error. */
static int64_t transfer(const struct file *file, bool write, uaddr_t buffer, size_t length,
                        uint64_t *position)
{
    struct vfio_device *device = file->context;
    uint64_t size = device->pci->config_size, at = MIN(*position, size);
    int64_t done = mutex_run(&device->lock, "vfio device",
                             access_view(device, write, buffer, MIN(length, size - at), at));

    *position += (uint64_t)MAX(done, 0);
    return done;
}

static int64_t config_read(struct file *file, uaddr_t buffer, size_t length, uint64_t *position)
{
    return transfer(file, false, buffer, length, position);
}

static int64_t config_write(struct file *file, uaddr_t buffer, size_t length, uint64_t *position)
{
    return transfer(file, true, buffer, length, position);
}

static const struct file_ops config_ops = {
    .seekable = true, .read = config_read, .write = config_write};

int vfio_config_open(void *context, unsigned flags, struct file **out)
{
    *out = file_create(&config_ops, context, flags, "config");
    return *out ? 0 : -ENOMEM;
}
