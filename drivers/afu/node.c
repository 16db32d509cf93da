/* SPDX-License-Identifier: BSD-2-Clause */
/* What the FME's and the ports' device files have in common: the use of their device. */
#include <linux/fpga-dfl.h>

#include "drivers/afu/internal.h"
#include "kernel/lib/error.h"

static int opens_take(struct afu_opens *opens, unsigned flags)
{
    bool exclusive = flags & FILE_EXCL;

    if (opens->exclusive || (exclusive && opens->count))
        return -EBUSY;
    opens->exclusive = exclusive;
    opens->count++;
    return 0;
}

bool afu_opens_drop(struct afu_opens *opens)
{
    opens->exclusive = false;
    return --opens->count == 0;
}

/* The function's own reset has put every port into the state after power-on: held. */
int afu_device_awake(void *context)
{
    struct afu_device *device = context;
    int error = 0;

    for (unsigned i = 0; !error && i < device->port_count; i++)
        if (device->ports[i].ops->held(&device->ports[i]))
            error = device->ports[i].ops->reset(&device->ports[i]);
    return error;
}

void afu_device_unuse(struct afu_device *device)
{
    if (--device->users == 0)
        lease_stop(&device->lease);
}

static int open_locked(const struct afu_node *node, unsigned flags, struct file **out)
{
    int error = opens_take(node->opens, flags);

    if (error)
        return error;
    error = node->device->users ? 0 : lease_start(&node->device->lease, NULL);
    if (error)
        goto drop;
    node->device->users++;
    *out = file_create(node->ops, node->context, flags, node->name);
    if (*out)
        return 0;
    error = -ENOMEM;
    afu_device_unuse(node->device);
drop:
    (void)afu_opens_drop(node->opens);
    return error;
}

int afu_node_open(const struct afu_node *node, unsigned flags, struct file **out)
{
    return mutex_run(&node->device->lock, AFU_OWNER, open_locked(node, flags, out));
}

int64_t afu_ioctl(struct afu_device *device, const struct ioctl_row *row, void *node,
                  uint64_t argument)
{
    if (device->pci->removed)
        return -ENODEV;
    /* Not ENOTTY: these device files answer so on Linux. */
    return mutex_run(&device->lock, AFU_OWNER, row ? ioctl_run(row, node, argument) : -EINVAL);
}

int64_t afu_no_extensions(struct ioctl_call *call)
{
    return 0;
}

int64_t afu_api_version(struct ioctl_call *call)
{
    return DFL_FPGA_API_VERSION;
}
