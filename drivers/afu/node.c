/* SPDX-License-Identifier: BSD-2-Clause */
/* What the FME's and the ports' device files have in common. */
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

static int open_locked(const struct afu_node *node, unsigned flags, struct file **out)
{
    int error = opens_take(node->opens, flags);

    if (error)
        return error;
    error = afu_device_use(node->device);
    if (error)
        goto drop;
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
