/* SPDX-License-Identifier: BSD-2-Clause */
/* /dev/dfl-fme.N. */
#include <linux/fpga-dfl.h>

#include "drivers/afu/internal.h"
#include "kernel/lib/error.h"

/* Partial reconfiguration and handing ports to virtual functions are for another day. */
static int64_t not_supported(struct ioctl_call *call)
{
    return -EOPNOTSUPP;
}

static int64_t error_irqs(struct ioctl_call *call)
{
    struct afu_device *device = call->context;

    return afu_irqs(device, &device->fme.error_irqs, call);
}

static const struct ioctl_row calls[] = {
    {DFL_FPGA_GET_API_VERSION, IOCTL_PLAIN, 0, 0, afu_api_version},
    {DFL_FPGA_CHECK_EXTENSION, IOCTL_PLAIN, 0, 0, afu_no_extensions},
    {DFL_FPGA_FME_PORT_PR, IOCTL_PLAIN, 0, 0, not_supported},
    {DFL_FPGA_FME_PORT_RELEASE, IOCTL_PLAIN, 0, 0, not_supported},
    {DFL_FPGA_FME_PORT_ASSIGN, IOCTL_PLAIN, 0, 0, not_supported},
    {DFL_FPGA_FME_ERR_GET_IRQ_NUM, AFU_IRQ_NUMBER, error_irqs},
    {DFL_FPGA_FME_ERR_SET_IRQ, AFU_IRQ_SET, error_irqs},
};

static int64_t fme_ioctl(struct file *file, uint32_t command, uint64_t argument)
{
    return afu_ioctl(file->context, ioctl_find(calls, ARRAY_SIZE(calls), command), file->context,
                     argument);
}

static void fme_release(struct file *file)
{
    struct afu_device *device = file->context;

    (void)mutex_lock_deaf(&device->lock, AFU_OWNER);
    if (afu_opens_drop(&device->fme.opens))
        afu_irq_drop(device, &device->fme.error_irqs);
    afu_device_unuse(device);
    mutex_unlock(&device->lock);
}

static const struct file_ops fme_ops = {
    .ioctl = fme_ioctl,
    .release = fme_release,
};

int afu_fme_open(void *context, unsigned flags, struct file **out)
{
    struct afu_device *device = context;
    const struct afu_node node = {device, &device->fme.opens, &fme_ops, device, "dfl-fme"};

    return afu_node_open(&node, flags, out);
}
