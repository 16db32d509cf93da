/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DEVICE_FEATURE. What Linux has beyond these rows belongs to devices with drivers of their own
 * (migration, logs of DMA) or to physical functions (tokens): absent from this hardware, as there.
 */
#include <linux/vfio.h>

#include "kernel/cpu/user.h"
#include "kernel/file/eventfd.h"
#include "kernel/lib/error.h"
#include "kernel/device/vfio/device.h"

#define DIRECTIONS (VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_SET)
#define FLAGS      (VFIO_DEVICE_FEATURE_MASK | DIRECTIONS | VFIO_DEVICE_FEATURE_PROBE)

typedef struct vfio_device_low_power_entry_with_wakeup entry_data;

/* ---- low power ---- */

void vfio_low_power_end(struct vfio_device *device)
{
    file_put(device->low_power.wakeup);
    device->low_power = (struct vfio_low_power){0};
}

static void leave(struct vfio_device *device)
{
    vfio_low_power_end(device);
    vfio_device_follow(device);
}

int vfio_low_power_wake(struct vfio_device *device)
{
    if (device->pci->removed)
        return -ENODEV;
    if (!device->low_power.asleep)
        return 0;
    device->low_power.asleep = false;
    if (lease_wake(&device->lease))
        vfio_device_resume(device);
    if (device->low_power.wakeup) {
        eventfd_signal(device->low_power.wakeup, 1);
        leave(device);
    }
    return device->lost ? -EIO : 0;
}

static int enter(struct vfio_device *device, struct file *wakeup)
{
    if (device->low_power.entered) {
        file_put(wakeup);
        return -EINVAL;
    }
    device->low_power = (struct vfio_low_power){true, true, wakeup};
    lease_sleep(&device->lease);
    return 0;
}

static int set_entry(struct vfio_device *device, const entry_data *data)
{
    return enter(device, NULL);
}

static int set_entry_with_wakeup(struct vfio_device *device, const entry_data *data)
{
    struct file *wakeup;
    int error = data->wakeup_eventfd < 0 ? -EINVAL : eventfd_get(data->wakeup_eventfd, &wakeup);

    return error ? error : enter(device, wakeup);
}

/* Harmless when it has ended already. */
static int set_exit(struct vfio_device *device, const entry_data *data)
{
    if (device->low_power.entered)
        leave(device);
    return 0;
}

/* ---- the call ---- */

/* All of them are set and never read. */
static const struct feature {
    uint16_t index;
    uint16_t size; /* of its data */
    int (*set)(struct vfio_device *device, const entry_data *data);
} features[] = {
    {VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY, 0, set_entry},
    {VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP, sizeof(entry_data), set_entry_with_wakeup},
    {VFIO_DEVICE_FEATURE_LOW_POWER_EXIT, 0, set_exit},
};

static const struct feature *find(uint32_t index)
{
    for (size_t i = 0; i < ARRAY_SIZE(features); i++)
        if (features[i].index == index)
            return &features[i];
    return NULL;
}

static int set_feature(struct ioctl_call *call, const struct feature *feature)
{
    const struct vfio_opened *opened = call->context;
    uaddr_t at = call->argument + sizeof(struct vfio_device_feature);
    entry_data data = {0};

    if (call->size - sizeof(struct vfio_device_feature) < feature->size)
        return -EINVAL;
    if (copy_from_user(&data, at, feature->size))
        return -EFAULT;
    return feature->set(opened->device, &data);
}

/* Errors in the order of Linux. */
int64_t vfio_feature(struct ioctl_call *call)
{
    uint32_t flags = ((const struct vfio_device_feature *)call->data)->flags;
    const struct feature *feature = find(flags & VFIO_DEVICE_FEATURE_MASK);
    bool probe = flags & VFIO_DEVICE_FEATURE_PROBE;

    if ((flags & ~(uint32_t)FLAGS) || (!probe && (flags & DIRECTIONS) == DIRECTIONS))
        return -EINVAL;
    if (!feature)
        return -ENOTTY;
    if (flags & VFIO_DEVICE_FEATURE_GET)
        return -EINVAL;
    if (probe)
        return 0;
    return flags & VFIO_DEVICE_FEATURE_SET ? set_feature(call, feature) : -EINVAL;
}
