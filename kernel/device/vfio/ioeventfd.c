/* SPDX-License-Identifier: BSD-2-Clause */
/* IOEVENTFD: a value that goes to a BAR whenever an eventfd is written, without a thread. */
#include <linux/vfio.h>

#include "kernel/file/eventfd.h"
#include "kernel/lib/error.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/paging/paging.h"
#include "kernel/pci/msix_table.h"
#include "kernel/pci/registers.h"
#include "kernel/device/vfio/device.h"

#define IOEVENTFDS_MAX 1000 /* of a device, as on Linux */

struct ioeventfd {
    struct list link;
    struct eventfd_listener listener;
    const struct vfio_device *device;
    struct vfio_device_ioeventfd call; /* as it was asked for */
    void *at;                          /* the register, mapped; NULL: a port */
    uint16_t port;
};

/* The flag that tells how many bytes is their number. */
static unsigned width_of(const struct vfio_device_ioeventfd *call)
{
    return call->flags;
}

/*
 * Dropped, as on Linux, while the BAR is not decoded; and while it is in reset or asleep. Runs in
 * the middle of a write or of an interrupt handler.
 */
static void heard(struct eventfd_listener *listener)
{
    const struct ioeventfd *e = container_of(listener, struct ioeventfd, listener);
    const struct vfio_device *device = e->device;
    bool reached = e->at ? !device->lease.hidden : vfio_device_decodes(device, PCI_COMMAND_IO);

    if (reached && !device->pci->in_reset && !device->low_power.asleep)
        vfio_region_store(e->at, e->port, width_of(&e->call), e->call.data);
}

static struct ioeventfd *find(const struct vfio_device *device,
                              const struct vfio_device_ioeventfd *call)
{
    struct ioeventfd *e;

    list_for_each_entry (e, &device->ioeventfds, link)
        if (e->call.offset == call->offset && e->call.data == call->data &&
            e->call.flags == call->flags)
            return e;
    return NULL;
}

static void remove(struct vfio_device *device, struct ioeventfd *e)
{
    eventfd_unlisten(&e->listener);
    if (e->at)
        mmio_unmap(e->at, width_of(&e->call));
    list_remove(&e->link);
    device->ioeventfd_count--;
    kfree(e);
}

/* Mapped now: who hears must not wait for memory. */
static int map_register(struct ioeventfd *e, const struct pci_bar *bar)
{
    uint64_t address = bar->base + (e->call.offset & VFIO_REGION_MASK);

    if (bar->flags & PCI_BAR_IO)
        e->port = (uint16_t)address;
    else
        e->at = mmio_map(address, width_of(&e->call));
    return e->at || (bar->flags & PCI_BAR_IO) ? 0 : -ENOMEM;
}

static int add(struct vfio_device *device, const struct vfio_device_ioeventfd *call)
{
    struct ioeventfd *e;
    struct file *event;
    int error;

    if (device->ioeventfd_count == IOEVENTFDS_MAX)
        return -ENOSPC;
    error = eventfd_get(call->fd, &event);
    if (error)
        return error;
    e = kzalloc(sizeof(*e));
    if (!e) {
        file_put(event);
        return -ENOMEM;
    }
    e->listener.heard = heard;
    e->device = device;
    e->call = *call;
    list_push_back(&device->ioeventfds, &e->link);
    device->ioeventfd_count++;
    error = map_register(e, &device->pci->bars[call->offset >> VFIO_REGION_SHIFT]);
    if (!error)
        error = eventfd_listen(&e->listener, event);
    if (error)
        remove(device, e);
    file_put(event);
    return error;
}

/* One width, and all of it in a BAR beside the vector table. */
static bool is_possible(const struct vfio_device *device, const struct vfio_device_ioeventfd *call)
{
    uint64_t index = call->offset >> VFIO_REGION_SHIFT, offset = call->offset & VFIO_REGION_MASK;
    unsigned width = width_of(call);
    const struct pci_bar *bar;

    if ((width != 1 && width != 2 && width != 4 && width != 8) || index >= PCI_BARS)
        return false;
    bar = &device->pci->bars[index];
    return offset + width <= bar->size && !(width == 8 && (bar->flags & PCI_BAR_IO)) &&
           !msix_table_touches(device->pci, (unsigned)index, offset, width);
}

int64_t vfio_ioeventfd(struct ioctl_call *call)
{
    struct vfio_device *device = ((struct vfio_opened *)call->context)->device;
    const struct vfio_device_ioeventfd *asked = call->data;
    struct ioeventfd *there;

    if (asked->fd < -1 || !is_possible(device, asked))
        return -EINVAL;
    there = find(device, asked);
    if (asked->fd >= 0)
        return there ? -EEXIST : add(device, asked);
    if (!there)
        return -ENODEV;
    remove(device, there);
    return 0;
}

void vfio_ioeventfds_close(struct vfio_device *device)
{
    while (!list_empty(&device->ioeventfds))
        remove(device, list_first(&device->ioeventfds, struct ioeventfd, link));
}
