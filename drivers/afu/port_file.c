/* SPDX-License-Identifier: BSD-2-Clause */
/* /dev/dfl-port.N. */
#include <linux/fpga-dfl.h>

#include "drivers/afu/internal.h"
#include "kernel/cpu/user.h"
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

static int64_t get_api_version(void *node, uint64_t argument)
{
    return DFL_FPGA_API_VERSION;
}

static int64_t check_extension(void *node, uint64_t argument)
{
    return 0; /* there are none */
}

static int64_t reset(void *node, uint64_t argument)
{
    struct afu_port *port = node;

    return argument ? -EINVAL : port->ops->reset(port);
}

static int64_t get_info(void *node, uint64_t argument)
{
    const struct afu_port *port = node;
    struct dfl_fpga_port_info info;
    uint32_t argsz;
    int error = copy_from_user(&argsz, argument, sizeof(argsz));

    if (error)
        return error;
    if (argsz < sizeof(info))
        return -EINVAL;
    info = (struct dfl_fpga_port_info){.argsz = argsz};
    for (unsigned i = 0; i < AFU_WINDOWS; i++)
        info.num_regions += port->windows[i].size != 0;
    return copy_to_user(argument, &info, sizeof(info));
}

static int64_t get_region_info(void *node, uint64_t argument)
{
    const struct afu_port *port = node;
    struct dfl_fpga_port_region_info info;
    uint32_t argsz;
    int error = copy_from_user(&argsz, argument, sizeof(argsz));

    if (error)
        return error;
    if (argsz < sizeof(info))
        return -EINVAL;
    error = copy_from_user(&info, argument, sizeof(info));
    if (error)
        return error;
    if (info.padding || info.index >= AFU_WINDOWS || !port->windows[info.index].size)
        return -EINVAL;
    info.flags = DFL_PORT_REGION_READ | DFL_PORT_REGION_WRITE;
    if (window_mappable(port, info.index))
        info.flags |= DFL_PORT_REGION_MMAP;
    info.size = port->windows[info.index].size;
    info.offset = window_position(port, info.index);
    return copy_to_user(argument, &info, sizeof(info));
}

static int64_t dma_map(void *node, uint64_t argument)
{
    struct afu_port *port = node;
    struct dfl_fpga_port_dma_map map;
    int error = afu_copy_in(&map, argument, sizeof(map));

    if (error)
        return error;
    error = afu_dma_map(&port->regions, map.user_addr, map.length, (uint64_t *)&map.iova);
    if (error)
        return error;
    error = copy_to_user(argument, &map, sizeof(map));
    if (error)
        (void)afu_dma_unmap(&port->regions, map.iova);
    return error;
}

static int64_t dma_unmap(void *node, uint64_t argument)
{
    struct afu_port *port = node;
    struct dfl_fpga_port_dma_unmap unmap;
    int error = afu_copy_in(&unmap, argument, sizeof(unmap));

    return error ? error : afu_dma_unmap(&port->regions, unmap.iova);
}

static int64_t error_irq_number(void *node, uint64_t argument)
{
    const struct afu_port *port = node;

    return afu_irq_number(&port->error_irqs, argument);
}

static int64_t error_irq_set(void *node, uint64_t argument)
{
    struct afu_port *port = node;

    return afu_irq_set(port->device, &port->error_irqs, argument);
}

static int64_t user_irq_number(void *node, uint64_t argument)
{
    const struct afu_port *port = node;

    return afu_irq_number(&port->user_irqs, argument);
}

static int64_t user_irq_set(void *node, uint64_t argument)
{
    struct afu_port *port = node;

    return afu_irq_set(port->device, &port->user_irqs, argument);
}

static const struct afu_call calls[] = {
    {DFL_FPGA_GET_API_VERSION, get_api_version},
    {DFL_FPGA_CHECK_EXTENSION, check_extension},
    {DFL_FPGA_PORT_RESET, reset},
    {DFL_FPGA_PORT_GET_INFO, get_info},
    {DFL_FPGA_PORT_GET_REGION_INFO, get_region_info},
    {DFL_FPGA_PORT_DMA_MAP, dma_map},
    {DFL_FPGA_PORT_DMA_UNMAP, dma_unmap},
    {DFL_FPGA_PORT_ERR_GET_IRQ_NUM, error_irq_number},
    {DFL_FPGA_PORT_ERR_SET_IRQ, error_irq_set},
    {DFL_FPGA_PORT_UINT_GET_IRQ_NUM, user_irq_number},
    {DFL_FPGA_PORT_UINT_SET_IRQ, user_irq_set},
};

static int64_t port_ioctl(struct file *file, uint32_t command, uint64_t argument)
{
    struct afu_port *port = file->context;

    return afu_dispatch(port->device, calls, ARRAY_SIZE(calls), port, command, argument);
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

static int open_locked(struct afu_port *port, unsigned flags, struct file **out)
{
    int error = afu_opens_take(&port->opens, flags);

    if (error)
        return error;
    error = afu_device_use(port->device);
    if (error)
        goto drop;
    *out = file_create(&port_ops, port, flags, "dfl-port");
    if (*out)
        return 0;
    error = -ENOMEM;
    afu_device_unuse(port->device);
drop:
    (void)afu_opens_drop(&port->opens);
    return error;
}

int afu_port_open(void *context, unsigned flags, struct file **out)
{
    struct afu_port *port = context;
    int error = mutex_lock(&port->device->lock, AFU_OWNER);

    if (error)
        return error;
    error = open_locked(port, flags, out);
    mutex_unlock(&port->device->lock);
    return error;
}
