/* SPDX-License-Identifier: BSD-2-Clause */
/* /dev/dfl-port.N. */
#include <linux/fpga-dfl.h>

#include "drivers/afu/internal.h"
#include "kernel/lib/error.h"
#include "kernel/lib/log.h"

/* Where a window appears in the file: one after the other. */
static uint64_t window_position(const struct afu_port *port, unsigned index)
{
    uint64_t at = 0;

    for (unsigned i = 0; i < index; i++)
        at += ALIGN_UP(port->windows[i].size, PAGE_SIZE);
    return at;
}

static bool window_mappable(const struct afu_port *port, unsigned index)
{
    const struct afu_window *w = &port->windows[index];
    struct memobj *bar = port->device->lease.bars[w->bar];
    struct phys_run run;

    return bar && !memobj_run(bar, w->offset, w->size, &run) && run.length == w->size;
}

static int64_t reset(struct ioctl_call *call)
{
    struct afu_port *port = call->context;

    return call->argument ? -EINVAL : port->ops->reset(port);
}

static int64_t get_info(struct ioctl_call *call)
{
    const struct afu_port *port = call->context;
    struct dfl_fpga_port_info *info = call->data;

    *info = (struct dfl_fpga_port_info){.argsz = info->argsz};
    for (unsigned i = 0; i < AFU_WINDOWS; i++)
        info->num_regions += port->windows[i].size != 0;
    return ioctl_reply(call);
}

static int64_t get_region_info(struct ioctl_call *call)
{
    const struct afu_port *port = call->context;
    struct dfl_fpga_port_region_info *info = call->data;

    if (info->padding || info->index >= AFU_WINDOWS || !port->windows[info->index].size)
        return -EINVAL;
    info->flags = DFL_PORT_REGION_READ | DFL_PORT_REGION_WRITE;
    if (window_mappable(port, info->index))
        info->flags |= DFL_PORT_REGION_MMAP;
    info->size = port->windows[info->index].size;
    info->offset = window_position(port, info->index);
    return ioctl_reply(call);
}

static int64_t dma_map(struct ioctl_call *call)
{
    struct afu_port *port = call->context;
    struct dfl_fpga_port_dma_map *map = call->data;
    int error;

    if (map->flags)
        return -EINVAL;
    error = afu_dma_map(&port->regions, map->user_addr, map->length, (uint64_t *)&map->iova);
    if (error)
        return error;
    error = ioctl_reply(call);
    if (error)
        (void)afu_dma_unmap(&port->regions, map->iova);
    return error;
}

static int64_t dma_unmap(struct ioctl_call *call)
{
    struct afu_port *port = call->context;
    const struct dfl_fpga_port_dma_unmap *unmap = call->data;

    return unmap->flags ? -EINVAL : afu_dma_unmap(&port->regions, unmap->iova);
}

static int64_t error_irqs(struct ioctl_call *call)
{
    const struct afu_port *port = call->context;

    return afu_irqs(port->device, &port->error_irqs, call);
}

static int64_t user_irqs(struct ioctl_call *call)
{
    const struct afu_port *port = call->context;

    return afu_irqs(port->device, &port->user_irqs, call);
}

static const struct ioctl_row calls[] = {
    {DFL_FPGA_GET_API_VERSION, IOCTL_PLAIN, 0, 0, afu_api_version},
    {DFL_FPGA_CHECK_EXTENSION, IOCTL_PLAIN, 0, 0, afu_no_extensions},
    {DFL_FPGA_PORT_RESET, IOCTL_PLAIN, 0, 0, reset},
#define STRUCT(type, last) IOCTL_STRUCT(IOCTL_ARGSZ, struct type, last)
    {DFL_FPGA_PORT_GET_INFO, STRUCT(dfl_fpga_port_info, num_umsgs), get_info},
    {DFL_FPGA_PORT_GET_REGION_INFO, STRUCT(dfl_fpga_port_region_info, offset), get_region_info},
    {DFL_FPGA_PORT_DMA_MAP, STRUCT(dfl_fpga_port_dma_map, iova), dma_map},
    {DFL_FPGA_PORT_DMA_UNMAP, STRUCT(dfl_fpga_port_dma_unmap, iova), dma_unmap},
#undef STRUCT
    {DFL_FPGA_PORT_ERR_GET_IRQ_NUM, AFU_IRQ_NUMBER, error_irqs},
    {DFL_FPGA_PORT_ERR_SET_IRQ, AFU_IRQ_SET, error_irqs},
    {DFL_FPGA_PORT_UINT_GET_IRQ_NUM, AFU_IRQ_NUMBER, user_irqs},
    {DFL_FPGA_PORT_UINT_SET_IRQ, AFU_IRQ_SET, user_irqs},
};

static int64_t port_ioctl(struct file *file, uint32_t command, uint64_t argument)
{
    struct afu_port *port = file->context;

    return afu_ioctl(port->device, ioctl_find(calls, ARRAY_SIZE(calls), command), port, argument);
}

/* The window that contains [offset, offset + length) of the file. */
static int find_window(const struct afu_port *port, uint64_t offset, uint64_t length)
{
    for (unsigned i = 0; i < AFU_WINDOWS; i++) {
        uint64_t at = window_position(port, i), size = port->windows[i].size;

        if (offset >= at && offset - at < size && length <= size - (offset - at))
            return (int)i;
    }
    return -EINVAL;
}

static int port_mmap(struct file *file, uint64_t offset, uint64_t length, unsigned protection,
                     bool shared, struct memobj **out, uint64_t *object_offset)
{
    const struct afu_port *port = file->context;
    int index = find_window(port, offset, length);

    if (!shared || index < 0)
        return -EINVAL;
    if (!window_mappable(port, (unsigned)index))
        return -EPERM;
    const struct afu_window *w = &port->windows[index];
    *out = memobj_get(port->device->lease.bars[w->bar]);
    *object_offset = w->offset + (offset - window_position(port, (unsigned)index));
    return 0;
}

/*
 * First silence, then take the memory away: a card that still ran could not be told to stop. If
 * other nodes of it are open, the port's reset has to do.
 */
static void port_release(struct file *file)
{
    struct afu_port *port = file->context;
    bool last;

    (void)mutex_lock_deaf(&port->device->lock, AFU_OWNER);
    last = afu_opens_drop(&port->opens);
    if (last) {
        afu_irq_drop(port->device, &port->error_irqs);
        afu_irq_drop(port->device, &port->user_irqs);
        if (port->ops->reset(port))
            log_error("dfl-port.%u does not acknowledge its reset; its regions go all the same, "
                      "the IOMMU refuses what it may still ask for",
                      port->id);
    }
    afu_device_unuse(port->device);
    if (last)
        afu_dma_remove_all(&port->regions);
    mutex_unlock(&port->device->lock);
}

static const struct file_ops port_ops = {
    .ioctl = port_ioctl,
    .mmap = port_mmap,
    .release = port_release,
};

int afu_port_open(void *context, unsigned flags, struct file **out)
{
    struct afu_port *port = context;
    const struct afu_node node = {port->device, &port->opens, &port_ops, port, "dfl-port"};

    return afu_node_open(&node, flags, out);
}
